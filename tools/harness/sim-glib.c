/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What the linker puts in the place of GLib's threads (--wrap, in meson.build), for the library's
 * objects and the harness's: GLib's own calls stay its own. A mutex is 0 or 1, as GLib's own is
 * when nobody waits for it, so that one that lives longer than a simulation stays good.
 *
 * Ids and tokens are drawn from the seed, too. */

#include "sim-fiber.h"

#include "job-id.h"

#include <string.h>

/* The linker makes up these names. */
#pragma GCC diagnostic ignored "-Wmissing-prototypes"

/* --- locks ------------------------------------------------------------------------------------ */

void __real_g_mutex_lock (GMutex *mutex);
void __real_g_mutex_unlock (GMutex *mutex);
gboolean __real_g_mutex_trylock (GMutex *mutex);
void __real_g_cond_wait (GCond *cond, GMutex *mutex);
gboolean __real_g_cond_wait_until (GCond *cond, GMutex *mutex, gint64 end_time);
void __real_g_cond_signal (GCond *cond);
void __real_g_cond_broadcast (GCond *cond);

static void
lock (GMutex *mutex)
{
  while (mutex->i[0] != 0)
    sim_block (mutex, -1);
  mutex->i[0] = 1;
}

static void
unlock (GMutex *mutex)
{
  g_assert (mutex->i[0] == 1);
  mutex->i[0] = 0;
  sim_wake_all (mutex);
}

void
__wrap_g_mutex_lock (GMutex *mutex)
{
  if (!sim_is_running ())
    {
      __real_g_mutex_lock (mutex);
      return;
    }
  sim_pass ();
  lock (mutex);
}

void
__wrap_g_mutex_unlock (GMutex *mutex)
{
  if (sim_is_running ())
    unlock (mutex);
  else
    __real_g_mutex_unlock (mutex);
}

gboolean
__wrap_g_mutex_trylock (GMutex *mutex)
{
  if (!sim_is_running ())
    return __real_g_mutex_trylock (mutex);
  if (mutex->i[0] != 0)
    return FALSE;
  mutex->i[0] = 1;
  return TRUE;
}

static gboolean
wait_until (GCond *cond, GMutex *mutex, gint64 end_time)
{
  gboolean told;

  unlock (mutex);
  told = sim_block (cond, end_time);
  lock (mutex);
  return told;
}

void
__wrap_g_cond_wait (GCond *cond, GMutex *mutex)
{
  if (sim_is_running ())
    wait_until (cond, mutex, -1);
  else
    __real_g_cond_wait (cond, mutex);
}

gboolean
__wrap_g_cond_wait_until (GCond *cond, GMutex *mutex, gint64 end_time)
{
  return sim_is_running () ? wait_until (cond, mutex, end_time)
                           : __real_g_cond_wait_until (cond, mutex, end_time);
}

void
__wrap_g_cond_signal (GCond *cond)
{
  if (sim_is_running ())
    sim_wake_one (cond);
  else
    __real_g_cond_signal (cond);
}

void
__wrap_g_cond_broadcast (GCond *cond)
{
  if (sim_is_running ())
    sim_wake_all (cond);
  else
    __real_g_cond_broadcast (cond);
}

/* --- threads ---------------------------------------------------------------------------------- */

GThread *__real_g_thread_new (const char *name, GThreadFunc func, gpointer data);
gpointer __real_g_thread_join (GThread *thread);
void __real_g_thread_unref (GThread *thread);
GThread *__real_g_thread_self (void);
gpointer __real_g_private_get (GPrivate *key);
void __real_g_private_set (GPrivate *key, gpointer value);
void __real_g_private_replace (GPrivate *key, gpointer value);
gint64 __real_g_get_monotonic_time (void);

GThread *
__wrap_g_thread_new (const char *name, GThreadFunc func, gpointer data)
{
  return sim_is_running () ? (GThread *) sim_fiber_new (func, data)
                           : __real_g_thread_new (name, func, data);
}

gpointer
__wrap_g_thread_join (GThread *thread)
{
  return sim_is_running () ? sim_fiber_join ((SimFiber *) thread) : __real_g_thread_join (thread);
}

void
__wrap_g_thread_unref (GThread *thread)
{
  if (sim_is_running ())
    sim_fiber_drop ((SimFiber *) thread);
  else
    __real_g_thread_unref (thread);
}

GThread *
__wrap_g_thread_self (void)
{
  return sim_is_running () ? (GThread *) sim_fiber_self () : __real_g_thread_self ();
}

