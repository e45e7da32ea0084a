/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What the calls did, in their order, and its way into another process: a file of the events as
 * they are in memory, each with its two paths and its data behind it. */

#include "shim.h"

#include <string.h>

static GByteArray *events; /* guarded by the shim's lock; NULL: nothing is recorded */

static void
shim_event_clear (gpointer data)
{
  ShimEvent *event = data;

  g_free (event->path);
  g_free (event->to);
  g_free (event->data);
}

/* In a process that has one thread. */
void
shim_record (void)
{
  events = g_byte_array_new ();
}

gboolean
shim_is_recording (void)
{
  return events != NULL;
}

static void
append (gconstpointer data, gsize size)
{
  g_byte_array_append (events, (const guint8 *) &size, sizeof size);
  g_byte_array_append (events, data, size);
}

static void
append_text (const char *text)
{
  append (text ? text : "", text ? strlen (text) + 1 : 0);
}

/* With the shim's lock, between shim_enter() and shim_leave(). */
void
shim_add_event (ShimEvent event, const void *data)
{
  if (events == NULL)
    return;
  g_byte_array_append (events, (const guint8 *) &event, sizeof event);
  append_text (event.path);
  append_text (event.to);
  append (data, data ? event.size : 0);
}

void
shim_note (guint64 value)
{
  int error;

  if (events == NULL)
    return;
  shim_enter (SHIM_LOCK, "note", &error);
  shim_add_event ((ShimEvent){ .deed = SHIM_DID_NOTE, .offset = value }, NULL);
  shim_leave ();
}

gboolean
shim_save (const char *path)
{
  return g_file_set_contents (path, (const char *) events->data, events->len, NULL);
}

static gpointer
take (const char **at)
{
  gsize size;
  gpointer data;

  memcpy (&size, *at, sizeof size);
  data = g_memdup2 (*at + sizeof size, size);
  *at += sizeof size + size;
  return data;
}

GArray *
shim_load (const char *path)
{
  g_autofree char *bytes = NULL;
  GArray *loaded = g_array_new (FALSE, FALSE, sizeof (ShimEvent));
  gsize size;
  const char *at;

  g_array_set_clear_func (loaded, shim_event_clear);
  if (!g_file_get_contents (path, &bytes, &size, NULL))
    return loaded;
  at = bytes;
  while (at < bytes + size)
    {
      ShimEvent event;

      memcpy (&event, at, sizeof event);
      at += sizeof event;
      event.path = take (&at);
      event.to = take (&at);
      event.data = take (&at);
      g_array_append_val (loaded, event);
    }
  return loaded;
}
