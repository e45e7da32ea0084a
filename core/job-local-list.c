/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The list of jobs: those that are not over from the index, the others from the ledger, in the
 * order of dequeues. */

#include "job-local-private.h"

typedef struct
{
  JobRecord *record; /* owned; NULL until it is read, for a job of the index */
  JobStatus status;  /* owned */
  JobView view;
  gboolean from_index;
  gint priority;
  gint64 queued_at;
} Row;

typedef struct
{
  JobFilter *filter;
  GHashTable *indexed; /* JobId: jobs that the index knew; they are told as they stood then */
  GArray *rows;        /* of Row */
} Listing;

static void
row_clear (gpointer data)
{
  Row *row = data;

  g_clear_pointer (&row->record, job_record_unref);
  job_status_clear (&row->status);
}

static int
compare_rows (gconstpointer a, gconstpointer b)
{
  const Row *x = a;
  const Row *y = b;

  if (x->priority != y->priority)
    return x->priority > y->priority ? -1 : 1;
  if (x->queued_at != y->queued_at)
    return x->queued_at < y->queued_at ? -1 : 1;
  return job_id_compare (&x->view.id, &y->view.id);
}

static gboolean
add_final (JobRecord *record, const JobStatus *status, gpointer data)
{
  Listing *listing = data;
  Row row = { .view.id = record->id, .priority = record->priority, .queued_at = record->queued_at };

  if (!job_state_is_final (status->state) ||
      g_hash_table_contains (listing->indexed, &record->id) ||
      !job_filter_matches (listing->filter, record->type, record->channel, status->state))
    return TRUE;
  row.record = job_record_ref (record);
  job_status_copy (status, &row.status);
  g_array_append_val (listing->rows, row);
  return TRUE;
}

static void
add_indexed (Listing *listing, const JobView *view)
{
  Row row = {
    .view = *view,
    .from_index = TRUE,
    .priority = view->priority,
    .queued_at = view->queued_at,
  };

  g_array_append_val (listing->rows, row);
  g_hash_table_add (listing->indexed, (gpointer) &view->id);
}

static JobInfo *
make_info (JobLocal *self, const Row *row, GError **error)
{
  return row->from_index ? job_local_read_view (self, &row->view, FALSE, error)
                         : job_local_make_info (self, row->record, &row->status, error);
}

static GListStore *
make_list (JobLocal *self, const Listing *listing, GError **error)
{
  g_autoptr (GListStore) list = g_list_store_new (JOB_TYPE_INFO);
  guint limit = job_filter_get_limit (listing->filter);

  for (guint i = 0; i < listing->rows->len && (limit == 0 || i < limit); i++)
    {
      g_autoptr (JobInfo) info = make_info (self, &g_array_index (listing->rows, Row, i), error);

      if (info == NULL)
        return NULL;
      g_list_store_append (list, info);
    }
  return g_steal_pointer (&list);
}

static void
read_list (JobLocalRead *read)
{
  g_autoptr (GHashTable) indexed = g_hash_table_new (job_id_hash, job_id_equal);
  g_autoptr (GArray) rows = g_array_new (FALSE, FALSE, sizeof (Row));
  Listing listing = { read->filter, indexed, rows };
  GListStore *list = NULL;
  GError *error = NULL;

  g_array_set_clear_func (rows, row_clear);
  for (guint i = 0; i < read->views->len; i++)
    add_indexed (&listing, &g_array_index (read->views, JobView, i));

  if (!job_filter_wants_final (read->filter) ||
      job_ledger_visit (read->local->ledger, TRUE, add_final, &listing, &error))
    {
      g_array_sort (rows, compare_rows);
      list = make_list (read->local, &listing, &error);
    }
  if (list)
    job_call_return_pointer (read->call, list, g_object_unref);
  else
    job_call_return_error (read->call, error);
}

static gboolean
filter_entry (const JobEntry *entry, gpointer filter)
{
  return job_filter_matches (filter, job_lane_get_type (entry->lane),
                             job_lane_get_channel (entry->lane), entry->state);
}

void
job_local_list (JobLocal *self, JobFilter *filter, JobCall *call)
{
  JobLocalRead *read;
  GError *error = NULL;

  g_mutex_lock (&self->lock);
  if (!job_local_check_open (self, &error))
    {
      g_mutex_unlock (&self->lock);
      job_call_return_error (call, error);
      return;
    }
  read = job_local_read_new (self, call, read_list);
  read->filter = g_object_ref (filter);
  read->views = g_array_new (FALSE, FALSE, sizeof (JobView));
  job_local_match (self, job_local_now (self));
  job_scheduler_list (self->scheduler, filter_entry, read->filter, job_local_now (self),
                      read->views);
  job_local_read_keep_views (read);
  job_local_read_run (read);
}