gpointer
__wrap_g_private_get (GPrivate *key)
{
  return sim_is_running () ? *sim_fiber_get_private (key) : __real_g_private_get (key);
}

void
__wrap_g_private_set (GPrivate *key, gpointer value)
{
  if (sim_is_running ())
    *sim_fiber_get_private (key) = value;
  else
    __real_g_private_set (key, value);
}

void
__wrap_g_private_replace (GPrivate *key, gpointer value)
{
  gpointer *at, old;

  if (!sim_is_running ())
    {
      __real_g_private_replace (key, value);
      return;
    }
  at = sim_fiber_get_private (key);
  old = *at;
  *at = value;
  if (old && key->notify)
    key->notify (old);
}

gint64
__wrap_g_get_monotonic_time (void)
{
  return sim_is_running () ? sim_get_time () : __real_g_get_monotonic_time ();
}

/* --- pools ------------------------------------------------------------------------------------ */

GThreadPool *__real_g_thread_pool_new (GFunc func, gpointer user_data, int max_threads,
                                       gboolean exclusive, GError **error);
gboolean __real_g_thread_pool_push (GThreadPool *pool, gpointer data, GError **error);
void __real_g_thread_pool_free (GThreadPool *pool, gboolean immediate, gboolean wait);

/* One thread, which ends when there is nothing to do. */
typedef struct
{
  GFunc func;
  gpointer user_data;
  GQueue tasks;
  gboolean working;
  gboolean dropped;
} Pool;

static gpointer
work (gpointer data)
{
  Pool *pool = data;

  while (pool->tasks.length > 0)
    pool->func (g_queue_pop_head (&pool->tasks), pool->user_data);
  pool->working = FALSE;
  sim_wake_all (pool);
  if (pool->dropped)
    g_free (pool);
  return NULL;
}

GThreadPool *
__wrap_g_thread_pool_new (GFunc func, gpointer user_data, int max_threads, gboolean exclusive,
                          GError **error)
{
  Pool *pool;

  if (!sim_is_running ())
    return __real_g_thread_pool_new (func, user_data, max_threads, exclusive, error);
  g_assert (max_threads == 1);
  pool = g_new0 (Pool, 1);
  pool->func = func;
  pool->user_data = user_data;
  return (GThreadPool *) pool;
}

gboolean
__wrap_g_thread_pool_push (GThreadPool *real, gpointer data, GError **error)
{
  Pool *pool = (Pool *) real;

  if (!sim_is_running ())
    return __real_g_thread_pool_push (real, data, error);
  g_queue_push_tail (&pool->tasks, data);
  if (!pool->working)
    sim_fiber_drop (sim_fiber_new (work, pool));
  pool->working = TRUE;
  return TRUE;
}

void
__wrap_g_thread_pool_free (GThreadPool *real, gboolean immediate, gboolean wait)
{
  Pool *pool = (Pool *) real;

  if (!sim_is_running ())
    {
      __real_g_thread_pool_free (real, immediate, wait);
      return;
    }
  while (wait && pool->working)
    sim_block (pool, -1);
  if (pool->working)
    pool->dropped = TRUE;
  else
    g_free (pool);
}

/* --- contexts --------------------------------------------------------------------------------- */

void __real_g_main_context_wakeup (GMainContext *context);
guint __real_g_source_attach (GSource *source, GMainContext *context);

void
__wrap_g_main_context_wakeup (GMainContext *context)
{
  if (sim_is_running ())
    sim_wake_all (context);
  else
    __real_g_main_context_wakeup (context);
}

guint
__wrap_g_source_attach (GSource *source, GMainContext *context)
{
  guint id = __real_g_source_attach (source, context);

  if (sim_is_running ())
    sim_wake_all (context);
  return id;
}

/* --- ids -------------------------------------------------------------------------------------- */

void __real_job_id_new (JobId *id, gint64 wall_time_ns);
void __real_job_id_new_token (JobId *token);

static void
draw (JobId *id, guint8 version)
{
  guint64 halves[2] = { sim_random (), sim_random () };

  memcpy (id->bytes, halves, sizeof id->bytes);
  id->bytes[6] = (id->bytes[6] & 0x0f) | version << 4;
  id->bytes[8] = (id->bytes[8] & 0x3f) | 0x80;
}

void
__wrap_job_id_new (JobId *id, gint64 wall_time_ns)
{
  if (sim_is_running ())
    draw (id, 7);
  else
    __real_job_id_new (id, wall_time_ns);
}

void
__wrap_job_id_new_token (JobId *token)
{
  if (sim_is_running ())
    draw (token, 4);
  else
    __real_job_id_new_token (token);
}
