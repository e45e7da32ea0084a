/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "fault-store.h"

#include "job-error.h"

struct _FaultStore
{
  JobStore parent_instance;

  JobStore *inner;    /* owned; constant */
  char *journal_path; /* constant */

  GMutex lock; /* guards all below */
  GCond held_cond;
  guint fail_in[FAULT_N_CALLS]; /* calls; 0: never */
  guint hold_in[FAULT_N_CALLS];
  guint tear_in;
  gsize torn_after; /* changes */
  gboolean is_held;
  gboolean may_go;
  GHashTable *damaged; /* of JobId */
  JobId hidden;        /* of who opens the store, before its first visit */
  GString *trace;
};

G_DEFINE_FINAL_TYPE (FaultStore, fault_store, JOB_TYPE_STORE)

static const char *const call_names[] = { "visit", "apply", "checkpoint", "read", "list", "close" };

/* --- faults ----------------------------------------------------------------------------------- */

static gboolean
is_due (guint *count)
{
  return *count > 0 && --*count == 0;
}

static void
set_failed (FaultCall call, GError **error)
{
  g_set_error (error, JOB_ERROR, JOB_ERROR_STORAGE, "The %s was made to fail", call_names[call]);
}

static void
trace_locked (FaultStore *self, const char *what)
{
  g_string_append_printf (self->trace, "%s%s", self->trace->len > 0 ? ", " : "", what);
}

static void
wait_while_held_locked (FaultStore *self)
{
  self->is_held = TRUE;
  g_cond_broadcast (&self->held_cond);
  while (!self->may_go)
    g_cond_wait (&self->held_cond, &self->lock);
  self->may_go = FALSE;
  self->is_held = FALSE;
}

/* Each call begins here. FALSE if it has to fail. */
static gboolean
enter (FaultStore *self, FaultCall call, const char *what, GError **error)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->lock);

  if (what)
    trace_locked (self, what);
  if (is_due (&self->hold_in[call]))
    wait_while_held_locked (self);
  if (!is_due (&self->fail_in[call]))
    return TRUE;
  set_failed (call, error);
  return FALSE;
}

static gboolean
is_damaged (FaultStore *self, const JobId *id)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->lock);

  return g_hash_table_contains (self->damaged, id);
}

/* --- the store -------------------------------------------------------------------------------- */

static char *
fault_store_dup_journal_path (JobStore *store)
{
  return g_strdup (FAULT_STORE (store)->journal_path);
}

static guint64
fault_store_get_checkpoint_size (JobStore *store, guint64 configured)
{
  return job_store_get_checkpoint_size (FAULT_STORE (store)->inner, configured);
}

typedef struct
{
  FaultStore *self;
  JobStoreVisitor visitor;
  gpointer data;
  JobId hidden;
} Visit;

static gboolean
visit_whole (JobRecord *record, const JobStatus *status, gpointer data)
{
  Visit *visit = data;

  return is_damaged (visit->self, &record->id) || job_id_equal (&visit->hidden, &record->id) ||
         visit->visitor (record, status, visit->data);
}

static gboolean
fault_store_visit (JobStore *store, gboolean everything, JobStoreVisitor visitor, gpointer data,
                   GError **error)
{
  FaultStore *self = FAULT_STORE (store);
  Visit visit = { self, visitor, data, self->hidden };

  self->hidden = (JobId){ { 0 } };
  return enter (self, FAULT_VISIT, NULL, error) &&
         job_store_visit (self->inner, everything, visit_whole, &visit, error);
}

/* Without the changes of damaged records, but for those that bring them whole. */
static gboolean
apply_some (FaultStore *self, const JobChange *changes, gsize n_changes, GError **error)
{
  for (gsize i = 0; i < n_changes; i++)
    {
      if (changes[i].record == NULL && is_damaged (self, &changes[i].id))
        continue;
      if (!job_store_apply (self->inner, &changes[i], 1, error))
        return FALSE;
      g_mutex_lock (&self->lock);
      g_hash_table_remove (self->damaged, &changes[i].id);
      g_mutex_unlock (&self->lock);
    }
  return TRUE;
}

static gboolean
fault_store_apply (JobStore *store, const JobChange *changes, gsize n_changes, GError **error)
{
  FaultStore *self = FAULT_STORE (store);
  g_autofree char *what = g_strdup_printf ("apply %" G_GSIZE_FORMAT, n_changes);
  gboolean torn;
  gsize n_torn;

  if (!enter (self, FAULT_APPLY, what, error))
    return FALSE;
  g_mutex_lock (&self->lock);
  torn = is_due (&self->tear_in);
  n_torn = MIN (self->torn_after, n_changes);
  g_mutex_unlock (&self->lock);

  if (!apply_some (self, changes, torn ? n_torn : n_changes, error))
    return FALSE;
  if (torn)
    set_failed (FAULT_APPLY, error);
  return !torn;
}

