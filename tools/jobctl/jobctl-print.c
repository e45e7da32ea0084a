/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* How jobctl prints: tables for people, aligned and no wider than needed, and JSON for programs.
 * What comes from a job is made fit for a terminal first: no control character reaches it. */

#include <stdio.h>
#include <string.h>

#include "job-time.h"
#include "jobctl.h"

struct _JobctlTable
{
  char *alignment;
  guint n_columns;
  guint *widths;   /* in characters, one for each column */
  GPtrArray *rows; /* of char **, the titles first */
};

JobctlTable *
jobctl_table_new (const char *alignment, const char *const *titles)
{
  JobctlTable *self = g_new0 (JobctlTable, 1);

  self->alignment = g_strdup (alignment);
  self->n_columns = strlen (alignment);
  self->widths = g_new0 (guint, self->n_columns);
  self->rows = g_ptr_array_new_with_free_func ((GDestroyNotify) g_strfreev);
  jobctl_table_add (self, titles);
  return self;
}

void
jobctl_table_free (JobctlTable *self)
{
  g_free (self->alignment);
  g_free (self->widths);
  g_ptr_array_unref (self->rows);
  g_free (self);
}

void
jobctl_table_add (JobctlTable *self, const char *const *cells)
{
  char **row = g_new0 (char *, self->n_columns + 1);

  for (guint i = 0; i < self->n_columns; i++)
    {
      row[i] = jobctl_dup_printable (cells[i], 0);
      self->widths[i] = MAX (self->widths[i], g_utf8_strlen (row[i], -1));
    }
  g_ptr_array_add (self->rows, row);
}

static void
print_spaces (FILE *stream, guint n)
{
  for (guint i = 0; i < n; i++)
    fputc (' ', stream);
}

static void
print_row (JobctlTable *self, char **row, FILE *stream)
{
  guint gap = 0; /* printed before the next text only: no line ends in spaces */

  for (guint i = 0; i < self->n_columns; i++)
    {
      guint fill = self->widths[i] - g_utf8_strlen (row[i], -1);
      gboolean right = self->alignment[i] == 'r';

      if (*row[i] != '\0')
        {
          print_spaces (stream, gap + (right ? fill : 0));
          fputs (row[i], stream);
          gap = right ? 0 : fill;
        }
      else
        gap += fill;
      gap += 2;
    }
  fputc ('\n', stream);
}

void
jobctl_table_print (JobctlTable *self, FILE *stream)
{
  for (guint i = 0; i < self->rows->len; i++)
    print_row (self, g_ptr_array_index (self->rows, i), stream);
}

char *
jobctl_dup_printable (const char *text, guint max)
{
  g_autofree char *valid = g_utf8_make_valid (text != NULL ? text : "", -1);
  g_autoptr (GString) out = g_string_new (NULL);
  guint n = 0;

  for (const char *p = valid; *p != '\0'; p = g_utf8_next_char (p))
    {
      gunichar c = g_utf8_get_char (p);

      if (max > 0 && n++ == max)
        {
          g_string_append (out, "...");
          break;
        }
      if (g_unichar_iscntrl (c) || c == 0x2028 || c == 0x2029)
        g_string_append_printf (out, "\\u%04x", c);
      else
        g_string_append_unichar (out, c);
    }
  return g_string_free (g_steal_pointer (&out), FALSE);
}

char *
jobctl_dup_time (gint64 nanoseconds)
{
  return nanoseconds != 0 ? job_time_format (nanoseconds - nanoseconds % JOB_TIME_NS_PER_SECOND)
                          : g_strdup ("");
}

void
jobctl_print_infos_json (GListModel *infos)
{
  guint n = g_list_model_get_n_items (infos);

  fputs ("[", stdout);
  for (guint i = 0; i < n; i++)
    {
      g_autoptr (JobInfo) info = g_list_model_get_item (infos, i);
      g_autofree char *json = job_info_to_json (info);

      printf ("%s%s", i == 0 ? "\n" : ",\n", json);
    }
  fputs (n == 0 ? "]\n" : "\n]\n", stdout);
}

static void
print_line (const char *title, const char *text)
{
  g_autofree char *printable = NULL;

  if (text == NULL || *text == '\0')
    return;
  printable = jobctl_dup_printable (text, 0);
  printf ("%-12s  %s\n", title, printable);
}

static void
print_time (const char *title, gint64 nanoseconds)
{
  g_autofree char *text = nanoseconds != 0 ? job_time_format (nanoseconds) : NULL;

  print_line (title, text);
}

static void
print_edges (JobInfo *info)
{
  const char *const *dependencies = job_info_get_dependencies (info);
  const char *const *dependents = job_info_get_dependents (info);

  for (guint i = 0; dependencies != NULL && dependencies[i] != NULL; i++)
    {
      const char *condition = job_condition_to_string (job_info_get_condition (info, i));
      g_autofree char *text = g_strdup_printf ("%s (%s)", dependencies[i], condition);

      print_line ("depends on", text);
    }
  for (guint i = 0; dependents != NULL && dependents[i] != NULL; i++)
    print_line ("dependent", dependents[i]);
}

static void
print_block (JobInfo *info)
{
  g_autofree char *priority = g_strdup_printf ("%d", job_info_get_priority (info));
  g_autofree char *attempts =
      g_strdup_printf ("%u of %u", job_info_get_attempts (info), job_info_get_max_attempts (info));
  g_autofree char *reason = job_info_dup_reason_text (info);

  print_line ("id", job_info_get_id (info));
  print_line ("state", job_state_to_string (job_info_get_state (info)));
  print_line ("reason", reason);
  print_line ("type", job_info_get_job_type (info));
  print_line ("channel", job_info_get_channel (info));
  print_line ("priority", priority);
  print_line ("attempts", attempts);
  print_time ("queued at", job_info_get_queued_at (info));
  print_time ("run at", job_info_get_run_at (info));
  print_time ("started at", job_info_get_started_at (info));
  print_time ("finished at", job_info_get_finished_at (info));
  print_edges (info);
  print_line ("args", job_info_get_args (info));
  print_line ("result", job_info_get_result (info));
  print_line ("error", job_info_get_error (info));
}

void
jobctl_print_info (Jobctl *ctl, JobInfo *info)
{
  g_autofree char *json = NULL;

  if (!ctl->json)
    {
      print_block (info);
      return;
    }
  json = job_info_to_json (info);
  printf ("%s\n", json);
}
