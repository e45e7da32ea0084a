/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The ends of a queue, and its beginnings: it is closed, or dies, and is opened again, and then has
 * to be like the model. In its opening it may die, too, more than once. */

#include "sim-case-inside.h"

#include "job-error.h"
#include "sim-fiber.h"
#include "sim-store.h"
#include "sim-wait.h"

#define MAX_OPENINGS 4 /* after so many that failed or died, nothing is in the way any more */

void
sim_world_violate (SimWorld *self, const char *format, ...)
{
  va_list args;

  if (self->outcome->violation)
    return;
  va_start (args, format);
  self->outcome->violation = g_strdup_vprintf (format, args);
  va_end (args);
}

void
sim_world_check (SimWorld *self, char *difference)
{
  if (difference)
    sim_world_violate (self, "%s", difference);
  g_free (difference);
}

void
sim_world_note (SimWorld *self, const char *format, ...)
{
  va_list args;

  if (self->outcome->trace == NULL)
    return;
  va_start (args, format);
  g_string_append_vprintf (self->outcome->trace, format, args);
  va_end (args);
}

void
sim_world_see_time (Model *model)
{
  model_set_time (model, sim_get_wall_time (), sim_get_time ());
}

/* --- opening ---------------------------------------------------------------------------------- */

/* Whoever is dead goes without a trace: its threads end, and nothing that they do comes to the
 * disk.
 */
void
sim_world_drop (SimWorld *self)
{
  if (self->queue)
    job_queue_close (self->queue, NULL, NULL);
  g_clear_object (&self->queue);
  if (sim_disk_is_dead ())
    sim_await_others ();
  sim_waits_hear ();
  g_ptr_array_set_size (self->waits, 0);
}

static gboolean
try_open (SimWorld *self, guint attempt)
{
  guint64 errors = sim_disk_count_errors ();
  g_autoptr (GError) error = NULL;

  if (attempt == MAX_OPENINGS)
    sim_disk_calm ();
  self->queue = sim_queue_open (self->plan->checkpoint_size, &error);
  if (self->queue && !sim_disk_is_dead ())
    return TRUE;

  sim_world_note (self, "     the opening %s\n", self->queue ? "was cut off" : error->message);
  sim_world_drop (self);
  if (!sim_disk_is_dead () && sim_disk_count_errors () == errors)
    sim_world_violate (self, "the queue cannot be opened: %s", error->message);
  sim_disk_revive ();
  return FALSE;
}

void
sim_world_open (SimWorld *self, const SimTrouble *trouble)
{
  sim_disk_revive ();
  sim_disk_trouble (trouble);
  for (guint attempt = 0; self->outcome->violation == NULL && !try_open (self, attempt); attempt++)
    ;
}

/* What is in the queue now is the model, or @other (NULL: no other). */
void
sim_world_choose (SimWorld *self, Model *other)
{
  g_autofree char *difference = NULL;
  g_autofree char *other_difference = NULL;

  sim_disk_calm ();
  sim_world_see_time (self->model);
  if (model_check (self->model, self->queue, &difference))
    return;
  if (other)
    sim_world_see_time (other);
  if (other && model_check (other, self->queue, &other_difference))
    {
      Model copy = *self->model;

      *self->model = *other;
      *other = copy;
      sim_world_note (self, "     it had happened\n");
      return;
    }
  sim_world_violate (self, "%s%s%s", difference,
                     other ? "; or, if the operation that was cut off happened: " : "",
                     other ? other_difference : "");
}

/* Opens it again, in whatever way the last one went. @other: how the jobs may stand as well. */
void
sim_world_reopen (SimWorld *self, const SimOp *op, Model *other)
{
  const SimTrouble none = { 0 };

  sim_world_drop (self);
  sim_world_open (self, &op->opening);
  if (self->outcome->violation)
    return;
  sim_world_see_time (self->model);
  model_reopen (self->model);
  if (other)
    {
      sim_world_see_time (other);
      model_reopen (other);
    }
  sim_world_choose (self, other);
  if (self->outcome->violation || !sim_chance (4))
    return;

  /* Once more: it is the same. */
  sim_disk_kill (sim_chance (2));
  sim_world_drop (self);
  sim_world_open (self, &none);
  if (self->outcome->violation == NULL)
    {
      sim_world_see_time (self->model);
      model_reopen (self->model);
      sim_world_choose (self, NULL);
    }
}

gboolean
sim_world_is_closed (SimWorld *self)
{
  SimAct probe = { .verb = SIM_LOOKUP_TOKEN, .token = "00000000-0000-4000-8000-000000000000" };
  SimAnswer answer;
  gboolean closed;

  sim_act_call (&probe, self->queue, &answer);
  closed = answer.error == JOB_ERROR_CLOSED;
  sim_answer_clear (&answer);
  return closed;
}
