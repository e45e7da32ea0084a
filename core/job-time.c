/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* RFC 3339, both ways. GDateTime has the calendar but only microseconds, so that the fraction is
 * read and written here. */

#include "job-time.h"

#define FRACTION_DIGITS 9

typedef struct
{
  int year, month, day, hour, minute, second;
  gint64 fraction; /* ns */
  gint64 offset;   /* seconds east of UTC */
} Stamp;

static void
append_fraction (GString *text, int fraction)
{
  int digits = FRACTION_DIGITS;

  if (fraction == 0)
    return;
  for (; fraction % 10 == 0; fraction /= 10)
    digits--;
  g_string_append_printf (text, ".%0*d", digits, fraction);
}

char *
job_time_format (gint64 ns)
{
  gint64 fraction = ns % JOB_TIME_NS_PER_SECOND;
  gint64 seconds = ns / JOB_TIME_NS_PER_SECOND;
  g_autoptr (GDateTime) time = NULL;
  GString *text = g_string_sized_new (32);

  if (fraction < 0)
    {
      fraction += JOB_TIME_NS_PER_SECOND;
      seconds--;
    }
  time = g_date_time_new_from_unix_utc (seconds);
  g_string_append_printf (text, "%04d-%02d-%02dT%02d:%02d:%02d", g_date_time_get_year (time),
                          g_date_time_get_month (time), g_date_time_get_day_of_month (time),
                          g_date_time_get_hour (time), g_date_time_get_minute (time),
                          g_date_time_get_second (time));
  append_fraction (text, (int) fraction);
  g_string_append_c (text, 'Z');
  return g_string_free (text, FALSE);
}

static gboolean
read_number (const char **next, int digits, int *number)
{
  *number = 0;
  for (; digits > 0; digits--, (*next)++)
    {
      if (!g_ascii_isdigit (**next))
        return FALSE;
      *number = *number * 10 + g_ascii_digit_value (**next);
    }
  return TRUE;
}

static gboolean
read_char (const char **next, char expected)
{
  if (g_ascii_toupper (**next) != expected)
    return FALSE;
  (*next)++;
  return TRUE;
}

/* "13:54", of the time and of the zone alike. */
static gboolean
read_hour_and_minute (const char **next, int *hour, int *minute)
{
  return read_number (next, 2, hour) && read_char (next, ':') && read_number (next, 2, minute) &&
         *hour < 24 && *minute < 60;
}

/* ".0625", or nothing. */
static gboolean
read_fraction (const char **next, gint64 *fraction)
{
  int digits = 0;

  *fraction = 0;
  if (!read_char (next, '.'))
    return TRUE;
  for (; digits < FRACTION_DIGITS && g_ascii_isdigit (**next); digits++, (*next)++)
    *fraction = *fraction * 10 + g_ascii_digit_value (**next);
  if (digits == 0)
    return FALSE;
  for (; digits < FRACTION_DIGITS; digits++)
    *fraction *= 10;
  return TRUE;
}

/* "Z" or "+01:30". */
static gboolean
read_zone (const char **next, gint64 *offset)
{
  gboolean west;
  int hours, minutes;

  *offset = 0;
  if (read_char (next, 'Z'))
    return TRUE;
  west = **next == '-';
  if (!read_char (next, west ? '-' : '+') || !read_hour_and_minute (next, &hours, &minutes))
    return FALSE;
  *offset = (hours * 60 + minutes) * 60 * (west ? -1 : 1);
  return TRUE;
}

static gboolean
read_stamp (const char *next, Stamp *stamp)
{
  return read_number (&next, 4, &stamp->year) && read_char (&next, '-') &&
         read_number (&next, 2, &stamp->month) && read_char (&next, '-') &&
         read_number (&next, 2, &stamp->day) && read_char (&next, 'T') &&
         read_hour_and_minute (&next, &stamp->hour, &stamp->minute) && read_char (&next, ':') &&
         read_number (&next, 2, &stamp->second) && read_fraction (&next, &stamp->fraction) &&
         read_zone (&next, &stamp->offset) && *next == '\0';
}

gboolean
job_time_parse (const char *text, gint64 *ns)
{
  Stamp stamp;
  g_autoptr (GDateTime) time = NULL;
  gint64 seconds, result;

  if (text == NULL || !read_stamp (text, &stamp) || stamp.second > 60)
    return FALSE;
  /* GDateTime checks the date, and knows no leap second: that is the one after :59. */
  time = g_date_time_new_utc (stamp.year, stamp.month, stamp.day, stamp.hour, stamp.minute,
                              MIN (stamp.second, 59));
  if (time == NULL)
    return FALSE;
  seconds = g_date_time_to_unix (time) + (stamp.second == 60) - stamp.offset;
  if (__builtin_mul_overflow (seconds, JOB_TIME_NS_PER_SECOND, &result) ||
      __builtin_add_overflow (result, stamp.fraction, &result))
    return FALSE;
  *ns = result;
  return TRUE;
}
