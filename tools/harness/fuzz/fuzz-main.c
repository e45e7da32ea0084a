/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A fuzz target as a plain test: NAME FOLDER… runs it on each file of the folders, one test case
 * each, and speaks TAP. */

#include "fuzz.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int
compare_paths (gconstpointer a, gconstpointer b)
{
  return strcmp (*(const char *const *) a, *(const char *const *) b);
}

static void
list_folder (const char *folder, GPtrArray *paths)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GDir) dir = g_dir_open (folder, 0, &error);
  const char *name;

  if (dir == NULL)
    g_error ("%s", error->message);
  while ((name = g_dir_read_name (dir)) != NULL)
    g_ptr_array_add (paths, g_build_filename (folder, name, NULL));
}

/* In a piece of memory of just its size, so that reading beyond it is seen. */
static void
run_file (const char *path)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *text = NULL;
  guint8 *data;
  gsize size;

  if (!g_file_get_contents (path, &text, &size, &error))
    g_error ("%s", error->message);
  data = malloc (size);
  if (size > 0)
    memcpy (data, text, size);
  LLVMFuzzerTestOneInput (data, size);
  free (data);
}

int
main (int argc, char **argv)
{
  g_autoptr (GPtrArray) paths = g_ptr_array_new_with_free_func (g_free);
  const char *target = argc > 1 ? argv[1] : "";

  setvbuf (stdout, NULL, _IOLBF, 0);
  LLVMFuzzerInitialize (&argc, &argv);
  for (int i = 2; i < argc; i++)
    list_folder (argv[i], paths);
  g_ptr_array_sort (paths, compare_paths);
  printf ("1..%u\n", paths->len);
  for (guint i = 0; i < paths->len; i++)
    {
      g_autofree char *name = g_path_get_basename (g_ptr_array_index (paths, i));

      printf ("# running %s\n", (char *) g_ptr_array_index (paths, i));
      run_file (g_ptr_array_index (paths, i));
      printf ("ok %u - /fuzz/%s/%s\n", i + 1, target, name);
    }
  return 0;
}
