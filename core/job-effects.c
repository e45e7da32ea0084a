/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "job-effects-private.h"

void
job_effects_init (JobEffects *self)
{
  self->changes = g_array_new (FALSE, FALSE, sizeof (JobChange));
  g_array_set_clear_func (self->changes, (GDestroyNotify) job_change_clear);
  self->claims = g_array_new (FALSE, FALSE, sizeof (JobClaim));
  self->ends = g_array_new (FALSE, FALSE, sizeof (JobEnd));
  self->finals = g_array_new (FALSE, FALSE, sizeof (JobId));
}

void
job_effects_empty (JobEffects *self)
{
  g_array_set_size (self->changes, 0);
  g_array_set_size (self->claims, 0);
  g_array_set_size (self->ends, 0);
  g_array_set_size (self->finals, 0);
}

void
job_effects_clear (JobEffects *self)
{
  g_clear_pointer (&self->changes, g_array_unref);
  g_clear_pointer (&self->claims, g_array_unref);
  g_clear_pointer (&self->ends, g_array_unref);
  g_clear_pointer (&self->finals, g_array_unref);
}
