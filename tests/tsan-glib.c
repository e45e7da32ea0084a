/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Tells ThreadSanitizer what GLib's own means of waiting for another thread mean. GLib is not built
 * with it, and its locks are not those of POSIX, so that every access would look like a race. These
 * functions stand before GLib's in a program that is built with -Db_sanitize=thread, and do nothing
 * else. To be run with G_SLICE=always-malloc, since a slice goes from thread to thread unseen. */

#include <dlfcn.h>
#include <gio/gio.h>
#include <sanitizer/tsan_interface.h>

/* The function of that name behind this one. */
#define REAL(name)                                                                                 \
  ({                                                                                               \
    static __typeof__ (&name) real;                                                                \
    __typeof__ (&name) found = __atomic_load_n (&real, __ATOMIC_RELAXED);                          \
    if (found == NULL)                                                                             \
      {                                                                                            \
        found = (__typeof__ (&name)) dlsym (RTLD_NEXT, #name);                                     \
        __atomic_store_n (&real, found, __ATOMIC_RELAXED);                                         \
      }                                                                                            \
    found;                                                                                         \
  })

/* What GLib itself allocates, copies and frees, and its types' classes, go between threads by locks
 * that are not seen; the loader frees a dead thread's share of a module (gdbm_errno) when it makes
 * another thread. */
const char *__tsan_default_suppressions (void);

const char *
__tsan_default_suppressions (void)
{
  return "called_from_lib:libglib-2.0.so.0\n"
         "race:^g_type_class_ref$\n"
         "race:_dl_deallocate_tls\n";
}

/* --- locks ------------------------------------------------------------------------------------ */

void
g_mutex_clear (GMutex *mutex)
{
  __tsan_mutex_destroy (mutex, 0);
  REAL (g_mutex_clear) (mutex);
}

void
g_mutex_lock (GMutex *mutex)
{
  __tsan_mutex_pre_lock (mutex, 0);
  REAL (g_mutex_lock) (mutex);
  __tsan_mutex_post_lock (mutex, 0, 0);
}

gboolean
g_mutex_trylock (GMutex *mutex)
{
  gboolean locked;

  __tsan_mutex_pre_lock (mutex, __tsan_mutex_try_lock);
  locked = REAL (g_mutex_trylock) (mutex);
  __tsan_mutex_post_lock (mutex, locked ? __tsan_mutex_try_lock : __tsan_mutex_try_lock_failed, 0);
  return locked;
}

void
g_mutex_unlock (GMutex *mutex)
{
  __tsan_mutex_pre_unlock (mutex, 0);
  REAL (g_mutex_unlock) (mutex);
  __tsan_mutex_post_unlock (mutex, 0);
}

static void
let_go (GMutex *mutex)
{
  __tsan_mutex_pre_unlock (mutex, 0);
  __tsan_mutex_post_unlock (mutex, 0);
}

static void
take_again (GMutex *mutex)
{
  __tsan_mutex_pre_lock (mutex, 0);
  __tsan_mutex_post_lock (mutex, 0, 0);
}

void
g_cond_wait (GCond *cond, GMutex *mutex)
{
  let_go (mutex);
  REAL (g_cond_wait) (cond, mutex);
  take_again (mutex);
}

gboolean
g_cond_wait_until (GCond *cond, GMutex *mutex, gint64 end_time)
{
  gboolean signalled;

  let_go (mutex);
  signalled = REAL (g_cond_wait_until) (cond, mutex, end_time);
  take_again (mutex);
  return signalled;
}

#undef g_once_init_leave
void
g_once_init_leave (volatile void *location, gsize result)
{
  __tsan_release ((void *) location);
  REAL (g_once_init_leave) (location, result);
}

#undef g_once_init_enter
gboolean
g_once_init_enter (volatile void *location)
{
  gboolean entered = REAL (g_once_init_enter) (location);

  __tsan_acquire ((void *) location);
  return entered;
}

/* --- references: what was done before the last one went is seen by whoever frees ----------------
 */

#undef g_object_unref
void
g_object_unref (gpointer object)
{
  __tsan_release (object);
  __tsan_acquire (object);
  REAL (g_object_unref) (object);
}

gboolean (g_atomic_ref_count_dec) (gatomicrefcount *count)
{
  gboolean last;

  __tsan_release (count);
  last = REAL (g_atomic_ref_count_dec) (count);
  if (last)
    __tsan_acquire (count);
  return last;
}

void
g_ptr_array_unref (GPtrArray *array)
{
  __tsan_release (array);
  __tsan_acquire (array);
  REAL (g_ptr_array_unref) (array);
}

/* --- what one thread hands to another -----------------------------------------------------------
 */

typedef struct
{
  GFunc func;
  gpointer data;
} PoolFunc;

static void
run_in_pool (gpointer item, gpointer data)
{
  PoolFunc *inner = data;

  __tsan_acquire (item);
  inner->func (item, inner->data);
}

/* The PoolFunc stays, as pools do here. */
GThreadPool *
g_thread_pool_new (GFunc func, gpointer data, gint max_threads, gboolean exclusive, GError **error)
{
  PoolFunc *inner = g_new (PoolFunc, 1);

  *inner = (PoolFunc){ func, data };
  return REAL (g_thread_pool_new) (run_in_pool, inner, max_threads, exclusive, error);
}

gboolean
g_thread_pool_push (GThreadPool *pool, gpointer item, GError **error)
{
  __tsan_release (item);
  return REAL (g_thread_pool_push) (pool, item, error);
}

/* A class, and the interfaces of its type, are whole when somebody has a reference. */
gpointer
g_type_class_ref (GType type)
{
  gpointer type_class = REAL (g_type_class_ref) (type);

  __tsan_acquire (type_class);
  __tsan_release (type_class);
  return type_class;
}

gulong
g_cancellable_connect (GCancellable *cancellable, GCallback callback, gpointer data,
                       GDestroyNotify destroy)
{
  __tsan_release (cancellable);
  return REAL (g_cancellable_connect) (cancellable, callback, data, destroy);
}

void
g_cancellable_cancel (GCancellable *cancellable)
{
  if (cancellable != NULL)
    __tsan_acquire (cancellable);
  REAL (g_cancellable_cancel) (cancellable);
}

guint
g_source_attach (GSource *source, GMainContext *context)
{
  __tsan_release (source);
  return REAL (g_source_attach) (source, context);
}
