/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What the commands of jobctl share: the options that all of them have, the exit codes, and how
 * things are printed. */

#pragma once

#include <jobqueue-backend.h>

G_BEGIN_DECLS

/* Exit codes; docs/jobctl.md tells what they mean. A run that a signal ended gives 128 + its
 * number.
 */
typedef enum
{
  JOBCTL_EXIT_DONE = 0,
  JOBCTL_EXIT_JOB = 1, /* a job failed or was cancelled, or its state does not allow this */
  JOBCTL_EXIT_USAGE = 2,
  JOBCTL_EXIT_NOT_FOUND = 3,
  JOBCTL_EXIT_LOCKED = 4,
  JOBCTL_EXIT_STORAGE = 5,
  JOBCTL_EXIT_LEFT = 6, /* jobs are left that nobody here can run */
  JOBCTL_EXIT_TIMED_OUT = 124,
} JobctlExit;

typedef struct
{
  char *config;    /* --config */
  char *store;     /* --store */
  gboolean json;   /* --json */
  JobQueue *queue; /* what jobctl_open() opened; main() closes it */
} Jobctl;

/* A command gets its own arguments, argv[0] being its name. When it sets @error, main() prints it
 * and chooses the exit code by it; otherwise the command's own code counts. */
typedef int (*JobctlFunc) (Jobctl *ctl, int argc, char **argv, GError **error);

/* jobctl.c */

/* What --help says of a command, and how many arguments it takes. */
typedef struct
{
  const char *parameters;
  const char *summary;
  const char *description;
  guint n_min;
  guint n_max;
} JobctlUsage;

/* Parses the options of a command; returns its other arguments, or NULL with an error. */
char **jobctl_parse (Jobctl *ctl, const JobctlUsage *usage, const GOptionEntry *entries, int argc,
                     char **argv, GError **error);
/* The queue that --config or --store names, or the default one; owned by @ctl. */
JobQueue *jobctl_open (Jobctl *ctl, GError **error);
/* Says on standard error what went wrong. */
void jobctl_print_error (const GError *error);
/* An error about how jobctl was called. */
void jobctl_set_usage_error (GError **error, const char *format, ...) G_GNUC_PRINTF (2, 3);
/* @seconds as the library's µs. */
gboolean jobctl_parse_seconds (double seconds, const char *option, gint64 *microseconds,
                               GError **error);
/* All of a file, or of standard input for "-". */
char *jobctl_read_text (const char *path, gsize *length, GError **error);

/* jobctl-place.c */

/* The queue in the place that is used when none is named. */
JobQueue *jobctl_open_default (GError **error);

/* jobctl-print.c */

typedef struct _JobctlTable JobctlTable;

/* One column for each letter of @alignment: l or r. @titles has as many. */
JobctlTable *jobctl_table_new (const char *alignment, const char *const *titles);
void jobctl_table_free (JobctlTable *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (JobctlTable, jobctl_table_free)
/* As many cells as there are columns; they are copied, and made fit for a terminal. */
void jobctl_table_add (JobctlTable *self, const char *const *cells);
void jobctl_table_print (JobctlTable *self, FILE *stream);

/* Valid UTF-8 without control characters, on one line; at most @max characters (0: any number). */
char *jobctl_dup_printable (const char *text, guint max);
/* A wall-clock time for a table, to the second; "" for 0. */
char *jobctl_dup_time (gint64 nanoseconds);
/* A list of JobInfo as a JSON array. */
void jobctl_print_infos_json (GListModel *infos);
/* All of one job: a block of lines, or its JSON with --json. */
void jobctl_print_info (Jobctl *ctl, JobInfo *info);

/* The commands, one file each family */

int jobctl_add (Jobctl *ctl, int argc, char **argv, GError **error);
int jobctl_cancel (Jobctl *ctl, int argc, char **argv, GError **error);
int jobctl_check (Jobctl *ctl, int argc, char **argv, GError **error);
int jobctl_leases (Jobctl *ctl, int argc, char **argv, GError **error);
int jobctl_list (Jobctl *ctl, int argc, char **argv, GError **error);
int jobctl_release (Jobctl *ctl, int argc, char **argv, GError **error);
int jobctl_run (Jobctl *ctl, int argc, char **argv, GError **error);
int jobctl_show (Jobctl *ctl, int argc, char **argv, GError **error);
int jobctl_wait (Jobctl *ctl, int argc, char **argv, GError **error);
int jobctl_work (Jobctl *ctl, int argc, char **argv, GError **error);

G_END_DECLS
