/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* How a function of the C library is replaced: for the files of the shim, and for nobody else. */

#pragma once

#include "shim.h"

#include <errno.h>

G_BEGIN_DECLS

/* Found when it is called first; two threads find the same. */
#define SHIM_REAL(name)                                                                            \
  ({                                                                                               \
    static __typeof__ (&name) real;                                                                \
    if (real == NULL)                                                                              \
      real = (__typeof__ (&name)) dlsym (RTLD_NEXT, #name);                                        \
    real;                                                                                          \
  })

/* A call that returns 0 or -1. */
#define SHIM_SIMPLE(call, path, real_call, ...)                                                    \
  ({                                                                                               \
    const char *where_ = (path);                                                                   \
    int error_, result_;                                                                           \
    if (where_ == NULL)                                                                            \
      result_ = (real_call);                                                                       \
    else                                                                                           \
      {                                                                                            \
        if (shim_enter (call, where_, &error_) == SHIM_PASS)                                       \
          {                                                                                        \
            result_ = (real_call);                                                                 \
            if (result_ == 0)                                                                      \
              shim_note_done ((ShimEvent){ __VA_ARGS__ });                                         \
          }                                                                                        \
        else                                                                                       \
          {                                                                                        \
            result_ = -1;                                                                          \
            errno = error_;                                                                        \
          }                                                                                        \
        shim_leave ();                                                                             \
      }                                                                                            \
    result_;                                                                                       \
  })

#define SHIM_NOTHING .deed = SHIM_DID_NOTE, .offset = G_MAXUINT64

static inline void
shim_note_done (ShimEvent event)
{
  int saved_errno = errno;

  if (event.deed != SHIM_DID_NOTE)
    shim_add_event (event, NULL);
  errno = saved_errno;
}

G_END_DECLS
