/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Where modules are looked for, and whether a file there may be trusted. */

#pragma once

#include "job-plugin.h"

G_BEGIN_DECLS

/* The folders, in the order in which they are searched. */
char **job_plugin_dup_folders (JobPluginKind kind);

/* Adds to @names, a set of owned strings, what is in the folders. */
void job_plugin_list_files (JobPluginKind kind, GHashTable *names);

/* The first "<folder>/<name>.so" there is; NULL without an error if there is none. One that others
 * could have put there or changed is an error, and does not give way to the next folder. */
char *job_plugin_find_file (JobPluginKind kind, const char *name, GError **error);

gboolean job_plugin_name_is_valid (const char *name);

G_END_DECLS
