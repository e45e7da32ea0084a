/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Which calls are seen, which of them fails, and how often each came. The functions themselves are
 * in shim-calls.c, the recording in shim-record.c. */

#include "shim.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define MAX_FDS 1024

gboolean shim_active;

/* All of it is guarded by the lock, once the shim has begun. */
static pthread_mutex_t lock = PTHREAD_RECURSIVE_MUTEX_INITIALIZER_NP;
static char *root;
static const char *fds[MAX_FDS];
static GArray *counts;      /* of ShimCount */
static GHashTable *indexes; /* call and path to the index in counts + 1 */
static ShimFault armed;
static gboolean is_armed, met, full, starved, dead;
static const char *stricken; /* the path of a fault that lasts; or NULL */

static const char *const names[SHIM_N_CALLS] = {
  [SHIM_OPEN] = "open",
  [SHIM_CREATE] = "create",
  [SHIM_CLOSE] = "close",
  [SHIM_READ] = "read",
  [SHIM_WRITE] = "write",
  [SHIM_SYNC] = "fsync",
  [SHIM_SYNC_DATA] = "fdatasync",
  [SHIM_SYNC_ALL] = "syncfs",
  [SHIM_SYNC_RANGE] = "sync_file_range",
  [SHIM_TRUNCATE] = "ftruncate",
  [SHIM_ALLOCATE] = "fallocate",
  [SHIM_RENAME] = "rename",
  [SHIM_LINK] = "link",
  [SHIM_UNLINK] = "unlink",
  [SHIM_MAKE_FOLDER] = "mkdir",
  [SHIM_REMOVE_FOLDER] = "rmdir",
  [SHIM_STAT] = "stat",
  [SHIM_ACCESS] = "access",
  [SHIM_CHANGE_MODE] = "chmod",
  [SHIM_LOCK] = "lock",
  [SHIM_LIST] = "readdir",
  [SHIM_DUPLICATE] = "dup",
};

const char *
shim_call_name (ShimCall call)
{
  return names[call];
}

/* --- what can happen -------------------------------------------------------------------------- */

/* The room is taken from the disk, or from the quota. */
static gboolean
takes_room (ShimCall call)
{
  return call == SHIM_CREATE || call == SHIM_WRITE || call == SHIM_ALLOCATE ||
         call == SHIM_RENAME || call == SHIM_LINK || call == SHIM_MAKE_FOLDER;
}

static gboolean
takes_descriptor (ShimCall call)
{
  return call == SHIM_OPEN || call == SHIM_CREATE || call == SHIM_DUPLICATE;
}

/* What was written before may need its room only then. */
static gboolean
writes_back (ShimCall call)
{
  return call == SHIM_SYNC || call == SHIM_SYNC_DATA || call == SHIM_SYNC_ALL ||
         call == SHIM_SYNC_RANGE || call == SHIM_CLOSE;
}

gboolean
shim_call_can_fail (ShimCall call, int error)
{
  switch (error)
    {
    case EIO:
      return call != SHIM_DUPLICATE && call != SHIM_LOCK;
    case ENOSPC:
    case EDQUOT:
      return takes_room (call) || writes_back (call);
    case EMFILE:
      return takes_descriptor (call);
    case EINTR:
      return call == SHIM_OPEN || call == SHIM_CREATE || call == SHIM_CLOSE || call == SHIM_READ ||
             call == SHIM_WRITE || call == SHIM_SYNC || call == SHIM_SYNC_DATA ||
             call == SHIM_TRUNCATE || call == SHIM_ALLOCATE || call == SHIM_LOCK;
    case 0:
      return call == SHIM_WRITE;
    default:
      return FALSE;
    }
}

static const char *
error_name (int error)
{
  switch (error)
    {
    case EIO:
      return "EIO";
    case ENOSPC:
      return "ENOSPC";
    case EDQUOT:
      return "EDQUOT";
    case EMFILE:
      return "EMFILE";
    case EINTR:
      return "EINTR";
    default:
      return "one half done";
    }
}

char *
shim_fault_describe (const ShimFault *fault)
{
  static const char *const spans[] = { "once", "from then on", "as every call after it" };

  return g_strdup_printf ("%s number %u of “%s” ends with %s, %s", names[fault->at.call],
                          fault->at.count, fault->at.path, error_name (fault->error),
                          spans[fault->span]);
}

/* --- files ------------------------------------------------------------------------------------ */

void
shim_begin (const char *folder)
{
  root = realpath (folder, NULL);
  if (root == NULL)
    g_error ("%s: %s", folder, g_strerror (errno));
  counts = g_array_new (FALSE, FALSE, sizeof (ShimCount));
  indexes = g_hash_table_new (NULL, NULL);
  shim_active = TRUE;
}

static const char *
join (const char *folder, const char *name)
{
  g_autofree char *path = NULL;

  if (folder == NULL || g_str_equal (name, ".") || *name == '\0')
    return folder;
  path = *folder ? g_build_filename (folder, name, NULL) : g_strdup (name);
  return g_intern_string (path);
}

