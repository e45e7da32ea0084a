/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What in the folder could not be read, by name. */

#pragma once

#include "job-fs-json-folder.h"

G_BEGIN_DECLS

typedef struct _JobFsJsonDamageTable JobFsJsonDamageTable;

/* @folder must live longer. */
JobFsJsonDamageTable *job_fs_json_damage_table_new (JobFsJsonFolder *folder);
void job_fs_json_damage_table_free (JobFsJsonDamageTable *self);

/* @id may be NULL. What was known of @name is replaced. */
void job_fs_json_damage_table_add (JobFsJsonDamageTable *self, const char *name, const JobId *id,
                                   const char *message);
void job_fs_json_damage_table_remove (JobFsJsonDamageTable *self, const char *name);
/* A new list of JobDamage (owned), in the order of their locations. */
GPtrArray *job_fs_json_damage_table_list (JobFsJsonDamageTable *self);
/* The name that @damage is about, good until the next change; NULL if there is none. */
const char *job_fs_json_damage_table_find (JobFsJsonDamageTable *self, JobDamage *damage);

G_END_DECLS
