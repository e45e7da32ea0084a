/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A scheduler as plain as can be, to hold the real one against: arrays, full scans, no index, no
 * edges. It shares nothing with the real one but the records, and is told the tokens. */

#pragma once

#include "job-record.h"

#define NAIVE_MAX_JOBS 1024
#define NAIVE_MAX_DEPENDENCIES 4

typedef struct
{
  JobRecord *record;
  int dependencies[NAIVE_MAX_DEPENDENCIES]; /* numbers of jobs */
  int state;                                /* a JobState */
  gboolean damaged;                         /* its record can be read no longer */
  guint attempts;
  guint64 beat; /* of the lease: a greater one is younger */
  gint64 heartbeat_at;
  JobId token;
} NaiveJob;

typedef struct
{
  const char *const *types;
  const char *const *channels;
  guint number;
  gboolean waiting;
} NaiveWaiter;

/* A lease that was handed out: to which dequeue, and which job. */
typedef struct
{
  guint number;
  int job;
} NaiveClaim;

typedef struct
{
  NaiveJob jobs[NAIVE_MAX_JOBS];
  int n_jobs;
  NaiveWaiter waiters[NAIVE_MAX_JOBS]; /* in the order of arrival */
  int n_waiters;
  gint64 wall, boot;
  gint64 last_queued_at;
  guint64 n_beats;
  GArray *claims; /* of NaiveClaim: of the last step */
} NaiveScheduler;

int naive_find (const NaiveScheduler *self, const JobId *id);
gboolean naive_is_over (const NaiveJob *job);
/* -1: no job. */
int naive_first (const NaiveScheduler *self, const char *const *types, const char *const *channels);
/* How the enqueueing of these has to end: a JobError, or -1 if it is all right. */
int naive_check (const NaiveScheduler *self, JobRecord *const *records, int n_records);
/* The time that the next job is queued at. */
gint64 naive_next_queued_at (NaiveScheduler *self);
void naive_enqueue (NaiveScheduler *self, JobRecord *const *records, int n_records);
void naive_lease (NaiveScheduler *self, int job, guint number);
/* The running job is over, or waits again. */
void naive_end (NaiveScheduler *self, int job, JobState state);
/* All that waits looks for its place anew, as after a reopening. */
void naive_reload (NaiveScheduler *self);
/* Cancels what can never run, until nothing changes, and lets go what waits for nothing. */
void naive_settle (NaiveScheduler *self);
/* What is due, and those who wait. */
void naive_match (NaiveScheduler *self);
