/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The figures for programs: a list of objects, one for each line, with the medians of all rounds.
 */

#include "bench-run.h"

#include <json-glib/json-glib.h>

static void
add_text (JsonBuilder *builder, const char *key, const char *text)
{
  if (text == NULL)
    return;
  json_builder_set_member_name (builder, key);
  json_builder_add_string_value (builder, text);
}

static void
add_line (JsonBuilder *builder, const BenchCase *bench_case, const BenchLine *line)
{
  json_builder_begin_object (builder);
  add_text (builder, "case", bench_case->name);
  add_text (builder, "system", line->system);
  add_text (builder, "variant", line->row->variant);
  json_builder_set_member_name (builder, "in_flight");
  json_builder_add_int_value (builder, line->row->in_flight);
  for (guint i = 0; i < line->figures->len; i++)
    {
      const BenchFigure *figure = g_ptr_array_index (line->figures, i);
      double value = 0;

      bench_line_get (line, figure->key, &value);
      json_builder_set_member_name (builder, figure->key);
      json_builder_add_double_value (builder, value);
    }
  add_text (builder, "problem", line->problem);
  json_builder_end_object (builder);
}

gboolean
bench_write_json (GPtrArray *outcomes, const char *path, GError **error)
{
  g_autoptr (JsonBuilder) builder = json_builder_new ();
  g_autoptr (JsonGenerator) generator = json_generator_new ();
  g_autoptr (JsonNode) root = NULL;

  json_builder_begin_array (builder);
  for (guint i = 0; i < outcomes->len; i++)
    {
      const BenchOutcome *outcome = g_ptr_array_index (outcomes, i);

      for (guint j = 0; j < outcome->lines->len; j++)
        add_line (builder, outcome->bench_case, g_ptr_array_index (outcome->lines, j));
    }
  json_builder_end_array (builder);
  root = json_builder_get_root (builder);
  json_generator_set_root (generator, root);
  json_generator_set_pretty (generator, TRUE);
  return json_generator_to_file (generator, path, error);
}
