/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The file system calls of this process, those on files below one folder, seen from inside: they
 * are counted, one of them can be made to fail, and they can be recorded with their data.
 *
 * The program defines and exports the functions of the C library (shim-calls.c); the library, its
 * modules, SQLite and gdbm bind to them. What goes by no such function is not seen: mappings (a
 * shared one that may be written is an error here) and the C library's own streams.
 *
 * Begun once in a process, before the first file of the folder is opened. */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

typedef enum
{
  SHIM_OPEN,
  SHIM_CREATE, /* an open that may make the file */
  SHIM_CLOSE,
  SHIM_READ,
  SHIM_WRITE,
  SHIM_SYNC,
  SHIM_SYNC_DATA,
  SHIM_SYNC_ALL,
  SHIM_SYNC_RANGE,
  SHIM_TRUNCATE,
  SHIM_ALLOCATE,
  SHIM_RENAME,
  SHIM_LINK,
  SHIM_UNLINK,
  SHIM_MAKE_FOLDER,
  SHIM_REMOVE_FOLDER,
  SHIM_STAT,
  SHIM_ACCESS,
  SHIM_CHANGE_MODE,
  SHIM_LOCK,
  SHIM_LIST,
  SHIM_DUPLICATE,
  SHIM_N_CALLS,
} ShimCall;

const char *shim_call_name (ShimCall call);
/* Whether it can end with that error at all. */
gboolean shim_call_can_fail (ShimCall call, int error);

/* From now on, calls below @folder are seen. */
void shim_begin (const char *folder);
/* How many descriptors of its files are open. */
guint shim_count_open (void);

/* --- counting --------------------------------------------------------------------------------- */

/* One call on one file, however often. Files of random names count as one: "N.json-*.tmp". */
typedef struct
{
  ShimCall call;
  char path[96]; /* below the folder; "" is the folder itself */
  guint count;
} ShimCount;

/* Those seen so far, in the order in which they came first. */
const ShimCount *shim_get_counts (guint *n);

/* --- faults ----------------------------------------------------------------------------------- */

typedef enum
{
  SHIM_ONCE,
  SHIM_LASTING, /* from then on: of the disk's room, every call that takes some; of descriptors,
                   every call that needs one; else, this call on this file */
  SHIM_DEAD,    /* from then on every call on every file fails, but for a close */
} ShimSpan;

/* The @count-th call of the kind on the file. */
typedef struct
{
  ShimCount at;
  int error; /* 0: writes one half only, and says so; lasting: then there is no room any more */
  ShimSpan span;
} ShimFault;

void shim_arm (const ShimFault *fault);
void shim_disarm (void);
/* Whether the call came. */
gboolean shim_has_met (void);
/* "the 3rd write to journal-1 fails once with EIO", to be freed. */
char *shim_fault_describe (const ShimFault *fault);

/* --- recording -------------------------------------------------------------------------------- */

/* What changes files, names or what is durable, in the order in which it was done. */
typedef enum
{
  SHIM_DID_OPEN,        /* path, fd, made */
  SHIM_DID_CLOSE,       /* fd */
  SHIM_DID_DUPLICATE,   /* fd, other */
  SHIM_DID_WRITE,       /* fd, offset, data */
  SHIM_DID_TRUNCATE,    /* fd, offset: the new size */
  SHIM_DID_SYNC,        /* fd */
  SHIM_DID_FAIL_SYNC,   /* fd */
  SHIM_DID_SYNC_ALL,    /* – */
  SHIM_DID_RENAME,      /* path, to */
  SHIM_DID_LINK,        /* path, to */
  SHIM_DID_UNLINK,      /* path */
  SHIM_DID_MAKE_FOLDER, /* path */
  SHIM_DID_NOTE,        /* offset: of shim_note() */
} ShimDeed;

typedef struct
{
  ShimDeed deed;
  gboolean made; /* a new file, or one emptied at its opening */
  int fd;
  int other;
  guint64 offset;
  char *path;   /* owned */
  char *to;     /* owned */
  guint8 *data; /* owned */
  gsize size;
} ShimEvent;

void shim_record (void);
void shim_note (guint64 value);
/* Ends the recording, and writes it to a file, for another process to load. */
gboolean shim_save (const char *path);
/* Of ShimEvent. */
GArray *shim_load (const char *path);

/* --- for the functions ------------------------------------------------------------------------ */

/* What becomes of a call. */
typedef enum
{
  SHIM_PASS,
  SHIM_FAIL, /* errno is set */
  SHIM_HALF, /* half of a write is done, and told */
  SHIM_TORN, /* half of a write is done, and it fails; errno is set after that */
} ShimFate;

extern gboolean shim_active;

/* NULL: not below the folder. The path is below it, and lasts as long as the process. */
const char *shim_find_path (int folder_fd, const char *path);
const char *shim_find_fd (int fd);
void shim_set_fd (int fd, const char *path);

/* Counts it. Each SHIM_ENTER() has its shim_leave(): in between, no other thread makes a call, if
 * calls are recorded, so that they are recorded in their order. */
ShimFate shim_enter (ShimCall call, const char *path, int *error);
void shim_leave (void);
gboolean shim_is_recording (void);
void shim_add_event (ShimEvent event, const void *data);

G_END_DECLS
