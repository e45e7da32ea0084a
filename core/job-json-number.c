/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* JSON numbers: how far one goes, and what is wrong with it. They are kept as text, so none loses a
 * digit here; but one that most readers would turn into an infinity does not pass. */

#include "job-json-private.h"

#include <math.h>

#define DOUBLE_DIGITS 308 /* an integer of so many digits fits in a double */

static const guint8 *
skip_digits (const guint8 *at, const guint8 *end)
{
  while (at < end && g_ascii_isdigit (*at))
    at++;
  return at;
}

static const guint8 *
skip_sign (const guint8 *at, const guint8 *end)
{
  return at < end && (*at == '+' || *at == '-') ? at + 1 : at;
}

/* Whether a number with many digits or an exponent is too great for a double. */
static gboolean
overflows (const guint8 *number, const guint8 *end)
{
  g_autofree char *copy = g_strndup ((const char *) number, end - number);

  return isinf (g_ascii_strtod (copy, NULL));
}

/* Moves *at from the first byte, '-' or a digit, to behind the last; or says what is wrong, and
 * moves it to where that is. */
const char *
job_json_scan_number (const guint8 **at, const guint8 *end)
{
  const guint8 *number = *at;
  const guint8 *digits = number + (*number == '-');
  const guint8 *part;
  gboolean great;

  *at = skip_digits (digits, end);
  if (*at == digits)
    return "expected a digit";
  great = *at - digits > DOUBLE_DIGITS;
  if (*digits == '0' && *at > digits + 1)
    {
      *at = digits;
      return "a number must not begin with a superfluous 0";
    }
  if (*at < end && **at == '.')
    {
      part = *at + 1;
      *at = skip_digits (part, end);
      if (*at == part)
        return "expected a digit after the point";
    }
  if (*at < end && (**at == 'e' || **at == 'E'))
    {
      great = TRUE;
      part = skip_sign (*at + 1, end);
      *at = skip_digits (part, end);
      if (*at == part)
        return "expected a digit in the exponent";
    }
  if (!great || !overflows (number, *at))
    return NULL;
  *at = number;
  return "a number greater than a double holds; write it as a string";
}
