/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What comes to a context: in order, whoever iterates it; and what may wait for it to be opened. */

#include "job-delivery-private.h"

typedef struct _Item Item;

struct _Item
{
  JobParcel parcel; /* first */
  GString *trace;
  const char *name;
  void (*then) (Item *item);
};

static void
open_item (JobParcel *parcel)
{
  Item *item = (Item *) parcel;

  g_assert_true (job_delivery_is_opening (item->parcel.context));
  g_string_append (item->trace, item->name);
  if (item->then)
    item->then (item);
}

static void
drop_item (JobParcel *parcel)
{
  g_string_append_c (((Item *) parcel)->trace, '-');
}

static void
push (Item *items, const char *names, GString *trace, GMainContext *context)
{
  for (guint i = 0; names[i]; i++)
    {
      items[i].trace = trace;
      items[i].name = g_intern_string ((char[]){ names[i], '\0' });
      job_delivery_push (&items[i].parcel, context, open_item, drop_item);
    }
}

static void
iterate (GMainContext *context)
{
  while (g_main_context_iteration (context, FALSE))
    ;
}

static void
assert_trace (GString *trace, const char *expected)
{
  g_assert_cmpstr (trace->str, ==, expected);
  g_string_free (trace, TRUE);
}

static void
test_comes_in_order (void)
{
  g_autoptr (GMainContext) context = g_main_context_new ();
  g_autoptr (GMainContext) other = g_main_context_new ();
  GString *trace = g_string_new (NULL);
  Item items[6] = { 0 };
  GQueue round;

  job_delivery_begin_round (&round);
  push (items, "ab", trace, context);
  push (items + 2, "x", trace, other);
  push (items + 3, "cd", trace, context);
  iterate (context);
  g_assert_cmpuint (trace->len, ==, 0);
  job_delivery_end_round (&round);
  push (items + 5, "e", trace, context);
  iterate (context);
  iterate (other);
  assert_trace (trace, "abcdex");
}

static gpointer
run_once (gpointer data)
{
  GMainContext *context = data;

  g_main_context_iteration (context, TRUE);
  return NULL;
}

/* Also when the source is there already, and sleeps. */
static void
test_wakes_who_sleeps (void)
{
  g_autoptr (GMainContext) context = g_main_context_new ();
  GString *trace = g_string_new (NULL);
  Item items[3] = { 0 };

  push (items, "a", trace, context);
  for (guint i = 1; i < 3; i++)
    {
      GThread *thread;

      iterate (context);
      thread = g_thread_new ("sleeper", run_once, context);
      push (items + i, i == 1 ? "b" : "c", trace, context);
      g_thread_join (thread);
    }
  iterate (context);
  assert_trace (trace, "abc");
}

static void
iterate_inside (Item *item)
{
  g_string_append_c (item->trace, '(');
  iterate (item->parcel.context);
  g_string_append_c (item->trace, ')');
}

static void
test_callback_may_iterate (void)
{
  g_autoptr (GMainContext) context = g_main_context_new ();
  GString *trace = g_string_new (NULL);
  Item items[3] = { [0].then = iterate_inside };

  push (items, "abc", trace, context);
  iterate (context);
  assert_trace (trace, "a(bc)");
}

static void
test_goes_with_the_context (void)
{
  GMainContext *context = g_main_context_new ();
  GString *trace = g_string_new (NULL);
  Item items[2] = { 0 };

  push (items, "ab", trace, context);
  g_main_context_unref (context);

  context = g_main_context_new (); /* perhaps at the same address */
  g_assert_false (job_delivery_put_off (context, 1, 0, NULL, NULL));
  g_main_context_unref (context);
  assert_trace (trace, "--");
}

#define N_CONTEXTS 20000

static void
must_not_drop (JobParcel *parcel)
{
  g_assert_not_reached ();
}

static gpointer
use_many_contexts (gpointer data)
{
  g_autoptr (GString) trace = g_string_new (NULL);

  for (guint i = 0; i < N_CONTEXTS; i++)
    {
      g_autoptr (GMainContext) context = g_main_context_new ();
      Item item = { .trace = trace, .name = "" };

      job_delivery_push (&item.parcel, context, open_item, must_not_drop);
      g_main_context_iteration (context, TRUE);
      g_assert_false (g_main_context_pending (context));
    }
  return NULL;
}

