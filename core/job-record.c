/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Jobs as they are kept, in memory. Their binary form is in job-change.c. */

#include "job-record-private.h"

#include <string.h>

static char *
pack_slice (char **at, const JobSlice *slice)
{
  char *text = *at;

  memcpy (text, slice->at, slice->length);
  text[slice->length] = '\0';
  *at += slice->length + 1;
  return text;
}

JobRecord *
job_record_new_from_slices (guint n_dependencies, const JobSlice texts[3])
{
  gsize head = sizeof (JobRecord) + n_dependencies * sizeof (JobDependency);
  gsize size = head + (texts ? texts[0].length + texts[1].length + texts[2].length + 3 : 0);
  JobRecord *self = g_malloc (size);
  char *at = (char *) self + head;

  g_assert (size <= G_MAXUINT);
  memset (self, 0, head);
  g_atomic_ref_count_init (&self->ref_count);
  self->size = size;
  self->n_dependencies = n_dependencies;
  self->dependencies = n_dependencies > 0 ? (JobDependency *) (self + 1) : NULL;
  if (texts == NULL)
    return self;
  self->type = pack_slice (&at, &texts[0]);
  self->channel = pack_slice (&at, &texts[1]);
  self->args = pack_slice (&at, &texts[2]);
  return self;
}

JobRecord *
job_record_new (guint n_dependencies)
{
  return job_record_new_from_slices (n_dependencies, NULL);
}

JobRecord *
job_record_new_with (guint n_dependencies, const char *type, const char *channel, const char *args,
                     gsize args_length)
{
  const JobSlice texts[] = { { type, strlen (type) },
                             { channel, strlen (channel) },
                             { args, args_length } };

  return job_record_new_from_slices (n_dependencies, texts);
}

JobRecord *
job_record_ref (JobRecord *self)
{
  g_atomic_ref_count_inc (&self->ref_count);
  return self;
}

/* What somebody else put there is a piece of its own. */
static void
free_part (JobRecord *self, gpointer part)
{
  if ((char *) part < (char *) self || (char *) part >= (char *) self + self->size)
    g_free (part);
}

void
job_record_unref (JobRecord *self)
{
  if (!g_atomic_ref_count_dec (&self->ref_count))
    return;
  free_part (self, self->dependencies);
  free_part (self, self->type);
  free_part (self, self->channel);
  free_part (self, self->args);
  g_free (self);
}

void
job_status_clear (JobStatus *self)
{
  g_free (self->outcome);
  memset (self, 0, sizeof *self);
}

void
job_status_copy (const JobStatus *self, JobStatus *copy)
{
  *copy = *self;
  copy->outcome = g_strdup (self->outcome);
}
