/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The answer of one asynchronous call, and how a test waits for it: by iterating its context. */

#include "conformance-private.h"

void
answer_cb (GObject *source, GAsyncResult *result, gpointer data)
{
  Answer *self = data;

  g_assert_null (self->result); /* a call is answered once */
  g_assert_true (g_async_result_get_source_object (result) == source);
  g_object_unref (source);
  self->result = g_object_ref (result);
  self->thread = g_thread_self ();
  if (self->counter != NULL)
    self->order = (*self->counter)++;
}

GAsyncResult *
answer_wait (Answer *self)
{
  while (self->result == NULL)
    g_main_context_iteration (g_main_context_get_thread_default (), TRUE);

  return self->result;
}

void
answer_clear (Answer *self)
{
  g_clear_object (&self->result);
}

static gboolean
note_cancelled (GCancellable *cancellable, gpointer data)
{
  gboolean *fired = data;

  *fired = TRUE;
  return G_SOURCE_REMOVE;
}

void
await_cancelled (GCancellable *cancellable)
{
  g_autoptr (GSource) source = g_cancellable_source_new (cancellable);
  gboolean fired = FALSE;

  g_source_set_callback (source, G_SOURCE_FUNC (note_cancelled), &fired, NULL);
  g_source_attach (source, g_main_context_get_thread_default ());
  while (!fired)
    g_main_context_iteration (g_main_context_get_thread_default (), TRUE);
}

void
iterate_ready (void)
{
  while (g_main_context_iteration (g_main_context_get_thread_default (), FALSE))
    ;
}
