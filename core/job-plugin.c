/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The loader: finds a plugin by its kind and name, and makes sure that it is what it says.
 *
 * Nothing in a module is looked at before its ABI version is known to be ours, and none of its
 * functions is called before its kind and name are as asked. (What the dynamic linker runs by
 * itself, at opening, cannot be held back: that is why only trusted files are opened, see
 * job-plugin-path.c.) Modules are bound at once, so that an unresolved symbol is an error here and
 * not a crash later, and locally; a module whose type was asked for stays for the life of the
 * process, since GObject types cannot be unloaded.
 *
 * The lock is never held while a module is opened or its code runs. Two threads may so load the
 * same one at the same time: both get the same descriptor from the linker, and the second finds it
 * in the table. */

#include "job-plugin.h"

#include <gmodule.h>

#include "job-error.h"
#include "job-handler.h"
#include "job-plugin-path-private.h"
#include "job-plugin-path.h"
#include "job-queue-backend.h"

static GMutex plugins_lock;
static GHashTable *plugins; /* plugins_lock: "<kind>:<name>" → JobPluginDescriptor, never removed */

static const char *
kind_to_string (JobPluginKind kind)
{
  return kind == JOB_PLUGIN_BACKEND ? "backend" : "handler";
}

static char *
make_key (JobPluginKind kind, const char *name)
{
  return g_strdup_printf ("%d:%s", (int) kind, name);
}

static const JobPluginDescriptor *
lookup (JobPluginKind kind, const char *name)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&plugins_lock);
  g_autofree char *key = make_key (kind, name);

  return plugins != NULL ? g_hash_table_lookup (plugins, key) : NULL;
}

/* Returns the one that counts: an earlier one of this kind and name if there is one. */
static const JobPluginDescriptor *
insert (const JobPluginDescriptor *descriptor)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&plugins_lock);
  g_autofree char *key = make_key (descriptor->kind, descriptor->name);
  const JobPluginDescriptor *earlier;

  if (plugins == NULL)
    plugins = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  earlier = g_hash_table_lookup (plugins, key);
  if (earlier != NULL)
    return earlier;

  g_hash_table_insert (plugins, g_steal_pointer (&key), (gpointer) descriptor);
  return descriptor;
}

static void
list_registered (JobPluginKind kind, GHashTable *names)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&plugins_lock);
  GHashTableIter iter;
  gpointer value;

  if (plugins == NULL)
    return;

  g_hash_table_iter_init (&iter, plugins);
  while (g_hash_table_iter_next (&iter, NULL, &value))
    {
      const JobPluginDescriptor *descriptor = value;

      if (descriptor->kind == kind)
        g_hash_table_add (names, g_strdup (descriptor->name));
    }
}

static int
compare_names (gconstpointer a, gconstpointer b)
{
  return strcmp (*(const char *const *) a, *(const char *const *) b);
}

static char **
list_names (JobPluginKind kind)
{
  g_autoptr (GHashTable) set = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  char **names;
  guint n_names;

  list_registered (kind, set);
  job_plugin_list_files (kind, set);
  names = (char **) g_hash_table_get_keys_as_array (set, &n_names);
  g_hash_table_steal_all (set);
  qsort (names, n_names, sizeof (char *), compare_names);

  return names;
}

/* Checks of a descriptor; @where is the file, or what stands for it. */

static gboolean
check_abi_version (const JobPluginDescriptor *descriptor, const char *where, GError **error)
{
  if (descriptor->abi_version == JOB_PLUGIN_ABI_VERSION)
    return TRUE;

  g_set_error (error, JOB_ERROR, JOB_ERROR_PLUGIN,
               "Cannot use %s: it was built for version %u of the plugin interface, and this "
               "library has version %u; rebuild it against this library",
               where, descriptor->abi_version, (guint) JOB_PLUGIN_ABI_VERSION);
  return FALSE;
}

