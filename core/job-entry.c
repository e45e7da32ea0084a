/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "job-entry-private.h"

JobEntryMore *
job_entry_get_more (JobEntry *self)
{
  if (self->more == NULL)
    self->more = g_slice_new0 (JobEntryMore);
  return self->more;
}

void
job_entry_drop_more (JobEntry *self)
{
  JobEntryMore *more = g_steal_pointer (&self->more);

  if (more == NULL)
    return;
  if (more->lease)
    g_slice_free (JobEntryLease, more->lease);
  g_free (more->dependencies);
  g_free (more->error);
  g_free (more->damaged);
  g_slice_free (JobEntryMore, more);
}

void
job_entry_trim (JobEntry *self)
{
  const JobEntryMore *more = job_entry_peek (self);

  if (more->run_at == 0 && !more->dependents && !more->dependencies && !more->lease &&
      !more->error && !more->damaged && more->n_waits == 0 && more->attempts == 0)
    job_entry_drop_more (self);
}
