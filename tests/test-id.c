/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Ids and tokens. */

#include "job-error.h"
#include "job-id.h"
#include "test-effort.h"

#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define NOW (g_get_real_time () * 1000)
#define MANY test_effort (1000000, 100000)
#define N_THREADS 4
#define IDS_PER_THREAD test_effort (250000, 25000)
#define MILLISECOND G_GINT64_CONSTANT (1000000)

/* The first eight bytes as a number: what a store may use as its key. */
static guint64
get_head (const JobId *id)
{
  guint64 head;

  memcpy (&head, id->bytes, sizeof head);
  return GUINT64_FROM_BE (head);
}

static guint64
get_milliseconds (const JobId *id)
{
  return get_head (id) >> 16;
}

static void
assert_rises (const JobId *before, const JobId *after)
{
  g_assert_cmpuint (get_head (after), >, get_head (before));
  g_assert_cmpint (job_id_compare (before, after), <, 0);
}

static void
test_ids_rise (void)
{
  JobId last, id;

  job_id_new (&last, NOW);
  for (guint i = 0; i < MANY; i++)
    {
      job_id_new (&id, NOW);
      assert_rises (&last, &id);
      last = id;
    }
}

static void
test_ids_rise_while_the_clock_stands (void)
{
  gint64 stopped = NOW;
  JobId last, id;

  job_id_new (&last, stopped);
  for (guint i = 0; i < 100000; i++)
    {
      job_id_new (&id, stopped);
      assert_rises (&last, &id);
      last = id;
    }
}

static void
test_ids_rise_when_the_clock_goes_back (void)
{
  const gint64 times[] = { NOW, NOW - 3600 * 1000 * MILLISECOND, 0, -1, G_MININT64, NOW };
  JobId last, id;

  job_id_new (&last, NOW);
  for (gsize i = 0; i < G_N_ELEMENTS (times); i++)
    for (guint j = 0; j < 10000; j++)
      {
        job_id_new (&id, times[i]);
        assert_rises (&last, &id);
        last = id;
      }
}

/* The time after the newest id, so that no id made before pushes the clock's aside. */
static void
test_ids_carry_the_time (void)
{
  JobId newest, id;
  gint64 later;

  job_id_new (&newest, NOW);
  later = (gint64) get_milliseconds (&newest) + 2;
  job_id_new (&id, later * MILLISECOND);
  g_assert_cmpuint (get_milliseconds (&id), ==, later);
  g_assert_cmpuint (get_head (&id) & 0xfff, ==, 0);
  job_id_new (&id, later * MILLISECOND + MILLISECOND / 2);
  g_assert_cmpuint (get_milliseconds (&id), ==, later);
  g_assert_cmpuint (get_head (&id) & 0xfff, ==, 2048);
  job_id_new (&id, later * MILLISECOND + MILLISECOND - 1);
  g_assert_cmpuint (get_milliseconds (&id), ==, later);
  g_assert_cmpuint (get_head (&id) & 0xfff, ==, 4095);
  job_id_new (&id, later * MILLISECOND);
  g_assert_cmpuint (get_milliseconds (&id), ==, later + 1);
}

/* Each thread fills its part of the ids. */
static gpointer
make_ids (gpointer data)
{
  JobId *ids = data;

  for (guint i = 0; i < IDS_PER_THREAD; i++)
    job_id_new (&ids[i], NOW);
  return NULL;
}

static int
compare_ids (gconstpointer a, gconstpointer b)
{
  return job_id_compare (a, b);
}

static void
test_ids_of_all_threads_differ (void)
{
  g_autofree JobId *ids = g_new (JobId, N_THREADS * IDS_PER_THREAD);
  GThread *threads[N_THREADS];

  for (guint i = 0; i < N_THREADS; i++)
    threads[i] = g_thread_new ("ids", make_ids, ids + i * IDS_PER_THREAD);
  for (guint i = 0; i < N_THREADS; i++)
    g_thread_join (threads[i]);

  for (guint i = 0; i < N_THREADS; i++)
    for (guint j = 1; j < IDS_PER_THREAD; j++)
      assert_rises (&ids[i * IDS_PER_THREAD + j - 1], &ids[i * IDS_PER_THREAD + j]);
  qsort (ids, N_THREADS * IDS_PER_THREAD, sizeof *ids, compare_ids);
  for (guint i = 1; i < N_THREADS * IDS_PER_THREAD; i++)
    assert_rises (&ids[i - 1], &ids[i]);
}

