/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The functions of a queue that is never called: it is only ever opened. */

#pragma once

#include "jobqueue-backend.h"

static void
deaf_never_called (void)
{
  g_assert_not_reached ();
}

static inline void
deaf_iface_init (JobQueueInterface *iface)
{
  gpointer *end = iface->padding;

  for (gpointer *vfunc = (gpointer *) &iface->enqueue; vfunc < end; vfunc++)
    *vfunc = deaf_never_called;
}
