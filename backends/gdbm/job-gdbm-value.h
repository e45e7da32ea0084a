/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Keys and values of the gdbm file. */

#pragma once

#include <jobqueue-backend.h>

G_BEGIN_DECLS

GBytes *job_gdbm_key_new (const JobId *id);
/* NULL if the key is no id. */
const JobId *job_gdbm_key_get_id (GBytes *key);
/* Fit for the name of a file: hexadecimal digits, or the SHA-256 of a key that is too long. */
char *job_gdbm_key_dup_name (GBytes *key);

/* Appends the value for a change that has a record. */
void job_gdbm_value_encode (const JobChange *job, GByteArray *value);
/* The whole job (to be cleared). JOB_ERROR_CORRUPT, or JOB_ERROR_VERSION. */
gboolean job_gdbm_value_decode (GBytes *key, GBytes *value, JobChange *job, GError **error);

G_END_DECLS
