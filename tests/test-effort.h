/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* How much a test does, where a number only makes it likelier to meet a rare mistake, or makes a
 * cost felt. Both are the matter of a run at full speed. A run under valgrind has to come by each
 * line, and is some thirty times slower: tools/test sets JOBQUEUE_TEST_QUICK for it. */

#pragma once

#include <glib.h>

static inline guint
test_effort (guint all, guint quick)
{
  static int is_quick = -1; /* atomic: not known yet */

  if (g_atomic_int_get (&is_quick) < 0)
    g_atomic_int_set (&is_quick, g_getenv ("JOBQUEUE_TEST_QUICK") != NULL);
  return g_atomic_int_get (&is_quick) ? quick : all;
}
