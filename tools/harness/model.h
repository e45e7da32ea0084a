/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The reference model: what a queue has to answer, and how its jobs have to stand, as plain as can
 * be: arrays and full scans, no index, no disk. It shares no code with the scheduler, and knows the
 * queue by its public interface only.
 *
 * Whoever drives a queue does the same to the model, one call after the other, and compares the
 * answers. A call that a fault or a crash cut off happened whole or not at all: model_copy() gives
 * the two to choose from. */

#pragma once

#include <jobqueue.h>

G_BEGIN_DECLS

#define MODEL_OK (-1)
#define MODEL_MAX_DEPENDENCIES 8
#define MODEL_NO_JOB G_MAXUINT

/* A job to be enqueued, for both: the real spec, and what that does not tell again. */
typedef struct
{
  JobSpec *real; /* owned */
  guint n_dependencies;
  JobCondition conditions[MODEL_MAX_DEPENDENCIES];
} ModelSpec;

void model_spec_init (ModelSpec *self, const char *type, const char *args);
void model_spec_clear (ModelSpec *self);
/* At most MODEL_MAX_DEPENDENCIES of them. */
void model_spec_add_dependency (ModelSpec *self, const char *id, JobCondition condition);

typedef struct
{
  guint number; /* in the order of enqueueing */
  char *id;
  char *type;
  char *channel;
  char *args;
  int priority;
  gint64 run_at;
  guint max_attempts;
  guint n_dependencies;
  guint dependencies[MODEL_MAX_DEPENDENCIES]; /* numbers of jobs */
  JobCondition conditions[MODEL_MAX_DEPENDENCIES];
  GArray *dependents; /* of guint: numbers of jobs */

  JobState state;
  JobReason reason; /* of a canceled one */
  guint attempts;
  char *token;       /* of the running lease, or the one that made it over; NULL: none, or untold */
  char *outcome;     /* the result, or the last error */
  gint64 started_at; /* 0: it is not running, and was not when it ended */
  gint64 finished_at;  /* 0: it is not over */
  gint64 heartbeat_at; /* of a running one */
  gint64 queued_at;    /* 0: not seen yet */
} ModelJob;

typedef struct
{
  GPtrArray *jobs;      /* of ModelJob: all that there ever were */
  GHashTable *ids;      /* id → ModelJob */
  gint64 wall;          /* ns since 1970; set by model_set_time() */
  gint64 boot;          /* µs; set by model_set_time() */
  gboolean exact_times; /* the queue has a clock that was stepped to these: compare stamps, too */
} Model;

Model *model_new (void);
Model *model_copy (const Model *self);
void model_free (Model *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (Model, model_free)

ModelJob *model_get_job (const Model *self, guint number);
ModelJob *model_find (const Model *self, const char *id);
gboolean model_is_over (const ModelJob *job);
/* Whether a job that waits for @dependency can never run any more. */
gboolean model_forbids (JobCondition condition, const ModelJob *dependency);

/* Time passes: what is due is pending now. */
void model_set_time (Model *self, gint64 wall, gint64 boot);
/* The queue was closed, or died, and was opened again: leases stay, heartbeats count anew. */
void model_reopen (Model *self);

/* The verbs. Each says how the real one has to end: MODEL_OK or a JobError, and then nothing has
 * changed. */
int model_enqueue (Model *self, const ModelSpec *specs, guint n_specs);
/* Without waiting. *number is the job that has to come. */
int model_dequeue (Model *self, const char *const *types, const char *const *channels,
                   guint *number);
int model_dequeue_by_id (Model *self, const char *id, guint *number);
/* The token of the lease that was just handed out; it is not told after a crash. */
void model_learn_token (Model *self, guint number, const char *token);
/* @token NULL: an administrator. */
int model_complete (Model *self, const char *id, const char *token, const char *result);
int model_fail (Model *self, const char *id, const char *token, const char *error_json);
int model_release (Model *self, const char *id, const char *token);
int model_cancel (Model *self, const char *id);
int model_heartbeat (Model *self, const char *id, const char *token);
/* *number is the job that has it. */
int model_lookup_token (Model *self, const char *token, guint *number);

/* The job that a dequeue would get, or MODEL_NO_JOB. */
guint model_get_first (const Model *self, const char *const *types, const char *const *channels);

/* Compares the whole queue with the model: every job with all that is told of it, the order, the
 * leases. FALSE with a *difference in words. Tokens and stamps that the model does not know yet are
 * taken from the queue, if all else is equal. */
gboolean model_check (Model *self, JobQueue *queue, char **difference);
/* One job only, by job_queue_get_info(). */
gboolean model_check_job (Model *self, JobQueue *queue, guint number, char **difference);

G_END_DECLS
