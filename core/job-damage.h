/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "job-macros.h"

G_BEGIN_DECLS

#define JOB_TYPE_DAMAGE (job_damage_get_type ())
JOB_API
G_DECLARE_FINAL_TYPE (JobDamage, job_damage, JOB, DAMAGE, GObject)

JOB_API const char *job_damage_get_location (JobDamage *self);
JOB_API const char *job_damage_get_message (JobDamage *self);
JOB_API const char *job_damage_get_id (JobDamage *self);

G_END_DECLS
