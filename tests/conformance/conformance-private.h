/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What the files of the suite share: the fixture, the verbs in the mode of the test, and short
 * forms that assert. */

#pragma once

#include "job-conformance.h"
#include "names-private.h"

G_BEGIN_DECLS

#define SECOND G_GINT64_CONSTANT (1000000) /* µs */
#define HOUR (3600 * SECOND)
#define NS_PER_US 1000
#define START_OF_TIME                                                                              \
  (G_GINT64_CONSTANT (1700000000) * 1000000000) /* of the stepped clock, in ns */

#define UNKNOWN_ID "01890a5d-ac96-774b-bcce-b302099a8057"
#define UNKNOWN_TOKEN "5f0c3a52-7d0b-4d55-9f6e-6d5f6f3b3c11"

/* A queue on a fresh folder, with a stepped clock. */
typedef struct
{
  const JobConformanceBackend *backend;
  gboolean async; /* verbs are called as asynchronous pairs */
  char *folder;
  JobSteppedClock *clock;
  JobQueue *queue;
} Fixture;

typedef struct
{
  const char *promise;
  void (*run) (Fixture *f);
  guint needs;   /* of JobConformanceCapability */
  gboolean once; /* the test itself says how it calls: it does not run in both modes */
} ConformanceTest;

/* One table for each theme, ended by an empty entry. */
extern const ConformanceTest job_conformance_args_tests[];
extern const ConformanceTest job_conformance_enqueue_tests[];
extern const ConformanceTest job_conformance_graph_tests[];
extern const ConformanceTest job_conformance_dequeue_tests[];
extern const ConformanceTest job_conformance_order_tests[];
extern const ConformanceTest job_conformance_lease_tests[];
extern const ConformanceTest job_conformance_attempts_tests[];
extern const ConformanceTest job_conformance_cancel_tests[];
extern const ConformanceTest job_conformance_dependencies_tests[];
extern const ConformanceTest job_conformance_read_tests[];
extern const ConformanceTest job_conformance_wait_tests[];
extern const ConformanceTest job_conformance_input_tests[];
extern const ConformanceTest job_conformance_close_tests[];
extern const ConformanceTest job_conformance_async_tests[];
extern const ConformanceTest job_conformance_claim_tests[];
extern const ConformanceTest job_conformance_threads_tests[];
extern const ConformanceTest job_conformance_reopen_tests[];
extern const ConformanceTest job_conformance_kill_tests[];
extern const ConformanceTest job_conformance_storage_tests[];

/* fixture.c */

void fixture_open (Fixture *f);
void fixture_close (Fixture *f);
/* A clean close, and another opening of the same folder. */
void fixture_reopen (Fixture *f);
void fixture_step (Fixture *f, gint64 microseconds);

/* answer.c: the answer of one asynchronous call */

typedef struct
{
  GAsyncResult *result;
  GThread *thread; /* in which the callback ran */
  guint *counter;  /* counts answers, if set: also gives them their order */
  guint order;
} Answer;

void answer_cb (GObject *source, GAsyncResult *result, gpointer data);
/* Iterates the thread's context until the answer is there. */
GAsyncResult *answer_wait (Answer *self);
void answer_clear (Answer *self);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Answer, answer_clear)

/* Iterates the thread's context until @cancellable has fired. */
void await_cancelled (GCancellable *cancellable);
/* Dispatches what is ready in the thread's context. */
void iterate_ready (void);

/* calls.c: each verb, in the mode of the test */

char *call_enqueue (Fixture *f, JobSpec *spec, GError **error);
char **call_enqueue_many (Fixture *f, JobSpec **specs, gsize n_specs, GError **error);
JobLease *call_dequeue (Fixture *f, const char *const *types, const char *const *channels,
                        gint64 timeout, GError **error);
JobLease *call_dequeue_by_id (Fixture *f, const char *id, GError **error);
gboolean call_complete (Fixture *f, const char *id, const char *token, const char *result,
                        GError **error);
gboolean call_fail (Fixture *f, const char *id, const char *token, const char *error_json,
                    GError **error);