static gboolean
check_kind (const JobPluginDescriptor *descriptor, JobPluginKind kind, const char *where,
            GError **error)
{
  if (descriptor->kind == kind)
    return TRUE;

  if (descriptor->kind == JOB_PLUGIN_BACKEND || descriptor->kind == JOB_PLUGIN_HANDLER)
    g_set_error (error, JOB_ERROR, JOB_ERROR_PLUGIN,
                 "Cannot use %s: it is a %s and not a %s; move it to the folder of its kind", where,
                 kind_to_string (descriptor->kind), kind_to_string (kind));
  else
    g_set_error (error, JOB_ERROR, JOB_ERROR_PLUGIN,
                 "Cannot use %s: it is of the unknown kind %u; a %s has kind %u, see "
                 "JOB_PLUGIN_DEFINE()",
                 where, descriptor->kind, kind_to_string (kind), (guint) kind);
  return FALSE;
}

static gboolean
check_name (const JobPluginDescriptor *descriptor, const char *name, const char *where,
            GError **error)
{
  if (g_strcmp0 (descriptor->name, name) == 0)
    return TRUE;

  g_set_error (error, JOB_ERROR, JOB_ERROR_PLUGIN,
               "Cannot use %s: it calls itself “%s” and not “%s”; a module's file is named after "
               "its plugin, with “.so” behind the name",
               where, descriptor->name != NULL ? descriptor->name : "", name);
  return FALSE;
}

static gboolean
type_fits (GType type, JobPluginKind kind)
{
  if (!g_type_is_a (type, G_TYPE_OBJECT) || G_TYPE_IS_ABSTRACT (type))
    return FALSE;
  if (kind == JOB_PLUGIN_HANDLER)
    return g_type_is_a (type, JOB_TYPE_HANDLER);

  return g_type_is_a (type, JOB_TYPE_QUEUE) && g_type_is_a (type, G_TYPE_INITABLE);
}

static gboolean
check_type (GType type, JobPluginKind kind, const char *where, GError **error)
{
  const char *type_name = type != G_TYPE_INVALID ? g_type_name (type) : NULL;

  if (type_name != NULL && type_fits (type, kind))
    return TRUE;

  g_set_error (error, JOB_ERROR, JOB_ERROR_PLUGIN,
               "Cannot use %s: its type “%s” is not one of objects that implement %s; correct the "
               "plugin",
               where, type_name != NULL ? type_name : "invalid",
               kind == JOB_PLUGIN_BACKEND ? "JobQueue and GInitable" : "JobHandler");
  return FALSE;
}

/* The functions of an interface, all of them mandatory. */
typedef struct
{
  const char *name;
  gsize offset;
} Vfunc;

#define VFUNC(iface, name) #name, G_STRUCT_OFFSET(iface, name)

static const Vfunc queue_vfuncs[] = {
  { VFUNC (JobQueueInterface, enqueue) },
  { VFUNC (JobQueueInterface, dequeue) },
  { VFUNC (JobQueueInterface, dequeue_by_id) },
  { VFUNC (JobQueueInterface, complete) },
  { VFUNC (JobQueueInterface, fail) },
  { VFUNC (JobQueueInterface, release) },
  { VFUNC (JobQueueInterface, cancel) },
  { VFUNC (JobQueueInterface, heartbeat) },
  { VFUNC (JobQueueInterface, lookup_token) },
  { VFUNC (JobQueueInterface, get_info) },
  { VFUNC (JobQueueInterface, wait) },
  { VFUNC (JobQueueInterface, list) },
  { VFUNC (JobQueueInterface, list_leases) },
  { VFUNC (JobQueueInterface, list_damaged) },
  { VFUNC (JobQueueInterface, move_damaged) },
  { VFUNC (JobQueueInterface, close) },
  { NULL },
};

static const Vfunc handler_vfuncs[] = {
  { VFUNC (JobHandlerInterface, run_async) },
  { VFUNC (JobHandlerInterface, run_finish) },
  { NULL },
};

/* Once, here: whoever calls them does not look. */
static gboolean
check_vfuncs (GType type, JobPluginKind kind, const char *where, GError **error)
{
  gboolean is_backend = kind == JOB_PLUGIN_BACKEND;
  g_autoptr (GTypeClass) type_class = g_type_class_ref (type);
  gpointer iface =
      g_type_interface_peek (type_class, is_backend ? JOB_TYPE_QUEUE : JOB_TYPE_HANDLER);

  for (const Vfunc *vfunc = is_backend ? queue_vfuncs : handler_vfuncs; vfunc->name; vfunc++)
    if (G_STRUCT_MEMBER (gpointer, iface, vfunc->offset) == NULL)
      {
        g_set_error (error, JOB_ERROR, JOB_ERROR_PLUGIN,
                     "Cannot use %s: its type “%s” does not implement the function “%s” of %s, "
                     "which is mandatory; correct the plugin",
                     where, g_type_name (type), vfunc->name,
                     is_backend ? "JobQueueInterface" : "JobHandlerInterface");
        return FALSE;
      }
  return TRUE;
}

