/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The strict JSON scanner (RFC 8259): every JSON text passes it once, on its way in. */

#pragma once

#ifndef JOBQUEUE_ENABLE_BACKEND
#error "Only for backends and plugins: define JOBQUEUE_ENABLE_BACKEND before including this header."
#endif

#include "job-macros.h"

G_BEGIN_DECLS

#define JOB_JSON_MAX_DEPTH 512
#define JOB_JSON_MAX_BYTES (64 * 1024 * 1024)
/* A document of a store, which embeds such values, may be deeper and longer. */
#define JOB_JSON_DOCUMENT_MAX_DEPTH 520
#define JOB_JSON_DOCUMENT_MAX_BYTES (4 * JOB_JSON_MAX_BYTES)

/* Checks that @text is exactly one JSON value: UTF-8, no duplicate keys in an object, numbers that
 * a double can hold the magnitude of, \\u escapes in well-formed pairs, at most JOB_JSON_MAX_DEPTH
 * deep and JOB_JSON_MAX_BYTES long. @what ("args", "result" …) names the culprit in the error,
 * which is JOB_ERROR_INVALID and gives the byte offset. Never recurses. @length -1: NUL-terminated.
 * On success *start and *end (either may be NULL) are the value without the white space around it.
 */
JOB_API gboolean job_json_check (const char *text, gssize length, const char *what,
                                 const char **start, const char **end, GError **error);
/* The same with the limits of a store's document. */
JOB_API gboolean job_json_check_document (const char *text, gssize length, const char *what,
                                          const char **start, const char **end, GError **error);
/* The same as job_json_check(), and a copy of the value without the white space around it, byte for
 * byte. NULL text: "null". */
JOB_API char *job_json_dup_checked (const char *text, const char *what, GError **error);

/* Walks the members of an object in a text that job_json_check() passed. Keys and values are raw
 * slices: a key without its quotes, escapes as they stand. */
typedef struct
{
  const char *next;
  const char *end;
} JobJsonIter;

JOB_API gboolean job_json_iter_init (JobJsonIter *iter, const char *object, gsize length);
JOB_API gboolean job_json_iter_next (JobJsonIter *iter, const char **key, gsize *key_length,
                                     const char **value, gsize *value_length);
/* The same for the elements of an array. */
JOB_API gboolean job_json_iter_init_array (JobJsonIter *iter, const char *array, gsize length);
JOB_API gboolean job_json_iter_next_element (JobJsonIter *iter, const char **value,
                                             gsize *value_length);
/* The text of a raw string slice (with its quotes), unescaped; NULL if it is not a string, or has a
 * NUL. */
JOB_API char *job_json_dup_string (const char *value, gsize length);
/* Appends @text as a JSON string, with its quotes. @text must be UTF-8. */
JOB_API void job_json_append_string (GString *out, const char *text);

G_END_DECLS
