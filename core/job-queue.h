/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The interface that applications use: every verb, as a blocking call and as an asynchronous pair.
 */

#pragma once

#include "job-clock.h"
#include "job-damage.h"
#include "job-filter.h"
#include "job-info.h"
#include "job-lease.h"
#include "job-spec.h"

G_BEGIN_DECLS

#define JOB_TYPE_QUEUE (job_queue_get_type ())
JOB_API
G_DECLARE_INTERFACE (JobQueue, job_queue, JOB, QUEUE, GObject)

/* Opening one: job-queue-config.c, job-queue-uri.c, job-queue-open.c */
JOB_API JobQueue *job_queue_new_from_config (const char *path, GError **error);
JOB_API JobQueue *job_queue_new_from_key_file (GKeyFile *key_file, GError **error);
JOB_API JobQueue *job_queue_new_for_uri (const char *uri, GError **error);
JOB_API JobQueue *job_queue_new_for_backend (const char *backend, GHashTable *options,
                                             JobClock *clock, GError **error);

/* The verbs: job-queue.c */

JOB_API char *job_queue_enqueue (JobQueue *self, JobSpec *spec, GCancellable *cancellable,
                                 GError **error);
JOB_API void job_queue_enqueue_async (JobQueue *self, JobSpec *spec, GCancellable *cancellable,
                                      GAsyncReadyCallback callback, gpointer user_data);
JOB_API char *job_queue_enqueue_finish (JobQueue *self, GAsyncResult *async_result, GError **error);

JOB_API char **job_queue_enqueue_many (JobQueue *self, JobSpec **specs, gsize n_specs,
                                       GCancellable *cancellable, GError **error);
JOB_API void job_queue_enqueue_many_async (JobQueue *self, JobSpec **specs, gsize n_specs,
                                           GCancellable *cancellable, GAsyncReadyCallback callback,
                                           gpointer user_data);
JOB_API char **job_queue_enqueue_many_finish (JobQueue *self, GAsyncResult *async_result,
                                              GError **error);

JOB_API JobLease *job_queue_dequeue (JobQueue *self, const char *const *types,
                                     const char *const *channels, gint64 timeout,
                                     GCancellable *cancellable, GError **error);
JOB_API void job_queue_dequeue_async (JobQueue *self, const char *const *types,
                                      const char *const *channels, gint64 timeout,
                                      GCancellable *cancellable, GAsyncReadyCallback callback,
                                      gpointer user_data);
JOB_API JobLease *job_queue_dequeue_finish (JobQueue *self, GAsyncResult *async_result,
                                            GError **error);

JOB_API JobLease *job_queue_dequeue_by_id (JobQueue *self, const char *id,
                                           GCancellable *cancellable, GError **error);
JOB_API void job_queue_dequeue_by_id_async (JobQueue *self, const char *id,
                                            GCancellable *cancellable, GAsyncReadyCallback callback,
                                            gpointer user_data);
JOB_API JobLease *job_queue_dequeue_by_id_finish (JobQueue *self, GAsyncResult *async_result,
                                                  GError **error);

JOB_API gboolean job_queue_complete (JobQueue *self, const char *id, const char *token,
                                     const char *result, GCancellable *cancellable, GError **error);
JOB_API void job_queue_complete_async (JobQueue *self, const char *id, const char *token,
                                       const char *result, GCancellable *cancellable,
                                       GAsyncReadyCallback callback, gpointer user_data);
JOB_API gboolean job_queue_complete_finish (JobQueue *self, GAsyncResult *async_result,
                                            GError **error);

JOB_API gboolean job_queue_fail (JobQueue *self, const char *id, const char *token,
                                 const char *error_json, GCancellable *cancellable, GError **error);
JOB_API void job_queue_fail_async (JobQueue *self, const char *id, const char *token,
                                   const char *error_json, GCancellable *cancellable,
                                   GAsyncReadyCallback callback, gpointer user_data);
JOB_API gboolean job_queue_fail_finish (JobQueue *self, GAsyncResult *async_result, GError **error);

JOB_API gboolean job_queue_release (JobQueue *self, const char *id, const char *token,
                                    GCancellable *cancellable, GError **error);
JOB_API void job_queue_release_async (JobQueue *self, const char *id, const char *token,
                                      GCancellable *cancellable, GAsyncReadyCallback callback,
                                      gpointer user_data);
JOB_API gboolean job_queue_release_finish (JobQueue *self, GAsyncResult *async_result,
                                           GError **error);

