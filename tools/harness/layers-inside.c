/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The layers that look inside: they drive the parts that the library does not export. */

#include "torture.h"

const TortureLayer *const torture_layers[] = {
  &layer_simulation,
  NULL, /* the end */
};