static gboolean
fault_store_checkpoint (JobStore *store, GError **error)
{
  FaultStore *self = FAULT_STORE (store);

  return enter (self, FAULT_CHECKPOINT, "checkpoint", error) &&
         job_store_checkpoint (self->inner, error);
}

static gboolean
fault_store_read (JobStore *store, const JobId *id, JobRecord **record, JobStatus *status,
                  GError **error)
{
  FaultStore *self = FAULT_STORE (store);

  if (!enter (self, FAULT_READ, NULL, error))
    return FALSE;
  if (!is_damaged (self, id))
    return job_store_read (self->inner, id, record, status, error);
  g_set_error (error, JOB_ERROR, JOB_ERROR_CORRUPT, "The record was made to be damaged");
  return FALSE;
}

static gboolean
fault_store_list_dependents (JobStore *store, const JobId *id, GArray *ids, GError **error)
{
  FaultStore *self = FAULT_STORE (store);

  return enter (self, FAULT_LIST_DEPENDENTS, NULL, error) &&
         job_store_list_dependents (self->inner, id, ids, error);
}

static GPtrArray *
fault_store_list_damaged (JobStore *store)
{
  FaultStore *self = FAULT_STORE (store);
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->lock);
  GPtrArray *list = job_store_list_damaged (self->inner);
  GHashTableIter iter;
  gpointer id;

  g_hash_table_iter_init (&iter, self->damaged);
  while (g_hash_table_iter_next (&iter, &id, NULL))
    g_ptr_array_add (list, job_damage_new ("nowhere", "It was made to be damaged", id));
  return list;
}

/* The inner one stays open: it is the disk that the next opening finds. */
static gboolean
fault_store_close (JobStore *store, gboolean clean, GError **error)
{
  return enter (FAULT_STORE (store), FAULT_CLOSE, clean ? "close clean" : "close", error);
}

/* --- GObject ---------------------------------------------------------------------------------- */

static void
fault_store_finalize (GObject *object)
{
  FaultStore *self = FAULT_STORE (object);

  g_object_unref (self->inner);
  g_free (self->journal_path);
  g_hash_table_unref (self->damaged);
  g_string_free (self->trace, TRUE);
  g_mutex_clear (&self->lock);
  g_cond_clear (&self->held_cond);
  G_OBJECT_CLASS (fault_store_parent_class)->finalize (object);
}

static void
fault_store_class_init (FaultStoreClass *klass)
{
  JobStoreClass *store_class = JOB_STORE_CLASS (klass);

  G_OBJECT_CLASS (klass)->finalize = fault_store_finalize;
  store_class->dup_journal_path = fault_store_dup_journal_path;
  store_class->get_checkpoint_size = fault_store_get_checkpoint_size;
  store_class->visit = fault_store_visit;
  store_class->apply = fault_store_apply;
  store_class->checkpoint = fault_store_checkpoint;
  store_class->read = fault_store_read;
  store_class->list_dependents = fault_store_list_dependents;
  store_class->list_damaged = fault_store_list_damaged;
  store_class->close = fault_store_close;
}

static void
fault_store_init (FaultStore *self)
{
  g_mutex_init (&self->lock);
  g_cond_init (&self->held_cond);
  self->damaged = g_hash_table_new_full (job_id_hash, job_id_equal, g_free, NULL);
  self->trace = g_string_new (NULL);
}

/* --- public ----------------------------------------------------------------------------------- */

FaultStore *
fault_store_new (JobStore *inner, const char *journal_path)
{
  FaultStore *self = g_object_new (FAULT_TYPE_STORE, NULL);

  self->inner = g_object_ref (inner);
  self->journal_path = g_strdup (journal_path);
  return self;
}

void
fault_store_fail (FaultStore *self, FaultCall call, guint number)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->lock);

  self->fail_in[call] = number;
}

void
fault_store_tear (FaultStore *self, guint number, gsize n_changes)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->lock);

  self->tear_in = number;
  self->torn_after = n_changes;
}

void
fault_store_hold (FaultStore *self, FaultCall call, guint number)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->lock);

  self->hold_in[call] = number;
}

void
fault_store_await_held (FaultStore *self)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->lock);

  while (!self->is_held)
    g_cond_wait (&self->held_cond, &self->lock);
}

void
fault_store_let_go (FaultStore *self)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->lock);

  self->may_go = TRUE;
  g_cond_broadcast (&self->held_cond);
}

void
fault_store_damage (FaultStore *self, const JobId *id)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->lock);

  g_hash_table_add (self->damaged, g_memdup2 (id, sizeof *id));
}

void
fault_store_hide (FaultStore *self, const JobId *id)
{
  self->hidden = *id;
}

char *
fault_store_take_trace (FaultStore *self)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->lock);
  char *trace = g_strdup (self->trace->str);

  g_string_truncate (self->trace, 0);
  return trace;
}