JOB_API gboolean job_queue_cancel (JobQueue *self, const char *id, GCancellable *cancellable,
                                   GError **error);
JOB_API void job_queue_cancel_async (JobQueue *self, const char *id, GCancellable *cancellable,
                                     GAsyncReadyCallback callback, gpointer user_data);
JOB_API gboolean job_queue_cancel_finish (JobQueue *self, GAsyncResult *async_result,
                                          GError **error);

JOB_API gboolean job_queue_heartbeat (JobQueue *self, const char *id, const char *token,
                                      GCancellable *cancellable, GError **error);
JOB_API void job_queue_heartbeat_async (JobQueue *self, const char *id, const char *token,
                                        GCancellable *cancellable, GAsyncReadyCallback callback,
                                        gpointer user_data);
JOB_API gboolean job_queue_heartbeat_finish (JobQueue *self, GAsyncResult *async_result,
                                             GError **error);

JOB_API char *job_queue_lookup_token (JobQueue *self, const char *token, GCancellable *cancellable,
                                      GError **error);
JOB_API void job_queue_lookup_token_async (JobQueue *self, const char *token,
                                           GCancellable *cancellable, GAsyncReadyCallback callback,
                                           gpointer user_data);
JOB_API char *job_queue_lookup_token_finish (JobQueue *self, GAsyncResult *async_result,
                                             GError **error);

JOB_API JobInfo *job_queue_get_info (JobQueue *self, const char *id, GCancellable *cancellable,
                                     GError **error);
JOB_API void job_queue_get_info_async (JobQueue *self, const char *id, GCancellable *cancellable,
                                       GAsyncReadyCallback callback, gpointer user_data);
JOB_API JobInfo *job_queue_get_info_finish (JobQueue *self, GAsyncResult *async_result,
                                            GError **error);

JOB_API JobInfo *job_queue_wait (JobQueue *self, const char *id, gint64 timeout,
                                 GCancellable *cancellable, GError **error);
JOB_API void job_queue_wait_async (JobQueue *self, const char *id, gint64 timeout,
                                   GCancellable *cancellable, GAsyncReadyCallback callback,
                                   gpointer user_data);
JOB_API JobInfo *job_queue_wait_finish (JobQueue *self, GAsyncResult *async_result, GError **error);

JOB_API GListModel *job_queue_list (JobQueue *self, JobFilter *filter, GCancellable *cancellable,
                                    GError **error);
JOB_API void job_queue_list_async (JobQueue *self, JobFilter *filter, GCancellable *cancellable,
                                   GAsyncReadyCallback callback, gpointer user_data);
JOB_API GListModel *job_queue_list_finish (JobQueue *self, GAsyncResult *async_result,
                                           GError **error);

JOB_API GListModel *job_queue_list_leases (JobQueue *self, gint64 older_than,
                                           GCancellable *cancellable, GError **error);
JOB_API void job_queue_list_leases_async (JobQueue *self, gint64 older_than,
                                          GCancellable *cancellable, GAsyncReadyCallback callback,
                                          gpointer user_data);
JOB_API GListModel *job_queue_list_leases_finish (JobQueue *self, GAsyncResult *async_result,
                                                  GError **error);

JOB_API GListModel *job_queue_list_damaged (JobQueue *self, GCancellable *cancellable,
                                            GError **error);
JOB_API void job_queue_list_damaged_async (JobQueue *self, GCancellable *cancellable,
                                           GAsyncReadyCallback callback, gpointer user_data);
JOB_API GListModel *job_queue_list_damaged_finish (JobQueue *self, GAsyncResult *async_result,
                                                   GError **error);

JOB_API GListModel *job_queue_move_damaged (JobQueue *self, const char *directory,
                                            GCancellable *cancellable, GError **error);
JOB_API void job_queue_move_damaged_async (JobQueue *self, const char *directory,
                                           GCancellable *cancellable, GAsyncReadyCallback callback,
                                           gpointer user_data);
JOB_API GListModel *job_queue_move_damaged_finish (JobQueue *self, GAsyncResult *async_result,
                                                   GError **error);

JOB_API gboolean job_queue_close (JobQueue *self, GCancellable *cancellable, GError **error);
JOB_API void job_queue_close_async (JobQueue *self, GCancellable *cancellable,
                                    GAsyncReadyCallback callback, gpointer user_data);
JOB_API gboolean job_queue_close_finish (JobQueue *self, GAsyncResult *async_result,
                                         GError **error);

G_END_DECLS
