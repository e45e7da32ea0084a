/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A job to be enqueued, for a queue and for the model. */

#include "model.h"

void
model_spec_init (ModelSpec *self, const char *type, const char *args)
{
  *self = (ModelSpec){ .real = job_spec_new (type, args) };
}

void
model_spec_clear (ModelSpec *self)
{
  g_clear_object (&self->real);
}

void
model_spec_add_dependency (ModelSpec *self, const char *id, JobCondition condition)
{
  g_assert (self->n_dependencies < MODEL_MAX_DEPENDENCIES);

  job_spec_add_dependency (self->real, id, condition);
  self->conditions[self->n_dependencies++] = condition;
}