typedef struct
{
  GMutex lock;
  JobId last; /* lock */
} Baton;

static gpointer
pass_baton (gpointer data)
{
  Baton *baton = data;

  for (guint i = 0; i < 20000; i++)
    {
      JobId id;

      g_mutex_lock (&baton->lock);
      job_id_new (&id, NOW);
      assert_rises (&baton->last, &id);
      baton->last = id;
      g_mutex_unlock (&baton->lock);
    }
  return NULL;
}

static void
test_ids_rise_from_thread_to_thread (void)
{
  Baton baton;
  GThread *threads[N_THREADS];

  g_mutex_init (&baton.lock);
  job_id_new (&baton.last, NOW);
  for (guint i = 0; i < N_THREADS; i++)
    threads[i] = g_thread_new ("baton", pass_baton, &baton);
  for (guint i = 0; i < N_THREADS; i++)
    g_thread_join (threads[i]);
  g_mutex_clear (&baton.lock);
}

static void
assert_version (const JobId *id, guint version)
{
  g_assert_cmpuint (id->bytes[6] >> 4, ==, version);
  g_assert_cmpuint (id->bytes[8] >> 6, ==, 2);
  g_assert_false (job_id_is_nil (id));
}

static void
test_version_and_variant (void)
{
  for (guint i = 0; i < 10000; i++)
    {
      JobId id, token;

      job_id_new (&id, NOW);
      job_id_new_token (&token);
      assert_version (&id, 7);
      assert_version (&token, 4);
    }
}

/* How often each of the 128 bits is set in @n ids. A fair bit strays from n / 2 by more than 7
 * sigma, that is 3.5 * sqrt (n), less than once in 10^11 runs. */
static void
count_bits (guint counts[128], const JobId *id)
{
  for (guint i = 0; i < 128; i++)
    counts[i] += id->bytes[i / 8] >> (7 - i % 8) & 1;
}

static void
assert_random (const guint counts[128], guint n, guint from)
{
  for (guint i = from; i < 128; i++)
    if (!(i >= 48 && i < 52) && !(i >= 64 && i < 66))
      {
        g_assert_cmpuint (counts[i], >, n / 2 - 350);
        g_assert_cmpuint (counts[i], <, n / 2 + 350);
      }
}

static void
test_random_bits_are_random (void)
{
  guint of_ids[128] = { 0 }, of_tokens[128] = { 0 };
  g_autoptr (GHashTable) tokens = g_hash_table_new_full (job_id_hash, job_id_equal, g_free, NULL);

  for (guint i = 0; i < 10000; i++)
    {
      JobId id;
      JobId *token = g_new (JobId, 1);

      job_id_new (&id, NOW);
      job_id_new_token (token);
      count_bits (of_ids, &id);
      count_bits (of_tokens, token);
      g_assert_true (g_hash_table_add (tokens, token));
    }
  assert_random (of_ids, 10000, 64);
  assert_random (of_tokens, 10000, 0);
}

static void
make_tokens_in_child (JobId *tokens, gsize n)
{
  int fds[2], status;
  pid_t child;

  g_assert_cmpint (pipe (fds), ==, 0);
  child = fork ();
  g_assert_cmpint (child, >=, 0);
  if (child == 0)
    {
      for (gsize i = 0; i < n; i++)
        job_id_new_token (&tokens[i]);
      _exit (write (fds[1], tokens, n * sizeof *tokens) == (gssize) (n * sizeof *tokens) ? 0 : 1);
    }
  g_assert_cmpint (waitpid (child, &status, 0), ==, child);
  g_assert_cmpint (status, ==, 0);
  g_assert_cmpint (read (fds[0], tokens, n * sizeof *tokens), ==, n * sizeof *tokens);
  close (fds[0]);
  close (fds[1]);
}

