/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What the scheduler is made of, held against plain things by chance: heap, table, slab. */

#include "job-heap-private.h"
#include "job-id-table.h"
#include "job-slab-private.h"
#include "test-effort.h"

#include <string.h>

/* --- the heap --------------------------------------------------------------------------------- */

#define N_ITEMS 200
#define N_STEPS 20000

typedef struct
{
  int key;
  guint number; /* unequal, so that the order is total */
  guint position;
} Item;

static int
compare_items (gconstpointer a, gconstpointer b)
{
  const Item *x = a, *y = b;

  if (x->key != y->key)
    return x->key < y->key ? -1 : 1;
  return x->number < y->number ? -1 : x->number > y->number;
}

static Item *
naive_first (Item *items)
{
  Item *first = NULL;

  for (guint i = 0; i < N_ITEMS; i++)
    if (items[i].position != 0 && (first == NULL || compare_items (&items[i], first) < 0))
      first = &items[i];
  return first;
}

static void
change_one (JobHeap *heap, Item *item)
{
  gboolean was_in = job_heap_contains (heap, item);

  g_assert_cmpint (was_in, ==, item->position != 0);
  if (!was_in)
    {
      item->key = g_test_rand_int_range (0, 50);
      job_heap_push (heap, item);
    }
  else if (g_test_rand_int_range (0, 2))
    job_heap_remove (heap, item);
  else
    {
      item->key = g_test_rand_int_range (0, 50);
      job_heap_update (heap, item);
    }
}

static void
test_heap_by_chance (void)
{
  g_autofree Item *items = g_new0 (Item, N_ITEMS);
  JobHeap heap;

  job_heap_init (&heap, compare_items, G_STRUCT_OFFSET (Item, position));
  g_assert_null (job_heap_peek (&heap));
  for (guint i = 0; i < N_ITEMS; i++)
    items[i].number = i;
  for (guint i = 0; i < N_STEPS; i++)
    {
      change_one (&heap, &items[g_test_rand_int_range (0, N_ITEMS)]);
      g_assert_true (job_heap_peek (&heap) == naive_first (items));
    }
  job_heap_clear (&heap);
  g_assert_null (job_heap_peek (&heap));
}

static void
test_heap_sorts (void)
{
  g_autofree Item *items = g_new0 (Item, N_ITEMS);
  const Item *last = NULL;
  JobHeap heap;

  job_heap_init (&heap, compare_items, G_STRUCT_OFFSET (Item, position));
  for (guint i = 0; i < N_ITEMS; i++)
    {
      items[i] = (Item){ g_test_rand_int_range (0, 50), i, 0 };
      job_heap_push (&heap, &items[i]);
    }
  for (guint i = 0; i < N_ITEMS; i++)
    {
      Item *first = job_heap_peek (&heap);

      g_assert_true (last == NULL || compare_items (last, first) < 0);
      job_heap_remove (&heap, first);
      g_assert_false (job_heap_contains (&heap, first));
      last = first;
    }
  g_assert_cmpuint (heap.length, ==, 0);
  job_heap_clear (&heap);
}

/* One that is as large as several blocks sorts as well, and takes little when it is empty. */
static void
test_heap_of_blocks (void)
{
  const guint n = 10 * JOB_HEAP_BLOCK + 3;
  g_autofree Item *items = g_new0 (Item, n);
  JobHeap heap;

  job_heap_init (&heap, compare_items, G_STRUCT_OFFSET (Item, position));
  for (guint round = 0; round < 2; round++)
    {
      for (guint i = 0; i < n; i++)
        {
          items[i] = (Item){ g_test_rand_int_range (0, 1000), i, 0 };
          job_heap_push (&heap, &items[i]);
        }
      for (guint i = 0; i < n; i += 2)
        job_heap_remove (&heap, &items[i]);
      g_assert_cmpuint (heap.allocated, <=, heap.length + 2 * JOB_HEAP_BLOCK);
      for (const Item *last = NULL; heap.length > 0;)
        {
          Item *first = job_heap_peek (&heap);

          g_assert_true (last == NULL || compare_items (last, first) < 0);
          job_heap_remove (&heap, first);
          last = first;
        }
      g_assert_cmpuint (heap.allocated, <=, 16);
    }
  job_heap_clear (&heap);
}