/* The end of one context may still be under way when another one has its address. */
static void
test_knows_contexts_apart (void)
{
  GThread *threads[2];

  for (guint i = 0; i < G_N_ELEMENTS (threads); i++)
    threads[i] = g_thread_new ("user", use_many_contexts, NULL);
  for (guint i = 0; i < G_N_ELEMENTS (threads); i++)
    g_thread_join (threads[i]);
}

/* --- putting off ------------------------------------------------------------------------------ */

static void
note_nudge (gpointer data)
{
  g_string_append_c (data, '!');
}

static void
put_off (Item *item)
{
  if (job_delivery_put_off (item->parcel.context, 1, 0, note_nudge, item->trace))
    g_string_append_c (item->trace, '.');
}

static void
test_put_off_until_half (void)
{
  g_autoptr (GMainContext) context = g_main_context_new ();
  GString *trace = g_string_new (NULL);
  Item items[8] = { [0].then = put_off };

  push (items, "abcdefgh", trace, context);
  iterate (context);
  assert_trace (trace, "a.bcd!efgh");
}

static void
put_off_patiently (Item *item)
{
  gint64 patience = G_MAXINT32;

  g_assert_true (job_delivery_put_off (item->parcel.context, 1, patience, note_nudge, item->trace));
}

/* If all of it takes less time than what is put off. But the last one is never waited for. */
static void
test_put_off_until_the_last (void)
{
  g_autoptr (GMainContext) context = g_main_context_new ();
  GString *trace = g_string_new (NULL);
  Item items[8] = { 0 };
  Item more[8] = { [0].then = put_off_patiently };

  push (items, "abcdefgh", trace, context);
  iterate (context);
  push (more, "abcdefgh", trace, context);
  iterate (context);
  assert_trace (trace, "abcdefghabcdefg!h");
}

static void
put_off_and_iterate (Item *item)
{
  put_off (item);
  iterate_inside (item);
}

/* Whoever waits for what was put off, in a callback, gets it. */
static void
test_put_off_amid_iterations (void)
{
  g_autoptr (GMainContext) context = g_main_context_new ();
  GString *trace = g_string_new (NULL);
  Item items[6] = { [0].then = put_off_and_iterate, [5].then = put_off_and_iterate };

  items[1].then = iterate_inside;
  items[2].then = put_off;
  push (items, "abcdef", trace, context);
  iterate (context);
  assert_trace (trace, "a.(b(c.!d!ef()))");
}

static void
test_put_off_from_another_thread (void)
{
  g_autoptr (GMainContext) context = g_main_context_new ();
  GString *trace = g_string_new (NULL);
  Item items[4] = { 0 };

  g_assert_false (job_delivery_put_off (context, 1, 0, note_nudge, trace));
  push (items, "abcd", trace, context);
  g_assert_false (job_delivery_is_opening (context));
  g_assert_false (job_delivery_put_off (context, 4, 0, note_nudge, trace));
  g_assert_true (job_delivery_put_off (context, 1, 0, note_nudge, trace));
  iterate (context);
  g_assert_false (job_delivery_put_off (context, 1, 0, note_nudge, trace));
  assert_trace (trace, "a!bcd");
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
#define ADD(path, func) g_test_add_func ("/delivery/" path, test_##func)
  ADD ("comes-in-order", comes_in_order);
  ADD ("wakes-who-sleeps", wakes_who_sleeps);
  ADD ("callback-may-iterate", callback_may_iterate);
  ADD ("goes-with-the-context", goes_with_the_context);
  ADD ("knows-contexts-apart", knows_contexts_apart);
  ADD ("put-off/until-half", put_off_until_half);
  ADD ("put-off/until-the-last", put_off_until_the_last);
  ADD ("put-off/amid-iterations", put_off_amid_iterations);
  ADD ("put-off/from-another-thread", put_off_from_another_thread);
  return g_test_run ();
}