/* A child that forgets to exec still has no random bytes of its parent's. */
static void
test_fork_shares_no_tokens (void)
{
  JobId token, of_child[256];
  g_autoptr (GHashTable) known = NULL;

  job_id_new_token (&token);
  make_tokens_in_child (of_child, G_N_ELEMENTS (of_child));
  known = g_hash_table_new (job_id_hash, job_id_equal);
  for (gsize i = 0; i < G_N_ELEMENTS (of_child); i++)
    g_hash_table_add (known, &of_child[i]);
  for (gsize i = 0; i < G_N_ELEMENTS (of_child); i++)
    {
      job_id_new_token (&token);
      g_assert_false (g_hash_table_contains (known, &token));
    }
}

static void
test_text_survives_a_round_trip (void)
{
  static const JobId known = { { 0x01, 0x89, 0x0a, 0x5d, 0xac, 0x96, 0x77, 0x4b, 0xbc, 0xce, 0xb3,
                                 0x02, 0x09, 0x9a, 0x80, 0x57 } };
  char text[JOB_ID_TEXT_SIZE];
  g_autofree char *copy = job_id_dup_text (&known);
  g_autoptr (GError) error = NULL;
  JobId id;

  job_id_to_text (&known, text);
  g_assert_cmpstr (text, ==, "01890a5d-ac96-774b-bcce-b302099a8057");
  g_assert_cmpstr (copy, ==, text);
  g_assert_true (job_id_parse (text, "id", &id, &error));
  g_assert_no_error (error);
  g_assert_true (job_id_equal (&id, &known));
  g_assert_true (job_id_parse ("01890A5D-AC96-774B-BCCE-B302099A8057", "id", &id, &error));
  g_assert_no_error (error);
  g_assert_true (job_id_equal (&id, &known));
}

static void
test_refuses_what_is_no_uuid (void)
{
  static const char *const texts[] = {
    "",
    "x",
    "01890a5dac96774bbcceb302099a8057",
    "01890a5d-ac96-774b-bcce-b302099a805",
    "01890a5d-ac96-774b-bcce-b302099a80577",
    "01890a5d-ac96-774b-bcce-b302099a8057 ",
    " 1890a5d-ac96-774b-bcce-b302099a8057",
    "+1890a5d-ac96-774b-bcce-b302099a8057",
    "0x890a5d-ac96-774b-bcce-b302099a8057",
    "01890a5d-ac96-774b-bcce-b302099a805g",
    "01890a5dxac96-774b-bcce-b302099a8057",
    "01890a5-dac96-774b-bcce-b302099a8057",
    "{01890a5d-ac96-774b-bcce-b302099a805}",
    "{01890a5d-ac96-774b-bcce-b302099a8057}",
    "urn:uuid:01890a5d-ac96-774b-bcce-b302099a8057",
    "../../../../../etc/passwd-0000000000",
    "\xff\xfe\n\x01",
  };

  for (gsize i = 0; i < G_N_ELEMENTS (texts); i++)
    {
      g_autoptr (GError) error = NULL;
      g_autofree char *shown = g_strescape (texts[i], NULL);
      JobId id;

      shown[MIN (strlen (shown), 40)] = '\0';
      g_assert_false (job_id_parse (texts[i], "dependency", &id, &error));
      g_assert_error (error, JOB_ERROR, JOB_ERROR_INVALID);
      g_assert_nonnull (strstr (error->message, "dependency"));
      g_assert_nonnull (strstr (error->message, shown));
      g_assert_nonnull (strstr (error->message, "UUID"));
      g_assert_true (g_utf8_validate (error->message, -1, NULL));
      g_assert_false (job_id_parse (texts[i], "id", &id, NULL));
    }
}

static void
test_refuses_nothing_and_very_much (void)
{
  g_autoptr (GError) missing = NULL;
  g_autoptr (GError) huge = NULL;
  g_autofree char *text = g_strnfill (1000000, 'a');
  JobId id;

  g_assert_false (job_id_parse (NULL, "id", &id, &missing));
  g_assert_error (missing, JOB_ERROR, JOB_ERROR_INVALID);
  g_assert_nonnull (strstr (missing->message, "missing"));
  g_assert_false (job_id_parse (text, "id", &id, &huge));
  g_assert_error (huge, JOB_ERROR, JOB_ERROR_INVALID);
  g_assert_cmpuint (strlen (huge->message), <, 300);
}

