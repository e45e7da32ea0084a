/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "job-macros.h"

G_BEGIN_DECLS

#define JOB_TYPE_LEASE (job_lease_get_type ())
JOB_API
G_DECLARE_FINAL_TYPE (JobLease, job_lease, JOB, LEASE, GObject)

JOB_API const char *job_lease_get_id (JobLease *self);
JOB_API const char *job_lease_get_token (JobLease *self);
JOB_API const char *job_lease_get_job_type (JobLease *self);
JOB_API const char *job_lease_get_channel (JobLease *self);
JOB_API const char *job_lease_get_args (JobLease *self);
JOB_API guint job_lease_get_attempt (JobLease *self);
JOB_API const char *const *job_lease_get_dependencies (JobLease *self);
JOB_API GCancellable *job_lease_get_cancellable (JobLease *self);

JOB_API gboolean job_lease_complete (JobLease *self, const char *result, GCancellable *cancellable,
                                     GError **error);
JOB_API void job_lease_complete_async (JobLease *self, const char *result,
                                       GCancellable *cancellable, GAsyncReadyCallback callback,
                                       gpointer user_data);
JOB_API gboolean job_lease_complete_finish (JobLease *self, GAsyncResult *result, GError **error);

JOB_API gboolean job_lease_fail (JobLease *self, const char *error_json, GCancellable *cancellable,
                                 GError **error);
JOB_API void job_lease_fail_async (JobLease *self, const char *error_json,
                                   GCancellable *cancellable, GAsyncReadyCallback callback,
                                   gpointer user_data);
JOB_API gboolean job_lease_fail_finish (JobLease *self, GAsyncResult *result, GError **error);

JOB_API gboolean job_lease_release (JobLease *self, GCancellable *cancellable, GError **error);
JOB_API void job_lease_release_async (JobLease *self, GCancellable *cancellable,
                                      GAsyncReadyCallback callback, gpointer user_data);
JOB_API gboolean job_lease_release_finish (JobLease *self, GAsyncResult *result, GError **error);

JOB_API gboolean job_lease_heartbeat (JobLease *self, GCancellable *cancellable, GError **error);
JOB_API void job_lease_heartbeat_async (JobLease *self, GCancellable *cancellable,
                                        GAsyncReadyCallback callback, gpointer user_data);
JOB_API gboolean job_lease_heartbeat_finish (JobLease *self, GAsyncResult *result, GError **error);

JOB_API GListModel *job_lease_list_dependencies (JobLease *self, GCancellable *cancellable,
                                                 GError **error);
JOB_API void job_lease_list_dependencies_async (JobLease *self, GCancellable *cancellable,
                                                GAsyncReadyCallback callback, gpointer user_data);
JOB_API GListModel *job_lease_list_dependencies_finish (JobLease *self, GAsyncResult *result,
                                                        GError **error);

G_END_DECLS
