/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Ids and tokens.
 *
 * An id is a UUID of version 7 (RFC 9562, 5.7):
 *
 *   bytes 0-5    milliseconds since 1970, big-endian
 *   bytes 6-7    the version, 7, in 4 bits; then 12 bits of sequence
 *   bytes 8-15   the variant, 2, in 2 bits; then 62 random bits
 *
 * The 12 bits hold the fraction of the millisecond in steps of 1/4096 (RFC 9562, 6.2, method 3).
 * Milliseconds and fraction are taken as one number of 60 bits, which always rises: it is the
 * clock's, or the last one + 1, whichever is greater (method 1). So the first eight bytes of the
 * ids of one process rise strictly, from whatever thread, however fast they are made and wherever
 * the clock goes; ids made faster than one in 244 ns, or after the clock was set back, run ahead of
 * it.
 *
 * A token is a UUID of version 4, with 122 random bits.
 *
 * Random bytes come from getrandom(2), a buffer at a time, since a system call for each id would
 * cost ten times as much as all the rest. Bytes are wiped from the buffer when they are taken, and
 * the whole buffer in a forked child, so that no two processes ever share one. */

#include "job-id.h"

#include "job-error.h"

#include <errno.h>
#include <pthread.h>
#include <string.h>
#include <sys/random.h>
#include <uuid.h>

#define NANOSECONDS_PER_MILLISECOND G_GINT64_CONSTANT (1000000)
#define POOL_SIZE 4096
#define SHOWN_BYTES 48 /* how much of a malformed id an error repeats */

static GMutex lock;
static guint8 pool[POOL_SIZE];      /* lock; random bytes from pool_used on, zeros before */
static gsize pool_used = POOL_SIZE; /* lock */
static guint64 last_sequence;       /* lock; the 60 bits of the last id */
static GOnce fork_once = G_ONCE_INIT;

static void
before_fork (void)
{
  g_mutex_lock (&lock);
}

static void
after_fork_in_parent (void)
{
  g_mutex_unlock (&lock);
}

static void
after_fork_in_child (void)
{
  explicit_bzero (pool, sizeof pool);
  pool_used = POOL_SIZE;
  g_mutex_unlock (&lock);
}

static gpointer
watch_forks (gpointer data)
{
  if (pthread_atfork (before_fork, after_fork_in_parent, after_fork_in_child) != 0)
    g_error ("No memory to register a fork handler");
  return NULL;
}

/* Without random bytes there can be no token that is safe to hand out: nothing to go on with. */
static void
fill_pool_locked (void)
{
  gsize n = 0;

  while (n < sizeof pool)
    {
      gssize got = getrandom (pool + n, sizeof pool - n, 0);

      if (got >= 0)
        n += got;
      else if (errno != EINTR)
        g_error ("The kernel gives no random bytes for ids and tokens: getrandom: %s; "
                 "allow this system call, or run a kernel that has it (Linux 3.17)",
                 g_strerror (errno));
    }
  pool_used = 0;
}

/* What is left at the end of the pool and is too short for @size is dropped. */
static void
take_random_locked (guint8 *bytes, gsize size)
{
  if (G_UNLIKELY (pool_used + size > sizeof pool))
    fill_pool_locked ();
  memcpy (bytes, pool + pool_used, size);
  explicit_bzero (pool + pool_used, size);
  pool_used += size;
}

static guint64
next_sequence_locked (gint64 wall_time_ns)
{
  gint64 now = MAX (wall_time_ns, 0);
  guint64 milliseconds = now / NANOSECONDS_PER_MILLISECOND;
  guint64 fraction = (now % NANOSECONDS_PER_MILLISECOND) * 4096 / NANOSECONDS_PER_MILLISECOND;

  last_sequence = MAX (milliseconds << 12 | fraction, last_sequence + 1);
  return last_sequence;
}

