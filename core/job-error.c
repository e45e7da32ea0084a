/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The one error domain of the library. A backend translates the codes of its libraries into these.
 */

#include "job-error.h"

/**
 * JobError:
 * @JOB_ERROR_FAILED: what no other code says
 * @JOB_ERROR_NOT_FOUND: there is no such job, or no running lease with this token
 * @JOB_ERROR_NOT_PENDING: the job may not be dequeued now
 * @JOB_ERROR_NOT_RUNNING: the job is not running, or is over already
 * @JOB_ERROR_CANCELED: the job was canceled. (A call whose #GCancellable was cancelled gives
 * %G_IO_ERROR_CANCELLED instead, as everywhere in GIO.)
 * @JOB_ERROR_TIMED_OUT: the timeout passed
 * @JOB_ERROR_INVALID: an argument is not what it has to be; nothing was done
 * @JOB_ERROR_LEASE_LOST: the token is not that of the running lease: another one has taken its
 * place
 * @JOB_ERROR_EXISTS: there is a job with this id already
 * @JOB_ERROR_LOCKED: another process, or another queue of this one, has the store open
 * @JOB_ERROR_CORRUPT: a record cannot be read
 * @JOB_ERROR_STORAGE: reading or writing failed: the disk is full, say
 * @JOB_ERROR_CLOSED: the queue was closed
 * @JOB_ERROR_VERSION: the store was written by a newer version of the library
 * @JOB_ERROR_CONFIG: a config file, a URI or an option is not right
 * @JOB_ERROR_PLUGIN: a module cannot be loaded
 *
 * What went wrong. The message of the error says what it was, where, and what to do.
 *
 * For the verbs that take an id and a token, the checks go in one order: no such job gives
 * %JOB_ERROR_NOT_FOUND; a canceled one %JOB_ERROR_CANCELED; a token that is not the running lease's
 * %JOB_ERROR_LEASE_LOST; a job that is not running %JOB_ERROR_NOT_RUNNING.
 *
 * Since: 1.0
 */

/**
 * JOB_ERROR:
 *
 * The error domain of the library; its codes are #JobError.
 *
 * Since: 1.0
 */

/* The nicknames are what bindings and error registries use. */
G_DEFINE_ENUM_TYPE (JobError, job_error, G_DEFINE_ENUM_VALUE (JOB_ERROR_FAILED, "failed"),
                    G_DEFINE_ENUM_VALUE (JOB_ERROR_NOT_FOUND, "not-found"),
                    G_DEFINE_ENUM_VALUE (JOB_ERROR_NOT_PENDING, "not-pending"),
                    G_DEFINE_ENUM_VALUE (JOB_ERROR_NOT_RUNNING, "not-running"),
                    G_DEFINE_ENUM_VALUE (JOB_ERROR_CANCELED, "canceled"),
                    G_DEFINE_ENUM_VALUE (JOB_ERROR_TIMED_OUT, "timed-out"),
                    G_DEFINE_ENUM_VALUE (JOB_ERROR_INVALID, "invalid"),
                    G_DEFINE_ENUM_VALUE (JOB_ERROR_LEASE_LOST, "lease-lost"),
                    G_DEFINE_ENUM_VALUE (JOB_ERROR_EXISTS, "exists"),
                    G_DEFINE_ENUM_VALUE (JOB_ERROR_LOCKED, "locked"),
                    G_DEFINE_ENUM_VALUE (JOB_ERROR_CORRUPT, "corrupt"),
                    G_DEFINE_ENUM_VALUE (JOB_ERROR_STORAGE, "storage"),
                    G_DEFINE_ENUM_VALUE (JOB_ERROR_CLOSED, "closed"),
                    G_DEFINE_ENUM_VALUE (JOB_ERROR_VERSION, "version"),
                    G_DEFINE_ENUM_VALUE (JOB_ERROR_CONFIG, "config"),
                    G_DEFINE_ENUM_VALUE (JOB_ERROR_PLUGIN, "plugin"))

/**
 * job_error_quark:
 *
 * The error domain of the library.
 *
 * Returns: the quark behind %JOB_ERROR
 *
 * Since: 1.0
 */
/* clang-format off: it takes the name for a subtraction */
G_DEFINE_QUARK (job-error-quark, job_error)
/* clang-format on */
