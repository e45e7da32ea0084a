/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What the strict JSON scanner has to answer, told by a parser of its own that is as plain as the
 * grammar: it recurses, and shares no code with the scanner. */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

gboolean reference_json_accepts (const char *text, gsize length, guint max_depth);

G_END_DECLS
