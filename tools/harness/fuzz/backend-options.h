/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What the targets that open queues share: backends that open nothing. All names that a real one
 * has are taken by the one of tests/bad-modules/fake.c, which has an option of each kind and shows
 * what it was given: whatever an input names, no file is made. */

#pragma once

#include "fuzz.h"

G_BEGIN_DECLS

void backend_options_register (void);

/* Whether an option of the queue is what @text says, told without the library's parser. */
void backend_options_assert_is (JobQueue *queue, const char *name, const char *text);

void backend_options_assert_same (JobQueue *a, JobQueue *b);

G_END_DECLS
