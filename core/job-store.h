/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Where jobs settle. A store knows nothing of schedules, leases or time: it takes changes, makes
 * them durable when told to, and gives jobs back. Its owner serialises the calls, which come from
 * whatever thread; a class may allow reads beside a change (see reads_overlap). A failed call has a
 * JOB_ERROR (STORAGE, CORRUPT, VERSION …) that names the file and the cause. */

#pragma once

#ifndef JOBQUEUE_ENABLE_BACKEND
#error "Only for backends and plugins: define JOBQUEUE_ENABLE_BACKEND before including this header."
#endif

#include "job-damage.h"
#include "job-record.h"

G_BEGIN_DECLS

#define JOB_TYPE_STORE (job_store_get_type ())
JOB_API G_DECLARE_DERIVABLE_TYPE (JobStore, job_store, JOB, STORE, GObject)

    /* Gets one job; @record has args, and is the callee's only if it takes a reference. FALSE
       stops. */
    typedef gboolean (*JobStoreVisitor) (JobRecord *record, const JobStatus *status, gpointer data);

struct _JobStoreClass
{
  GObjectClass parent_class;

  /* Where the journal of this store goes (a path), or NULL for a store whose apply() is itself the
   * commit: one without a disk. Default: NULL. */
  char *(*dup_journal_path) (JobStore *self);

  /* How many bytes of journal make a checkpoint worthwhile, when @configured is what the user wants
   * at most. Default: @configured. */
  guint64 (*get_checkpoint_size) (JobStore *self, guint64 configured);

  /* Visits every job that is not over (@everything FALSE), or every job, in any order. A record
   * that cannot be read is left where it is, remembered for list_damaged(), and skipped. Fails only
   * if the store as a whole cannot be read. Mandatory. */
  gboolean (*visit) (JobStore *self, gboolean everything, JobStoreVisitor visitor, gpointer data,
                     GError **error);

  /* Takes changes, in order. After a failure, or a crash before the next checkpoint(), any part of
   * them may be there: the owner has them all in its journal and applies them again. A store
   * without a journal must not fail half-way. A change with a record creates the job, over whatever
   * (torn) record there is; one without updates a job and keeps all else that is in its record.
   * Mandatory. */
  gboolean (*apply) (JobStore *self, const JobChange *changes, gsize n_changes, GError **error);

  /* Makes all that was applied durable, atomically or not: the journal goes only after it returned
   * TRUE. Default: nothing to do. */
  gboolean (*checkpoint) (JobStore *self, GError **error);

  /* One job as it was last applied: *record (a new reference) and *status (to be cleared), or TRUE
   * with *record NULL if there is none. A damaged record: JOB_ERROR_CORRUPT. Mandatory. */
  gboolean (*read) (JobStore *self, const JobId *id, JobRecord **record, JobStatus *status,
                    GError **error);

  /* Appends to @ids (of JobId) the jobs that name @id as a dependency. After a failure some of them
   * may be there. Mandatory. */
  gboolean (*list_dependents) (JobStore *self, const JobId *id, GArray *ids, GError **error);

  /* The records that could not be read so far, as JobDamage objects (transfer full). Default: none.
   */
  GPtrArray *(*list_damaged) (JobStore *self);

  /* Moves one damaged record out of the store into the existing folder @directory, never over a
   * file there, and forgets it. Default: JOB_ERROR_NOT_FOUND. */
  gboolean (*move_damaged) (JobStore *self, JobDamage *damage, const char *directory,
                            GError **error);

  /* Lets go of the store and of its lock. Called once, last, after a checkpoint() if all is well.
   * @clean: nothing is left in the journal. Default: nothing to do. */
  gboolean (*close) (JobStore *self, gboolean clean, GError **error);

  /* Whether read() and list_dependents() may be called in one thread while any other call but
   * close(), or another read, runs in another: then nobody who reads waits for a large write. Such
   * a store guards itself. Default: FALSE, and all calls are serialised. */
  gboolean reads_overlap;

  gpointer padding[8];
};

JOB_API char *job_store_dup_journal_path (JobStore *self);
JOB_API guint64 job_store_get_checkpoint_size (JobStore *self, guint64 configured);
JOB_API gboolean job_store_visit (JobStore *self, gboolean everything, JobStoreVisitor visitor,
                                  gpointer data, GError **error);
JOB_API gboolean job_store_apply (JobStore *self, const JobChange *changes, gsize n_changes,
                                  GError **error);
JOB_API gboolean job_store_checkpoint (JobStore *self, GError **error);
JOB_API gboolean job_store_read (JobStore *self, const JobId *id, JobRecord **record,
                                 JobStatus *status, GError **error);
JOB_API gboolean job_store_list_dependents (JobStore *self, const JobId *id, GArray *ids,
                                            GError **error);
JOB_API GPtrArray *job_store_list_damaged (JobStore *self);
JOB_API gboolean job_store_move_damaged (JobStore *self, JobDamage *damage, const char *directory,
                                         GError **error);
JOB_API gboolean job_store_close (JobStore *self, gboolean clean, GError **error);

/* For implementations: what is damaged. @id may be NULL if it cannot be told. */
JOB_API JobDamage *job_damage_new (const char *location, const char *message, const JobId *id);

G_END_DECLS