static gboolean
check_location (const JobPluginDescriptor *descriptor, GType type, const char *where,
                GError **error)
{
  g_autoptr (GTypeClass) type_class = NULL;
  GParamSpec *pspec;

  if (descriptor->kind != JOB_PLUGIN_BACKEND || descriptor->location_property == NULL)
    return TRUE;

  type_class = g_type_class_ref (type);
  pspec = g_object_class_find_property (G_OBJECT_CLASS (type_class), descriptor->location_property);
  if (pspec != NULL && pspec->value_type == G_TYPE_STRING &&
      (pspec->flags & (G_PARAM_CONSTRUCT | G_PARAM_CONSTRUCT_ONLY)) != 0)
    return TRUE;

  g_set_error (error, JOB_ERROR, JOB_ERROR_PLUGIN,
               "Cannot use %s: its location property “%s” is not a construct property of type "
               "string; correct the plugin",
               where, descriptor->location_property);
  return FALSE;
}

static gboolean
check_descriptor (const JobPluginDescriptor *descriptor, JobPluginKind kind, const char *name,
                  const char *where, GError **error)
{
  return check_abi_version (descriptor, where, error) &&
         check_kind (descriptor, kind, where, error) && check_name (descriptor, name, where, error);
}

/* Runs code of the plugin, so the module must be resident. */
static gboolean
check_factory (const JobPluginDescriptor *descriptor, const char *where, GError **error)
{
  GType type;

  if (descriptor->get_type == NULL)
    return check_type (G_TYPE_INVALID, descriptor->kind, where, error);

  type = descriptor->get_type ();
  return check_type (type, descriptor->kind, where, error) &&
         check_vfuncs (type, descriptor->kind, where, error) &&
         check_location (descriptor, type, where, error);
}

static GModule *
open_module (const char *file, GError **error)
{
  g_autoptr (GError) local_error = NULL;
  GModule *module = g_module_open_full (file, G_MODULE_BIND_LOCAL, &local_error);

  if (module == NULL)
    g_set_error (error, JOB_ERROR, JOB_ERROR_PLUGIN,
                 "Cannot load the module “%s”: %s; rebuild it, and see that what it needs is "
                 "installed",
                 file, local_error->message);
  return module;
}

static const JobPluginDescriptor *
find_descriptor (GModule *module, const char *file, GError **error)
{
  gpointer symbol = NULL;

  if (g_module_symbol (module, JOB_PLUGIN_SYMBOL, &symbol) && symbol != NULL)
    return symbol;

  g_set_error (error, JOB_ERROR, JOB_ERROR_PLUGIN,
               "Cannot use the module “%s”: it has no symbol “" JOB_PLUGIN_SYMBOL "”, so it is not "
               "a plugin of this library; a plugin has it from JOB_PLUGIN_DEFINE()",
               file);
  return NULL;
}

static const JobPluginDescriptor *
load_file (JobPluginKind kind, const char *name, const char *file, GError **error)
{
  g_autofree char *where = g_strdup_printf ("the module “%s”", file);
  GModule *module = open_module (file, error);
  const JobPluginDescriptor *descriptor;

  if (module == NULL)
    return NULL;

  descriptor = find_descriptor (module, file, error);
  if (descriptor == NULL || !check_descriptor (descriptor, kind, name, where, error))
    {
      g_module_close (module);
      return NULL;
    }

  g_module_make_resident (module);
  return check_factory (descriptor, where, error) ? insert (descriptor) : NULL;
}

