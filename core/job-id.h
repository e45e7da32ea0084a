/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The 16 bytes behind an id or a token. Ids are UUIDs of version 7 (RFC 9562, 5.7; time-ordered,
 * with a counter), tokens of version 4; both from a buffered getrandom(2). In the API both are
 * text. */

#pragma once

#ifndef JOBQUEUE_ENABLE_BACKEND
#error "Only for backends and plugins: define JOBQUEUE_ENABLE_BACKEND before including this header."
#endif

#include "job-macros.h"

G_BEGIN_DECLS

#define JOB_ID_TEXT_SIZE 37 /* with the final NUL */

typedef struct
{
  guint8 bytes[16];
} JobId;

/* A new time-ordered id: later calls give greater ids, also within a millisecond and from any
 * thread. */
JOB_API void job_id_new (JobId *id, gint64 wall_time_ns);
/* A new unguessable token. */
JOB_API void job_id_new_token (JobId *token);
/* Canonical form or upper case; anything else is JOB_ERROR_INVALID, and says which @what ("id",
 * "token", "dependency") it was. */
JOB_API gboolean job_id_parse (const char *text, const char *what, JobId *id, GError **error);
JOB_API void job_id_to_text (const JobId *id, char text[JOB_ID_TEXT_SIZE]);
JOB_API char *job_id_dup_text (const JobId *id);
JOB_API int job_id_compare (const JobId *a, const JobId *b);
/* In constant time: for tokens. */
JOB_API gboolean job_id_equal_secret (const JobId *a, const JobId *b);
JOB_API gboolean job_id_is_nil (const JobId *id);
/* For GHashTable; of the random tail, since heads of ordered ids are alike. */
JOB_API guint job_id_hash (gconstpointer id);
JOB_API gboolean job_id_equal (gconstpointer a, gconstpointer b);

G_END_DECLS
