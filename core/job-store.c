/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "job-store.h"

#include "job-error.h"

G_DEFINE_ABSTRACT_TYPE (JobStore, job_store, G_TYPE_OBJECT)

static char *
no_journal (JobStore *self)
{
  return NULL;
}

static guint64
as_configured (JobStore *self, guint64 configured)
{
  return configured;
}

static gboolean
nothing_to_do (JobStore *self, GError **error)
{
  return TRUE;
}

static GPtrArray *
no_damage (JobStore *self)
{
  return g_ptr_array_new_with_free_func (g_object_unref);
}

static gboolean
nothing_to_move (JobStore *self, JobDamage *damage, const char *directory, GError **error)
{
  g_set_error (error, JOB_ERROR, JOB_ERROR_NOT_FOUND, "There is no damaged record at %s",
               job_damage_get_location (damage));
  return FALSE;
}

static gboolean
nothing_to_close (JobStore *self, gboolean clean, GError **error)
{
  return TRUE;
}

static void
job_store_class_init (JobStoreClass *klass)
{
  klass->dup_journal_path = no_journal;
  klass->get_checkpoint_size = as_configured;
  klass->checkpoint = nothing_to_do;
  klass->list_damaged = no_damage;
  klass->move_damaged = nothing_to_move;
  klass->close = nothing_to_close;
}

static void
job_store_init (JobStore *self)
{
}

char *
job_store_dup_journal_path (JobStore *self)
{
  return JOB_STORE_GET_CLASS (self)->dup_journal_path (self);
}

guint64
job_store_get_checkpoint_size (JobStore *self, guint64 configured)
{
  return JOB_STORE_GET_CLASS (self)->get_checkpoint_size (self, configured);
}

gboolean
job_store_visit (JobStore *self, gboolean everything, JobStoreVisitor visitor, gpointer data,
                 GError **error)
{
  return JOB_STORE_GET_CLASS (self)->visit (self, everything, visitor, data, error);
}

gboolean
job_store_apply (JobStore *self, const JobChange *changes, gsize n_changes, GError **error)
{
  return JOB_STORE_GET_CLASS (self)->apply (self, changes, n_changes, error);
}

gboolean
job_store_checkpoint (JobStore *self, GError **error)
{
  return JOB_STORE_GET_CLASS (self)->checkpoint (self, error);
}

gboolean
job_store_read (JobStore *self, const JobId *id, JobRecord **record, JobStatus *status,
                GError **error)
{
  *record = NULL;
  return JOB_STORE_GET_CLASS (self)->read (self, id, record, status, error);
}

gboolean
job_store_list_dependents (JobStore *self, const JobId *id, GArray *ids, GError **error)
{
  return JOB_STORE_GET_CLASS (self)->list_dependents (self, id, ids, error);
}

GPtrArray *
job_store_list_damaged (JobStore *self)
{
  return JOB_STORE_GET_CLASS (self)->list_damaged (self);
}

gboolean
job_store_move_damaged (JobStore *self, JobDamage *damage, const char *directory, GError **error)
{
  return JOB_STORE_GET_CLASS (self)->move_damaged (self, damage, directory, error);
}

gboolean
job_store_close (JobStore *self, gboolean clean, GError **error)
{
  return JOB_STORE_GET_CLASS (self)->close (self, clean, error);
}
