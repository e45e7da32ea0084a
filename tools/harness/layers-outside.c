/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The layers that see the library as an application does: through its public interface, with the
 * backends as modules. */

#include "torture.h"

const TortureLayer *const torture_layers[] = {
  &layer_faults,
  &layer_kill,
  &layer_power,
  &layer_block,
  &layer_endurance,
  NULL, /* the end */
};