static void
set_not_found (JobPluginKind kind, const char *name, GError **error)
{
  g_auto (GStrv) folders = job_plugin_dup_folders (kind);
  g_auto (GStrv) names = list_names (kind);
  g_autofree char *searched = g_strjoinv (", ", folders);
  g_autofree char *found = g_strjoinv (", ", names);

  g_set_error (error, JOB_ERROR, JOB_ERROR_PLUGIN,
               "There is no %s “%s”: no file “%s.so” in these folders: %s; found: %s; correct the "
               "name, install the %s, or name its folder in %s",
               kind_to_string (kind), name, name, searched, names[0] != NULL ? found : "none",
               kind_to_string (kind),
               kind == JOB_PLUGIN_BACKEND ? "JOBQUEUE_BACKEND_PATH" : "JOBQUEUE_PLUGIN_PATH");
}

static gboolean
check_name_syntax (JobPluginKind kind, const char *name, GError **error)
{
  g_autofree char *escaped = NULL;

  if (job_plugin_name_is_valid (name))
    return TRUE;

  escaped = g_strescape (name, NULL);
  g_set_error (error, JOB_ERROR, JOB_ERROR_PLUGIN,
               "“%s” is not the name of a %s: that is made of a to z, 0 to 9 and “-”, and is never "
               "a path",
               escaped, kind_to_string (kind));
  return FALSE;
}

/* The descriptor of the plugin of this kind and name: what was registered or loaded before, else
 * from its module. It is a constant for the life of the process. JOB_ERROR_PLUGIN, naming the file,
 * the cause and the remedy, if there is none or if it is not fit. Any thread. */
const JobPluginDescriptor *
job_plugin_load (JobPluginKind kind, const char *name, GError **error)
{
  const JobPluginDescriptor *descriptor;
  g_autofree char *file = NULL;
  g_autoptr (GError) local_error = NULL;

  g_return_val_if_fail (kind == JOB_PLUGIN_BACKEND || kind == JOB_PLUGIN_HANDLER, NULL);
  g_return_val_if_fail (name != NULL, NULL);
  g_return_val_if_fail (error == NULL || *error == NULL, NULL);

  if (!check_name_syntax (kind, name, error))
    return NULL;

  descriptor = lookup (kind, name);
  if (descriptor != NULL)
    return descriptor;

  file = job_plugin_find_file (kind, name, &local_error);
  if (file != NULL)
    return load_file (kind, name, file, error);

  if (local_error != NULL)
    g_propagate_error (error, g_steal_pointer (&local_error));
  else
    set_not_found (kind, name, error);
  return NULL;
}

/* Makes known a plugin that is linked into the program. @descriptor is kept, and must stay for the
 * life of the process. Once more with the same one changes nothing; JOB_ERROR_PLUGIN if it is not
 * fit, or if there is another one of its kind and name already, registered or loaded. Any thread.
 */
gboolean
job_plugin_register (const JobPluginDescriptor *descriptor, GError **error)
{
  g_autofree char *where = NULL;
  const char *name;

  g_return_val_if_fail (descriptor != NULL, FALSE);
  g_return_val_if_fail (error == NULL || *error == NULL, FALSE);

  if (!check_abi_version (descriptor, "a plugin that the program registers", error))
    return FALSE;

  name = descriptor->name != NULL ? descriptor->name : "";
  where = g_strdup_printf ("the registered plugin “%s”", name);
  if (descriptor->kind != JOB_PLUGIN_HANDLER &&
      !check_kind (descriptor, JOB_PLUGIN_BACKEND, where, error))
    return FALSE;
  if (!check_name_syntax (descriptor->kind, name, error) ||
      !check_factory (descriptor, where, error))
    return FALSE;
  if (insert (descriptor) == descriptor)
    return TRUE;

  g_set_error (error, JOB_ERROR, JOB_ERROR_PLUGIN,
               "Cannot register the %s “%s”: there is one of that name already; register it once, "
               "before anything is opened",
               kind_to_string (descriptor->kind), name);
  return FALSE;
}

/**
 * job_list_backends:
 *
 * Lists the backends that there are: those in the folders that job_add_backend_folder() tells of,
 * and those that the program registered. Whether one can be loaded is only known once it is.
 *
 * Blocks for as long as it takes to read the folders; a folder that is not there, or that cannot
 * be read, adds nothing. May be called from any thread.
 *
 * Returns: (transfer full) (array zero-terminated=1): their names, sorted, each once
 *
 * Since: 1.0
 */
char **
job_list_backends (void)
{
  return list_names (JOB_PLUGIN_BACKEND);
}