static void
test_errors_never_show_a_token (void)
{
  g_autoptr (GError) error = NULL;
  JobId id;

  g_assert_false (job_id_parse ("secret77-ac96-774b-bcce-b302099a8057", "token", &id, &error));
  g_assert_error (error, JOB_ERROR, JOB_ERROR_INVALID);
  g_assert_nonnull (strstr (error->message, "token"));
  g_assert_null (strstr (error->message, "secret77"));
}

static void
test_order_is_that_of_the_bytes (void)
{
  for (guint i = 0; i < 10000; i++)
    {
      JobId a, b;
      int order, expected;

      job_id_new_token (&a);
      job_id_new_token (&b);
      if (i % 2 == 0)
        memcpy (b.bytes, a.bytes, i % 16);
      order = job_id_compare (&a, &b);
      expected = memcmp (a.bytes, b.bytes, sizeof a.bytes);
      g_assert_cmpint ((order > 0) - (order < 0), ==, (expected > 0) - (expected < 0));
      g_assert_cmpint (job_id_compare (&a, &a), ==, 0);
    }
}

static void
test_equality_sees_every_bit (void)
{
  JobId a, b;

  job_id_new_token (&a);
  b = a;
  g_assert_true (job_id_equal (&a, &b));
  g_assert_true (job_id_equal_secret (&a, &b));
  for (guint i = 0; i < 128; i++)
    {
      b = a;
      b.bytes[i / 8] ^= 1 << i % 8;
      g_assert_false (job_id_equal (&a, &b));
      g_assert_false (job_id_equal_secret (&a, &b));
    }
}

static void
test_nil_is_nil (void)
{
  JobId id = { { 0 } };

  g_assert_true (job_id_is_nil (&id));
  for (guint i = 0; i < 16; i++)
    {
      memset (&id, 0, sizeof id);
      id.bytes[i] = 1;
      g_assert_false (job_id_is_nil (&id));
    }
}

/* 10,000 ids of ours, or of an application that makes ids whose tails are all alike, share almost
 * no hash. */
static void
test_hash_spreads (void)
{
  g_autoptr (GHashTable) of_ours = g_hash_table_new (NULL, NULL);
  g_autoptr (GHashTable) of_alike = g_hash_table_new (NULL, NULL);
  JobId id;

  for (guint i = 0; i < 10000; i++)
    {
      job_id_new (&id, NOW);
      g_hash_table_add (of_ours, GUINT_TO_POINTER (job_id_hash (&id)));
      memset (id.bytes + 8, 0x85, 8);
      g_hash_table_add (of_alike, GUINT_TO_POINTER (job_id_hash (&id)));
    }
  g_assert_cmpuint (g_hash_table_size (of_ours), >, 9900);
  g_assert_cmpuint (g_hash_table_size (of_alike), >, 9900);
}

int
main (int argc, char *argv[])
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/id/rises", test_ids_rise);
  g_test_add_func ("/id/rises-while-the-clock-stands", test_ids_rise_while_the_clock_stands);
  g_test_add_func ("/id/rises-when-the-clock-goes-back", test_ids_rise_when_the_clock_goes_back);
  g_test_add_func ("/id/carries-the-time", test_ids_carry_the_time);
  g_test_add_func ("/id/differs-over-threads", test_ids_of_all_threads_differ);
  g_test_add_func ("/id/rises-from-thread-to-thread", test_ids_rise_from_thread_to_thread);
  g_test_add_func ("/id/has-version-and-variant", test_version_and_variant);
  g_test_add_func ("/id/random-bits-are-random", test_random_bits_are_random);
  g_test_add_func ("/id/fork-shares-no-tokens", test_fork_shares_no_tokens);
  g_test_add_func ("/id/text-survives-a-round-trip", test_text_survives_a_round_trip);
  g_test_add_func ("/id/parse/refuses-what-is-no-uuid", test_refuses_what_is_no_uuid);
  g_test_add_func ("/id/parse/refuses-nothing-and-very-much", test_refuses_nothing_and_very_much);
  g_test_add_func ("/id/parse/never-shows-a-token", test_errors_never_show_a_token);
  g_test_add_func ("/id/order-is-that-of-the-bytes", test_order_is_that_of_the_bytes);
  g_test_add_func ("/id/equality-sees-every-bit", test_equality_sees_every_bit);
  g_test_add_func ("/id/nil-is-nil", test_nil_is_nil);
  g_test_add_func ("/id/hash-spreads", test_hash_spreads);
  return g_test_run ();
}
