/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The rules for types and channels, wherever they come in. */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

#define JOB_NAME_MAX_BYTES 255
#define JOB_NAME_MAX_LISTED 10000

/* 1 to 255 bytes of UTF-8. */
gboolean job_name_check_type (const char *type, GError **error);
/* 0 to 255 bytes of UTF-8. */
gboolean job_name_check_channel (const char *channel, GError **error);
/* A list of either: NULL means any; an empty one, or one of more than 10,000 names, is refused. */
gboolean job_name_check_types (const char *const *types, GError **error);
gboolean job_name_check_channels (const char *const *channels, GError **error);
/* @text for an error message: in quotes, valid UTF-8, cut to a sane length; NULL: "NULL". */
char *job_name_quote (const char *text);

G_END_DECLS
