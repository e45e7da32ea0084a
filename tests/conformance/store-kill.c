/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* SIGKILL at any moment of an apply or a checkpoint: what was durable is there, and with all
 * changes since applied again, as a journal does, everything is as if nothing had happened.
 *
 * A child tells the store a story, and says on its standard output what it is about to do and what
 * is done:
 *
 *   batch N      the changes number N are in the journal, so to speak, and may be applied
 *   durable N    a checkpoint has returned: those up to N need no journal any more
 *
 * The parent kills it after some lines, tells itself the same story, and has what the owner of the
 * store would have in its journal. */

#include "store-suite-private.h"

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>

#define PART "JOB_CONFORMANCE_CHILD"
#define FOLDER "JOB_CONFORMANCE_FOLDER"

#define N_KILLS 8
#define MOST_LINES 40 /* before a kill */

/* --- in the child ----------------------------------------------------------------------------- */

static void
say (const char *what, guint number)
{
  printf ("%s %u\n", what, number);
  fflush (stdout);
}

/* @first: the changes before it are in the store. */
static void
tell_until_killed (StoreFixture *f, guint32 seed, guint first)
{
  g_auto (Story) story = { NULL };

  story_init (&story, seed);
  store_open (f);
  for (guint i = 0;; i++)
    {
      g_autoptr (GArray) changes = story_next (&story);

      if (i < first)
        continue;
      say ("batch", i);
      store_apply (f, changes);
      if (i % 3 != 2)
        continue;
      store_checkpoint (f);
      say ("durable", i);
    }
}

void
job_conformance_store_run_child (const JobConformanceStore *store)
{
  StoreFixture f = { store, g_strdup (g_getenv (FOLDER)), NULL };
  const char *part = g_getenv (PART);
  unsigned int seed, first;

  if (part != NULL && sscanf (part, STORE_PART "%u-%u", &seed, &first) == 2)
    tell_until_killed (&f, seed, first);
  g_free (f.folder);
}

/* --- in the parent ---------------------------------------------------------------------------- */

typedef struct
{
  guint32 seed;
  guint n_durable; /* changes that need no journal any more */
  guint n_begun;   /* changes that are in the journal */
} Told;

static void
note_line (Told *told, const char *line)
{
  guint number;

  if (sscanf (line, "batch %u", &number) == 1)
    told->n_begun = number + 1;
  else if (sscanf (line, "durable %u", &number) == 1)
    told->n_durable = number + 1;
  else
    g_error ("the child says: %s", line);
}

/* What it said before it died is in the pipe still. */
static void
tell_and_kill (StoreFixture *f, Told *told)
{
  g_autofree char *part = g_strdup_printf (STORE_PART "%u-%u", told->seed, told->n_begun);
  gint n_lines = g_test_rand_int_range (1, MOST_LINES);
  Fixture whose = { .folder = f->folder };
  Child child;
  char *line;

  child_start (&child, &whose, part);
  for (gint i = 0; (line = child_read_line (&child)) != NULL; i++)
    {
      note_line (told, line);
      g_free (line);
      if (i == n_lines)
        g_subprocess_force_exit (child.process);
    }
  child_kill (&child);
}

/* Jobs that nothing was told of since they were durable. */
static void
assert_untouched (StoreFixture *f, Story *durable, GHashTable *touched)
{
  for (guint i = 0; i < durable->order->len; i++)
    {
      const JobChange *job = g_ptr_array_index (durable->order, i);

      if (!g_hash_table_contains (touched, &job->id))
        store_assert_job (f, job);
    }
}

/* The story as far as it was begun; the changes that are not durable, once more; and whose. */
static void
recover (StoreFixture *f, const Told *told, Story *story, GPtrArray *again, GHashTable *touched)
{
  g_auto (Story) durable = { NULL };

  story_init (&durable, told->seed);
  for (guint i = 0; i < told->n_durable; i++)
    g_array_unref (story_next (&durable));
  for (guint i = 0; i < told->n_begun; i++)
    {
      GArray *changes = story_next (story);

      if (i < told->n_durable)
        {
          g_array_unref (changes);
          continue;
        }
      for (guint k = 0; k < changes->len; k++)
        g_hash_table_add (touched, &g_array_index (changes, JobChange, k).id);
      g_ptr_array_add (again, changes);
    }
  assert_untouched (f, &durable, touched);
}

static void
apply_again (StoreFixture *f, const GPtrArray *again)
{
  for (guint i = 0; i < again->len; i++)
    store_apply (f, g_ptr_array_index (again, i));
}

/* Twice is as once; every other time it is said twice. */
static void
assert_recovers (StoreFixture *f, Told *told, gboolean twice)
{
  g_autoptr (GPtrArray) again = g_ptr_array_new_with_free_func ((GDestroyNotify) g_array_unref);
  g_autoptr (GHashTable) touched = g_hash_table_new (job_id_hash, job_id_equal);
  g_auto (Story) story = { NULL };

  story_init (&story, told->seed);
  store_open (f);
  recover (f, told, &story, again, touched);
  apply_again (f, again);
  if (twice)
    apply_again (f, again);
  store_assert_all (f, &story);
  store_close (f);
  store_open (f);
  store_assert_all (f, &story);
  store_close (f);
  told->n_durable = told->n_begun;
}

void
store_test_kills (StoreFixture *f)
{
  Told told = { .seed = (guint32) g_test_rand_int () };

  for (guint i = 0; i < N_KILLS; i++)
    {
      tell_and_kill (f, &told);
      assert_recovers (f, &told, i % 2 == 1);
    }
}

/* --- folders ---------------------------------------------------------------------------------- */

static int
remove_one (const char *path, const struct stat *info, int type, struct FTW *walk)
{
  return remove (path);
}

void
store_remove_folder (const char *folder)
{
  g_assert_cmpint (nftw (folder, remove_one, 16, FTW_DEPTH | FTW_PHYS), ==, 0);
}
