/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A history in words. */

#include "history.h"

static const char *const verb_names[HISTORY_N_VERBS] = {
  [HISTORY_ENQUEUE] = "enqueue",   [HISTORY_DEQUEUE] = "dequeue",
  [HISTORY_COMPLETE] = "complete", [HISTORY_DEQUEUE_BY_ID] = "dequeue-by-id",
  [HISTORY_FAIL] = "fail",         [HISTORY_RELEASE] = "release",
  [HISTORY_CANCEL] = "cancel",     [HISTORY_HEARTBEAT] = "heartbeat",
  [HISTORY_GET_INFO] = "get-info",
};

gboolean
history_is_idle (const History *self, guint number)
{
  const HistoryOperation *operation = &self->operations[number];

  return operation->verb == HISTORY_GET_INFO || operation->verb == HISTORY_HEARTBEAT ||
         (operation->returned != HISTORY_PENDING && operation->error != HISTORY_OK);
}

/* --- jobs ------------------------------------------------------------------------------------- */

static gboolean
is_named (const History *self, guint job)
{
  for (guint i = 0; i < self->n_operations; i++)
    if (history_has (self, i) &&
        (self->operations[i].job == job || self->operations[i].taken == job))
      return TRUE;
  return FALSE;
}

static void
describe_job (const History *self, guint number, GString *text)
{
  const HistoryJob *job = &self->jobs[number];

  g_string_append_printf (text, "  job %u: type %c, channel %c, priority %d, attempts at most %u",
                          number, 'a' + job->type, 'x' + job->channel, job->priority,
                          job->max_attempts);
  for (guint i = 0; i < job->n_dependencies; i++)
    g_string_append_printf (text, ", %s %u", job_condition_to_string (job->conditions[i]),
                            job->dependencies[i]);
  g_string_append_c (text, '\n');
}

/* --- operations ------------------------------------------------------------------------------- */

static void
describe_names (GString *text, const char *what, char first, guint names)
{
  g_string_append_printf (text, " %s ", what);
  if (names == 0)
    g_string_append (text, "any");
  for (guint i = 0; i < HISTORY_N_NAMES; i++)
    if (names & 1u << i)
      g_string_append_c (text, (char) (first + (char) i));
}

static void
describe_lease (const HistoryOperation *operation, GString *text)
{
  if (operation->lease == HISTORY_NO_LEASE)
    g_string_append (text, ", without a token");
  else if (operation->lease == HISTORY_STRANGE_LEASE)
    g_string_append (text, ", with a strange token");
  else
    g_string_append_printf (text, ", with the lease of #%d", operation->lease);
}

static void
describe_call (const HistoryOperation *operation, GString *text)
{
  g_string_append (text, verb_names[operation->verb]);
  if (operation->verb == HISTORY_DEQUEUE)
    {
      describe_names (text, "types", 'a', operation->types);
      describe_names (text, "channels", 'x', operation->channels);
      return;
    }
  g_string_append_printf (text, " job %u", operation->job);
  if (operation->verb == HISTORY_COMPLETE || operation->verb == HISTORY_FAIL ||
      operation->verb == HISTORY_RELEASE || operation->verb == HISTORY_HEARTBEAT)
    describe_lease (operation, text);
}

static void
describe_view (const HistoryView *view, GString *text)
{
  g_string_append_printf (text, "%s, attempts %u, reason %u", job_state_to_string (view->state),
                          view->attempts, view->reason);
  if (view->outcome > 0)
    g_string_append_printf (text, ", outcome of #%d", view->outcome - 1);
}

static const char *
name_error (int error)
{
  g_autoptr (GEnumClass) errors = g_type_class_ref (JOB_TYPE_ERROR);
  const GEnumValue *value = g_enum_get_value (errors, error);

  return value ? value->value_nick : "an error of another domain";
}

static void
describe_answer (const HistoryOperation *operation, GString *text)
{
  if (operation->returned == HISTORY_PENDING)
    g_string_append (text, "(no answer yet)");
  else if (operation->error != HISTORY_OK)
    g_string_append (text, name_error (operation->error));
  else if (operation->verb == HISTORY_GET_INFO)
    describe_view (&operation->view, text);
  else if (operation->taken != HISTORY_NO_JOB)
    g_string_append_printf (text, "job %u, attempt %u", operation->taken, operation->attempt);
  else
    g_string_append (text, "done");
}

static void
describe_operation (const History *self, guint number, GString *text)
{
  const HistoryOperation *operation = &self->operations[number];

  g_string_append_printf (text, "  #%-2u thread %u  %3u–", number, operation->thread,
                          operation->called);
  if (operation->returned == HISTORY_PENDING)
    g_string_append (text, "…    ");
  else
    g_string_append_printf (text, "%-3u  ", operation->returned);
  describe_call (operation, text);
  g_string_append (text, " → ");
  describe_answer (operation, text);
  g_string_append_c (text, '\n');
}

static int
compare_calls (gconstpointer a, gconstpointer b, gpointer history)
{
  const HistoryOperation *operations = ((const History *) history)->operations;
  guint x = operations[*(const guint *) a].called;
  guint y = operations[*(const guint *) b].called;

  return x < y ? -1 : x > y;
}

char *
history_describe (const History *self)
{
  GString *text = g_string_new (NULL);
  guint order[HISTORY_MAX_OPERATIONS];

  for (guint i = 0; i < self->n_jobs; i++)
    if (is_named (self, i))
      describe_job (self, i, text);
  for (guint i = 0; i < self->n_operations; i++)
    order[i] = i;
  g_qsort_with_data (order, (gint) self->n_operations, sizeof *order, compare_calls,
                     (gpointer) self);
  for (guint i = 0; i < self->n_operations; i++)
    if (history_has (self, order[i]))
      describe_operation (self, order[i], text);
  return g_string_free (text, FALSE);
}