static void
set_version_and_variant (JobId *id, guint8 version)
{
  id->bytes[6] = (id->bytes[6] & 0x0f) | version << 4;
  id->bytes[8] = (id->bytes[8] & 0x3f) | 0x80;
}

void
job_id_new (JobId *id, gint64 wall_time_ns)
{
  guint64 sequence, head;

  g_once (&fork_once, watch_forks, NULL);
  g_mutex_lock (&lock);
  sequence = next_sequence_locked (wall_time_ns);
  take_random_locked (id->bytes + 8, 8);
  g_mutex_unlock (&lock);

  head = GUINT64_TO_BE ((sequence >> 12) << 16 | (sequence & 0xfff));
  memcpy (id->bytes, &head, sizeof head);
  set_version_and_variant (id, 7);
}

void
job_id_new_token (JobId *token)
{
  g_once (&fork_once, watch_forks, NULL);
  g_mutex_lock (&lock);
  take_random_locked (token->bytes, sizeof token->bytes);
  g_mutex_unlock (&lock);
  set_version_and_variant (token, 4);
}

/* What an error says of a malformed text. A token is never repeated: messages end up in logs. */
static char *
describe_malformed (const char *text, const char *what)
{
  g_autofree char *cut = NULL;
  g_autofree char *escaped = NULL;

  if (text == NULL)
    return g_strdup ("is missing");
  if (g_strcmp0 (what, "token") == 0)
    return g_strdup ("is malformed");
  cut = g_strndup (text, SHOWN_BYTES);
  escaped = g_strescape (cut, NULL);
  return g_strdup_printf ("'%s%s' is malformed", escaped,
                          strnlen (text, SHOWN_BYTES + 1) > SHOWN_BYTES ? "…" : "");
}

gboolean
job_id_parse (const char *text, const char *what, JobId *id, GError **error)
{
  g_autofree char *description = NULL;

  if (text != NULL && strnlen (text, JOB_ID_TEXT_SIZE) == JOB_ID_TEXT_SIZE - 1 &&
      uuid_parse (text, id->bytes) == 0)
    return TRUE;

  description = describe_malformed (text, what);
  g_set_error (error, JOB_ERROR, JOB_ERROR_INVALID,
               "The %s %s: expected a UUID of 32 hexadecimal digits with hyphens, such as "
               "01890a5d-ac96-774b-bcce-b302099a8057",
               what, description);
  return FALSE;
}

void
job_id_to_text (const JobId *id, char text[JOB_ID_TEXT_SIZE])
{
  uuid_unparse_lower (id->bytes, text);
}

char *
job_id_dup_text (const JobId *id)
{
  char *text = g_malloc (JOB_ID_TEXT_SIZE);

  job_id_to_text (id, text);
  return text;
}

int
job_id_compare (const JobId *a, const JobId *b)
{
  return uuid_compare (a->bytes, b->bytes);
}

gboolean
job_id_equal_secret (const JobId *a, const JobId *b)
{
  volatile guint8 difference = 0;

  for (gsize i = 0; i < sizeof a->bytes; i++)
    difference |= a->bytes[i] ^ b->bytes[i];
  return difference == 0;
}

gboolean
job_id_is_nil (const JobId *id)
{
  return uuid_is_null (id->bytes);
}

/* The tail is random in ids of ours. The head joins in for the sake of ids that an application
 * chose: in those of version 1, the tail is the same all over a machine. */
guint
job_id_hash (gconstpointer id)
{
  guint64 head, tail;

  memcpy (&head, ((const JobId *) id)->bytes, sizeof head);
  memcpy (&tail, ((const JobId *) id)->bytes + sizeof head, sizeof tail);
  tail ^= head * G_GUINT64_CONSTANT (0x9e3779b97f4a7c15);
  return (guint) (tail ^ tail >> 32);
}

gboolean
job_id_equal (gconstpointer a, gconstpointer b)
{
  return memcmp (a, b, sizeof (JobId)) == 0;
}
