/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The journal and the store as one: changes go in at one end and are durable then, and jobs are
 * read as they stand after the last durable change, wherever that is kept. The store follows the
 * journal in a thread of its own. Reading is safe from any thread at any time; commits, a
 * checkpoint and the close must not overlap each other. */

#pragma once

#include "job-store.h"

G_BEGIN_DECLS

typedef struct _JobLedger JobLedger;

/* Takes over the reference on @store, also when it fails; then the store is closed. */
JobLedger *job_ledger_open (JobStore *store, guint64 checkpoint_size, GError **error);
void job_ledger_free (JobLedger *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (JobLedger, job_ledger_free)

/* Whether commits and reads are quick: nothing touches a disk. */
gboolean job_ledger_is_quick (JobLedger *self);

/* Makes the changes durable, all or nothing. After a failure nothing has changed, unless *unknown:
 * then nobody knows before the next opening. Waits for the store if the journal is about to be
 * full. */
gboolean job_ledger_commit (JobLedger *self, const JobChange *changes, gsize n_changes,
                            gboolean *unknown, GError **error);
/* Brings the store up to the journal, and empties that, instead of when it is full. A failure loses
 * nothing. */
gboolean job_ledger_checkpoint (JobLedger *self, GError **error);

/* Records that a commit will bring soon: who leases them shall not have to read them back. */
void job_ledger_keep_at_hand (JobLedger *self, JobRecord *const *records, gsize n_records);
/* Whether the job's record can be read without waiting for the store, which may be at work. */
gboolean job_ledger_is_at_hand (JobLedger *self, const JobId *id);
/* As job_store_read() and job_store_visit(). */
gboolean job_ledger_read (JobLedger *self, const JobId *id, JobRecord **record, JobStatus *status,
                          GError **error);
/* The same for who needs no status. */
gboolean job_ledger_read_record (JobLedger *self, const JobId *id, JobRecord **record,
                                 GError **error);
gboolean job_ledger_visit (JobLedger *self, gboolean everything, JobStoreVisitor visitor,
                           gpointer data, GError **error);
/* Appends to @ids the jobs that depend on @id, each once. */
gboolean job_ledger_list_dependents (JobLedger *self, const JobId *id, GArray *ids, GError **error);
/* JobDamage objects (transfer full). */
GPtrArray *job_ledger_list_damaged (JobLedger *self);
gboolean job_ledger_move_damaged (JobLedger *self, JobDamage *damage, const char *directory,
                                  GError **error);

/* A last checkpoint, the journal away, the store closed. Whatever fails, the lock is given back,
 * and what is not in the store is still in the journal. */
gboolean job_ledger_close (JobLedger *self, GError **error);

G_END_DECLS