gboolean call_release (Fixture *f, const char *id, const char *token, GError **error);
gboolean call_cancel (Fixture *f, const char *id, GError **error);
gboolean call_heartbeat (Fixture *f, const char *id, const char *token, GError **error);
char *call_lookup_token (Fixture *f, const char *token, GError **error);
JobInfo *call_get_info (Fixture *f, const char *id, GError **error);
JobInfo *call_wait (Fixture *f, const char *id, gint64 timeout, GError **error);
GListModel *call_list (Fixture *f, JobFilter *filter, GError **error);
GListModel *call_list_leases (Fixture *f, gint64 older_than, GError **error);
GListModel *call_list_damaged (Fixture *f, GError **error);
GListModel *call_move_damaged (Fixture *f, const char *directory, GError **error);
gboolean call_close (Fixture *f, GError **error);

gboolean call_lease_complete (Fixture *f, JobLease *lease, const char *result, GError **error);
gboolean call_lease_fail (Fixture *f, JobLease *lease, const char *error_json, GError **error);
gboolean call_lease_release (Fixture *f, JobLease *lease, GError **error);
gboolean call_lease_heartbeat (Fixture *f, JobLease *lease, GError **error);
GListModel *call_lease_list_dependencies (Fixture *f, JobLease *lease, GError **error);

/* short-forms.c: calls that must succeed, and what is so */

#define assert_job_error(error, code)                                                              \
  G_STMT_START                                                                                     \
  {                                                                                                \
    g_assert_error (error, JOB_ERROR, code);                                                       \
    g_assert_cmpuint (strlen ((error)->message), >, 0);                                            \
    g_clear_error (&(error));                                                                      \
  }                                                                                                \
  G_STMT_END

#define assert_mentions(error, text) g_assert_nonnull (strstr ((error)->message, (text)))

char *new_id (void);
/* A spec with an id of its own, so that others can name it before it is enqueued. */
JobSpec *new_spec (const char *type, const char *id);
/* A spec that depends on @dependency, if it is set. */
JobSpec *new_dependent (const char *type, const char *dependency, JobCondition condition);

char *must_enqueue (Fixture *f, JobSpec *spec);
/* A plain job of a type. */
char *must_add (Fixture *f, const char *type);
char *must_add_after (Fixture *f, const char *type, const char *dependency, JobCondition condition);
char *must_add_with_priority (Fixture *f, const char *type, int priority);
char *must_add_with_attempts (Fixture *f, const char *type, guint max_attempts);
/* The next job of a type (NULL: of any), which must be there at once. */
JobLease *must_dequeue (Fixture *f, const char *type);
/* The same, and it must be this one. */
JobLease *must_dequeue_job (Fixture *f, const char *type, const char *id);
/* Dequeues and completes the next job of a type, which must be this one. */
void must_run (Fixture *f, const char *type, const char *id);
void must_complete (Fixture *f, JobLease *lease);
void must_fail (Fixture *f, JobLease *lease);
void must_release (Fixture *f, JobLease *lease);
void must_cancel (Fixture *f, const char *id);
JobInfo *must_get_info (Fixture *f, const char *id);

void assert_none (Fixture *f, const char *type);
void assert_state (Fixture *f, const char *id, JobState state);
void assert_reason (Fixture *f, const char *id, JobState state, JobReason reason,
                    const char *culprit);
/* Ids of the jobs in a state, in the order of the queue, ended by NULL. */
char **ids_in_state (Fixture *f, JobState state);
void assert_ids (char **ids, ...) G_GNUC_NULL_TERMINATED;
guint count_leases (Fixture *f, gint64 older_than);
/* Everything that the queue says about itself, as text that two openings can be compared by. */
char *snapshot (Fixture *f);

/* child.c: the program itself, started anew for a part in a test */

typedef struct
{
  GSubprocess *process;
  GDataInputStream *lines;
} Child;

/* @part: a name in the table of child.c */
void child_start (Child *self, Fixture *f, const char *part);
/* The next line that the child wrote; NULL at its end. */
char *child_read_line (Child *self);
void child_kill (Child *self);
/* Lets go of its standard input, and waits for it; it must exit with 0. */
void child_finish (Child *self);

/* How the names of the parts begin that are those of store-kill.c. */
#define STORE_PART "store-"

typedef void (*ChildPart) (Fixture *f);
void child_enqueue_until_killed (Fixture *f);
void child_work_until_killed (Fixture *f);
void child_die_at_opening (Fixture *f);
void child_hold (Fixture *f);
void child_meet_a_full_disk (Fixture *f);
void child_meet_a_torn_write (Fixture *f);

G_END_DECLS
