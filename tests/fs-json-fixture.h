/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What the tests of the fs-json store share: a folder of their own, jobs, and the seed's view of
 * that folder. */

#pragma once

#include "jobqueue-backend.h"

#include "job-fs-json-store.h"

typedef struct
{
  char *folder; /* owned; in the test's temporary folder */
  JobStore *store;
} Fixture;

/* A folder that is not there yet, and no store. */
void fixture_set_up (Fixture *self, gconstpointer data);
void fixture_tear_down (Fixture *self, gconstpointer data);

void fixture_open (Fixture *self);
/* As a clean close, or as a crash: without a checkpoint. */
void fixture_close (Fixture *self);
void fixture_crash (Fixture *self);
/* Makes the folder, if need be, and puts a file there. */
void fixture_put (Fixture *self, const char *name, const char *text);
char *fixture_get (Fixture *self, const char *name);
gboolean fixture_has (Fixture *self, const char *name);
/* The file of a job. */
char *fixture_get_job (Fixture *self, const JobId *id);
/* How many names end with @suffix. */
guint fixture_count (Fixture *self, const char *suffix);

JobId parse_id (const char *text);
/* A new job. */
JobRecord *make_record (const char *type, const char *args, guint n_dependencies,
                        const JobRecord *const *dependencies);
JobStatus make_status (JobState state);

void apply_record (JobStore *store, const JobRecord *record, const JobStatus *status);
void apply_status (JobStore *store, const JobId *id, const JobStatus *status);
gboolean try_apply (JobStore *store, const JobId *id, const JobRecord *record,
                    const JobStatus *status, GError **error);
void checkpoint (JobStore *store);
/* Reads a job that must be there. */
JobRecord *read_job (JobStore *store, const JobId *id, JobStatus *status);
JobStatus read_status (JobStore *store, const char *id);
/* Visits, and returns the ids as text, sorted, in one line. */
char *visit_ids (JobStore *store, gboolean everything);
/* The damage at the file @name, or NULL. */
JobDamage *find_damage (JobStore *store, const char *name);
guint count_damage (JobStore *store);

/* What the seed makes of a job when it opens the folder. */
typedef enum
{
  SEED_BLOCKED,
  SEED_PENDING,
  SEED_RUNNING,
  SEED_FINISHED,
  SEED_CANCELED,
} SeedState;

/* Opens the folder by the rules of the seed, with a parser that is not ours: fails the test if the
 * seed would fail. Returns SeedState by id (char *). */
GHashTable *seed_open (const char *folder);
SeedState seed_get (GHashTable *jobs, const JobId *id);
