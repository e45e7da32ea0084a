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

static gboolean
is_in_queue (SimWorld *self, Model *model, GString *differences)
{
  g_autofree char *difference = NULL;

  sim_world_see_time (model);
  if (model_check (model, self->queue, &difference))
    return TRUE;
  g_string_append_printf (differences, "%s%s", differences->len > 0 ? "; or: " : "", difference);
  return FALSE;
}

static gboolean
choose_other (SimWorld *self, GPtrArray *others, GString *differences)
{
  for (guint i = 0; others && i < others->len; i++)
    if (is_in_queue (self, g_ptr_array_index (others, i), differences))
      {
        model_free (self->model);
        self->model = g_ptr_array_steal_index (others, i);
        return TRUE;
      }
  return FALSE;
}

void
sim_world_choose (SimWorld *self, GPtrArray *others)
{
  g_autoptr (GString) differences = g_string_new (NULL);

  sim_disk_calm ();
  if (is_in_queue (self, self->model, differences))
    return;
  if (choose_other (self, others, differences))
    sim_world_note (self, "     more had happened\n");
  else
    sim_world_violate (self, "%s", differences->str);
}

static void
follow_reopening (Model *model)
{
  sim_world_see_time (model);
  model_reopen (model);
}

void
sim_world_reopen (SimWorld *self, const SimOp *op, GPtrArray *others)
{
  const SimTrouble none = { 0 };

  sim_world_drop (self);
  sim_world_open (self, &op->opening);
  if (self->outcome->violation)
    return;
  follow_reopening (self->model);
  for (guint i = 0; others && i < others->len; i++)
    follow_reopening (g_ptr_array_index (others, i));
  sim_world_choose (self, others);
  if (self->outcome->violation || !sim_chance (4))
    return;

  /* Once more: it is the same. */
  sim_disk_kill (sim_chance (2));
  sim_world_drop (self);
  sim_world_open (self, &none);
  if (self->outcome->violation == NULL)
    {
      follow_reopening (self->model);
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
