/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The disk of a simulation: files in memory below /sim/, with what a power cut would leave of them;
 * and the troubles that come to it and to the store. The linker brings the system calls of the
 * library's objects here (--wrap, in meson.build); those on other files go on to the system. */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

#define SIM_FOLDER "/sim"

typedef enum
{
  SIM_EIO,
  SIM_ENOSPC, /* only where room is needed */
  SIM_EINTR,  /* only where it can be */
  SIM_SHORT,  /* a part of a write is done */
} SimFault;

/* Steps are counted: each call that comes to the disk or the store is one. */
typedef struct
{
  guint crash_in;     /* the world ends at this step; 0: it does not */
  gboolean power;     /* the machine goes, not only the process */
  guint fault_in;     /* faults begin at this step; 0: there are none */
  guint fault_length; /* how many steps fail */
  SimFault fault;
} SimTrouble;

typedef enum
{
  SIM_CALL_OTHER,
  SIM_CALL_READ,
  SIM_CALL_WRITE,
  SIM_CALL_GROW, /* a write that needs room */
  SIM_CALL_CREATE,
} SimCall;

/* An empty disk, with an empty store, and no troubles. */
void sim_disk_reset (void);
void sim_disk_trouble (const SimTrouble *trouble);
/* No troubles from now on. */
void sim_disk_calm (void);
/* Everything that is asked of the disk fails, and changes nothing, since the process is dead. */
gboolean sim_disk_is_dead (void);
/* The process or the machine goes at this moment, if it has not yet. */
void sim_disk_kill (gboolean power);
/* The next process begins. */
void sim_disk_revive (void);
gboolean sim_disk_has_files (void);
/* How many steps failed so far that the caller was told of. */
guint64 sim_disk_count_errors (void);
guint64 sim_disk_count_crashes (void);
guint64 sim_disk_count_faults (void);
/* Something that no crash can explain was seen, in words; or NULL. */
const char *sim_disk_get_complaint (void);
void sim_disk_complain (const char *format, ...) G_GNUC_PRINTF (1, 2);

/* For the calls, and for the store: one step begins. 0, or the errno that it fails with. SIM_SHORT
 * gives *short_write. */
int sim_step_begin (SimCall call, gboolean *short_write);
void sim_step_end (void);

G_END_DECLS