/* --- the slab --------------------------------------------------------------------------------- */

#define N_CELLS 5000

typedef struct
{
  gpointer itself;
  guint number;
  char rest[40];
} Cell;

static void
come_or_go (JobSlab *slab, Cell **cell, guint number)
{
  if (*cell)
    {
      g_assert_true ((*cell)->itself == *cell && (*cell)->number == number);
      job_slab_free (slab, g_steal_pointer (cell));
      return;
    }
  *cell = job_slab_alloc (slab);
  for (gsize i = 0; i < sizeof (Cell); i++)
    g_assert_cmpint (((char *) *cell)[i], ==, 0);
  memset (*cell, 0xaa, sizeof (Cell));
  (*cell)->itself = *cell;
  (*cell)->number = number;
}

static void
test_slab (void)
{
  g_autofree Cell **cells = g_new0 (Cell *, N_CELLS);
  JobSlab slab;

  job_slab_init (&slab, sizeof (Cell));
  for (guint i = 0; i < N_CELLS; i++)
    come_or_go (&slab, &cells[i], i);
  g_assert_cmpuint (slab.n_blocks * 8192, <=, N_CELLS * sizeof (Cell) * 21 / 20 + 8192);
  for (guint i = 0; i < 4 * N_CELLS; i++)
    {
      guint number = (guint) g_test_rand_int_range (0, N_CELLS);

      come_or_go (&slab, &cells[number], number);
    }
  for (guint i = 0; i < N_CELLS; i++)
    if (cells[i])
      come_or_go (&slab, &cells[i], i);
  g_assert_cmpuint (slab.n_blocks, <=, 1);
  job_slab_clear (&slab);
}

/* --- the table -------------------------------------------------------------------------------- */

#define N_IDS 3000

/* Of a few heads and tails, so that many ids begin their search at the same slot. */
static void
make_colliding_id (JobId *id)
{
  memset (id, 0, sizeof *id);
  id->bytes[15] = (guint8) g_test_rand_int_range (0, 8);
  id->bytes[8] = (guint8) g_test_rand_int_range (0, 256);
  id->bytes[9] = (guint8) g_test_rand_int_range (0, 256);
  id->bytes[12] = id->bytes[8];
  id->bytes[13] = id->bytes[9];
}

static void
make_ordered_id (JobId *id)
{
  static guint count;
  guint32 number = GUINT32_TO_BE (++count);

  memset (id, 0, sizeof *id);
  memcpy (id->bytes + 4, &number, sizeof number);
  id->bytes[15] = (guint8) g_test_rand_int_range (0, 256);
}

static void
assert_same (const JobIdTable *table, GHashTable *naive)
{
  JobIdTableIter iter = { 0 };
  gpointer item;
  gsize n = 0;

  g_assert_cmpuint (table->length, ==, g_hash_table_size (naive));
  while ((item = job_id_table_next (table, &iter)))
    {
      g_assert_true (g_hash_table_lookup (naive, item) == item);
      g_assert_true (job_id_table_lookup (table, item) == item);
      n++;
    }
  g_assert_cmpuint (n, ==, table->length);
}