const char *
shim_find_path (int folder_fd, const char *path)
{
  gsize length;

  if (!shim_active)
    return NULL;
  if (*path != '/')
    return folder_fd == AT_FDCWD ? NULL : join (shim_find_fd (folder_fd), path);
  length = strlen (root);
  if (strncmp (path, root, length) != 0 || (path[length] != '/' && path[length] != '\0'))
    return NULL;
  return g_intern_string (path[length] == '/' ? path + length + 1 : "");
}

const char *
shim_find_fd (int fd)
{
  const char *path;

  if (!shim_active || fd < 0 || fd >= MAX_FDS)
    return NULL;
  pthread_mutex_lock (&lock);
  path = fds[fd];
  pthread_mutex_unlock (&lock);
  return path;
}

void
shim_set_fd (int fd, const char *path)
{
  if (fd >= MAX_FDS)
    g_error ("Descriptor %d is one too many for the shim", fd);
  pthread_mutex_lock (&lock);
  fds[fd] = path;
  pthread_mutex_unlock (&lock);
}

guint
shim_count_open (void)
{
  guint n = 0;

  for (guint i = 0; i < MAX_FDS; i++)
    if (fds[i] != NULL)
      {
        n++;
        g_message ("Descriptor %u of “%s” is open", i, fds[i]);
      }
  return n;
}

/* Some names are drawn at random: they count as one. */
static const char *
blur (const char *path)
{
  const char *random = strstr (path, ".json-");
  g_autofree char *blurred = NULL;

  if (random == NULL || !g_str_has_suffix (path, ".tmp"))
    return path;
  blurred = g_strdup_printf ("%.*s.json-*.tmp", (int) (random - path), path);
  return g_intern_string (blurred);
}

/* --- counting --------------------------------------------------------------------------------- */

static ShimCount *
count (ShimCall call, const char *path)
{
  gpointer key = GSIZE_TO_POINTER (GPOINTER_TO_SIZE (path) * SHIM_N_CALLS + call);
  guint index = GPOINTER_TO_UINT (g_hash_table_lookup (indexes, key));
  ShimCount *found;

  if (index == 0)
    {
      ShimCount first = { .call = call };

      g_strlcpy (first.path, path, sizeof first.path);
      g_array_append_val (counts, first);
      index = counts->len;
      g_hash_table_insert (indexes, key, GUINT_TO_POINTER (index));
    }
  found = &g_array_index (counts, ShimCount, index - 1);
  found->count++;
  return found;
}

const ShimCount *
shim_get_counts (guint *n)
{
  *n = counts->len;
  return (const ShimCount *) counts->data;
}

/* --- faults ----------------------------------------------------------------------------------- */

void
shim_arm (const ShimFault *fault)
{
  pthread_mutex_lock (&lock);
  armed = *fault;
  is_armed = TRUE;
  pthread_mutex_unlock (&lock);
}

void
shim_disarm (void)
{
  pthread_mutex_lock (&lock);
  is_armed = full = starved = dead = FALSE;
  stricken = NULL;
  pthread_mutex_unlock (&lock);
}

gboolean
shim_has_met (void)
{
  return met;
}

static gboolean
is_stricken (ShimCall call, const char *path)
{
  return (dead && call != SHIM_CLOSE) || (full && takes_room (call)) ||
         (starved && takes_descriptor (call)) || (stricken == path && call == armed.at.call);
}

/* What lasts, begins. */
static void
strike (const char *path)
{
  met = TRUE;
  dead = armed.span == SHIM_DEAD;
  if (armed.span != SHIM_LASTING)
    return;
  full = (armed.error == ENOSPC || armed.error == EDQUOT || armed.error == 0) &&
         takes_room (armed.at.call);
  starved = armed.error == EMFILE;
  if (!full && !starved)
    stricken = path;
}

static ShimFate
judge (const ShimCount *now, const char *path, int *error)
{
  *error = armed.error != 0 ? armed.error : ENOSPC;
  if (!is_armed)
    return SHIM_PASS;
  if (is_stricken (now->call, path))
    return SHIM_FAIL;
  if (met || now->call != armed.at.call || now->count != armed.at.count ||
      !g_str_equal (now->path, armed.at.path))
    return SHIM_PASS;
  strike (path);
  if (armed.error == 0)
    return SHIM_HALF;
  return now->call == SHIM_WRITE && armed.error == EIO ? SHIM_TORN : SHIM_FAIL;
}

ShimFate
shim_enter (ShimCall call, const char *path, int *error)
{
  ShimFate fate;

  pthread_mutex_lock (&lock);
  path = blur (path);
  fate = judge (count (call, path), path, error);
  if (!shim_is_recording ())
    pthread_mutex_unlock (&lock);
  return fate;
}

void
shim_leave (void)
{
  int saved_errno = errno;

  if (shim_is_recording ())
    pthread_mutex_unlock (&lock);
  errno = saved_errno;
}
