/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A module of another ABI: whoever reads more than its version gets a pointer to nowhere. */

#include "job-plugin.h"

JOB_API const JobPluginDescriptor job_plugin_descriptor;

const JobPluginDescriptor job_plugin_descriptor = {
  .abi_version = JOB_PLUGIN_ABI_VERSION + 1,
  .kind = JOB_PLUGIN_BACKEND,
  .name = (const char *) 8,
  .get_type = (GType (*) (void)) 8,
  .location_property = (const char *) 8,
};