/* It grows, stays about as large, and shrinks, over and over. */
static void
check_table (void (*make_id) (JobId *id))
{
  g_autofree JobId *items = g_new0 (JobId, N_IDS);
  g_autoptr (GHashTable) naive = g_hash_table_new (job_id_hash, job_id_equal);
  JobIdTable table = { 0 };

  g_assert_null (job_id_table_lookup (&table, &items[0]));
  for (guint i = 0; i < N_IDS; i++)
    make_id (&items[i]);
  for (guint i = 0; i < test_effort (10, 2) * N_IDS; i++)
    {
      JobId *item = &items[g_test_rand_int_range (0, N_IDS)];
      JobId *there = g_hash_table_lookup (naive, item);
      gboolean shrinks = i / (2 * N_IDS) % 2;

      g_assert_true (job_id_table_lookup (&table, item) == there);
      if (there == NULL && !(shrinks && i % 8))
        {
          job_id_table_insert (&table, item);
          g_hash_table_add (naive, item);
        }
      else if (there)
        {
          job_id_table_remove (&table, there);
          g_hash_table_remove (naive, there);
        }
      if (i % 500 == 0)
        assert_same (&table, naive);
    }
  assert_same (&table, naive);
  job_id_table_clear (&table);
  g_assert_null (job_id_table_lookup (&table, &items[0]));
}

static void
test_table_of_colliding_ids (void)
{
  check_table (make_colliding_id);
}

static void
test_table_of_ordered_ids (void)
{
  check_table (make_ordered_id);
}

static void
test_table_of_tokens (void)
{
  check_table (job_id_new_token);
}

static gsize
count_slots (const JobIdTable *table)
{
  gsize n = 0;

  for (guint i = 0; i < JOB_ID_TABLE_N_PARTS; i++)
    n += table->parts[i].n_slots;
  return n;
}

/* Many pass through; few are there at a time, and in the end none. */
static void
test_table_stays_small (void)
{
  g_autofree JobId *ids = g_new0 (JobId, 100000);
  JobIdTable table = { 0 };

  for (guint i = 0; i < 100000; i++)
    {
      make_ordered_id (&ids[i]);
      job_id_table_insert (&table, &ids[i]);
      if (i == 50000)
        g_assert_cmpuint (count_slots (&table), <=, 50000 * 2);
      if (i >= 50000)
        job_id_table_remove (&table, &ids[i - 50000]);
    }
  for (guint i = 50000; i < 100000; i++)
    job_id_table_remove (&table, &ids[i]);
  g_assert_cmpuint (table.length, ==, 0);
  g_assert_cmpuint (count_slots (&table), <=, JOB_ID_TABLE_N_PARTS * 10);
  job_id_table_clear (&table);
}

/* An insertion grows one part at most, and none is much larger than the others: so it moves few
 * items, however many there are. Also of ids that differ in little. */
static void
test_table_never_stalls (void)
{
  const guint n = test_effort (200000, 50000);
  g_autofree JobId *ids = g_new0 (JobId, n);
  JobIdTable table = { 0 };

  for (guint i = 0; i < n; i++)
    {
      make_ordered_id (&ids[i]);
      job_id_table_insert (&table, &ids[i]);
    }
  for (guint i = 0; i < JOB_ID_TABLE_N_PARTS; i++)
    g_assert_cmpuint (table.parts[i].n_slots, <, 3 * n / JOB_ID_TABLE_N_PARTS);
  job_id_table_clear (&table);
}

int
main (int argc, char *argv[])
{
  g_test_init (&argc, &argv, NULL);

  g_test_add_func ("/heap/first-is-first-by-chance", test_heap_by_chance);
  g_test_add_func ("/heap/sorts", test_heap_sorts);
  g_test_add_func ("/heap/of-blocks", test_heap_of_blocks);
  g_test_add_func ("/slab/keeps-apart-and-gives-back", test_slab);
  g_test_add_func ("/id-table/colliding-ids", test_table_of_colliding_ids);
  g_test_add_func ("/id-table/ordered-ids", test_table_of_ordered_ids);
  g_test_add_func ("/id-table/tokens", test_table_of_tokens);
  g_test_add_func ("/id-table/stays-small", test_table_stays_small);
  g_test_add_func ("/id-table/never-stalls", test_table_never_stalls);

  return g_test_run ();
}
