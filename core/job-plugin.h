/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The one descriptor of every module, and the macro that exports it. The loader: job-plugin.c. */

#pragma once

#ifndef JOBQUEUE_ENABLE_BACKEND
#error "Only for backends and plugins: define JOBQUEUE_ENABLE_BACKEND before including this header."
#endif

#include "job-macros.h"

G_BEGIN_DECLS

/* Raised whenever this struct, or one that a plugin fills in or calls through, changes its layout.
 */
#define JOB_PLUGIN_ABI_VERSION 1

/**
 * JobPluginKind:
 * @JOB_PLUGIN_BACKEND: opens queues: its type implements #JobQueue and #GInitable, and its
 * construct properties are the keys of its group in a config file
 * @JOB_PLUGIN_HANDLER: runs jobs: its type implements #JobHandler
 *
 * What a module is for. A backend is looked for in the folder "backends", anything else in
 * "plugins".
 *
 * Since: 1.0
 */
typedef enum
{
  JOB_PLUGIN_BACKEND = 1,
  JOB_PLUGIN_HANDLER = 2,
} JobPluginKind;

typedef struct
{
  guint32 abi_version; /* first for ever: JOB_PLUGIN_ABI_VERSION, read before anything else */
  guint32 kind;        /* JobPluginKind */
  const char *name;    /* [a-z0-9-]+, equal to the module's file name without ".so" */
  GType (*get_type) (void);
  const char *location_property; /* which property the path of a "name:path" URI sets, or NULL */
  gpointer padding[8];
} JobPluginDescriptor;

#define JOB_PLUGIN_SYMBOL "job_plugin_descriptor"

#define JOB_PLUGIN_DEFINE(plugin_kind, plugin_name, plugin_get_type, plugin_location)              \
  __attribute__ ((visibility ("default"))) extern const JobPluginDescriptor job_plugin_descriptor; \
  const JobPluginDescriptor job_plugin_descriptor = {                                              \
    .abi_version = JOB_PLUGIN_ABI_VERSION,                                                         \
    .kind = (plugin_kind),                                                                         \
    .name = (plugin_name),                                                                         \
    .get_type = (plugin_get_type),                                                                 \
    .location_property = (plugin_location),                                                        \
  };

/* The descriptor of a plugin, loaded if need be; it stays loaded for the life of the process. */
JOB_API const JobPluginDescriptor *job_plugin_load (JobPluginKind kind, const char *name,
                                                    GError **error);
/* For static builds: what is registered is found before any module is looked for. */
JOB_API gboolean job_plugin_register (const JobPluginDescriptor *descriptor, GError **error);

G_END_DECLS
