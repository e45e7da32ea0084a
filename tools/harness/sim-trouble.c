/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What goes wrong in a simulation, and when: each call that comes to the disk or to the store is a
 * step, and a trouble comes with a step. Who is dead sees nothing but errors, and changes nothing;
 * what a power cut leaves is decided when the next process begins. */

#include "sim-disk-inside.h"

#include "sim-fiber.h"
#include "sim-store.h"

#include <errno.h>
#include <stdarg.h>
#include <string.h>

static struct
{
  SimTrouble trouble;
  gboolean dead;
  gboolean dies; /* at the end of this step */
  gboolean cut;  /* it died of a power cut */
  guint64 n_errors;
  guint64 n_faults;
  guint64 n_crashes;
  char *complaint;
} state;

void
sim_disk_trouble (const SimTrouble *trouble)
{
  state.trouble = *trouble;
}

void
sim_disk_calm (void)
{
  state.trouble = (SimTrouble){ 0 };
}

gboolean
sim_disk_is_dead (void)
{
  return state.dead;
}

guint64
sim_disk_count_errors (void)
{
  return state.n_errors;
}

guint64
sim_disk_count_crashes (void)
{
  return state.n_crashes;
}

guint64
sim_disk_count_faults (void)
{
  return state.n_faults;
}

const char *
sim_disk_get_complaint (void)
{
  return state.complaint;
}

void
sim_disk_complain (const char *format, ...)
{
  va_list args;

  if (state.complaint)
    return;
  va_start (args, format);
  state.complaint = g_strdup_vprintf (format, args);
  va_end (args);
}

static gboolean
applies (SimFault fault, SimCall call)
{
  switch (fault)
    {
    case SIM_ENOSPC:
      return call == SIM_CALL_GROW || call == SIM_CALL_CREATE;
    case SIM_EINTR:
      return call == SIM_CALL_READ || call == SIM_CALL_WRITE || call == SIM_CALL_GROW;
    case SIM_SHORT:
      return call == SIM_CALL_WRITE || call == SIM_CALL_GROW;
    case SIM_EIO:
    default:
      return TRUE;
    }
}

static int
take_fault (SimCall call, gboolean *short_write)
{
  SimTrouble *trouble = &state.trouble;

  if (trouble->fault_in == 0 || (trouble->fault_in > 1 && --trouble->fault_in > 0) ||
      !applies (trouble->fault, call))
    return 0;
  if (--trouble->fault_length == 0)
    trouble->fault_in = 0;
  state.n_faults++;
  if (trouble->fault == SIM_SHORT && short_write)
    *short_write = TRUE;
  if (trouble->fault == SIM_SHORT)
    return 0;
  state.n_errors += trouble->fault != SIM_EINTR;
  return trouble->fault == SIM_EIO ? EIO : trouble->fault == SIM_ENOSPC ? ENOSPC : EINTR;
}

int
sim_step_begin (SimCall call, gboolean *short_write)
{
  int error;

  sim_pass ();
  if (state.dead)
    return EIO;
  if (state.trouble.crash_in > 0 && --state.trouble.crash_in == 0)
    {
      if (sim_chance (2))
        {
          sim_disk_kill (state.trouble.power);
          return EIO;
        }
      state.dies = TRUE;
    }
  error = take_fault (call, short_write);
  if (error)
    sim_step_end ();
  return error;
}

void
sim_step_end (void)
{
  if (state.dies)
    sim_disk_kill (state.trouble.power);
}

void
sim_disk_kill (gboolean power)
{
  state.dies = FALSE;
  if (state.dead)
    return;
  state.dead = TRUE;
  state.cut = power;
  state.n_crashes++;
}

/* Nothing has changed since the death, but the dead may have been looking at it still. */
void
sim_disk_revive (void)
{
  if (!state.dead)
    return;
  if (state.cut)
    {
      sim_disk_cut_power ();
      sim_store_cut_power ();
    }
  state.dead = state.dies = FALSE;
  sim_calls_reset ();
}

void
sim_trouble_reset (void)
{
  g_free (state.complaint);
  memset (&state, 0, sizeof state);
}
