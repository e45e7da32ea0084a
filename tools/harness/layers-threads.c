/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The layer that is about threads has a program of its own: without the shim, whose own lock would
 * bring the threads in line, and which ThreadSanitizer, that stands before the same calls, would
 * not go with. */

#include "torture.h"

const TortureLayer *const torture_layers[] = {
  &layer_threads, NULL, /* the end */
};
