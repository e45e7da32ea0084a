/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A backend says what its options are by having construct properties: their names are the keys,
 * their GParamSpecs say what is right. So a backend has no parser of its own, and every key of
 * every backend is checked in the same way. Properties that no text can stand for, such as the
 * clock, are no options. */

#include "job-queue-options-private.h"

#include "job-error.h"

static gboolean
is_option (GParamSpec *pspec)
{
  if ((pspec->flags & G_PARAM_WRITABLE) == 0 ||
      (pspec->flags & (G_PARAM_CONSTRUCT | G_PARAM_CONSTRUCT_ONLY)) == 0)
    return FALSE;

  switch (G_TYPE_FUNDAMENTAL (pspec->value_type))
    {
    case G_TYPE_STRING:
    case G_TYPE_BOOLEAN:
    case G_TYPE_INT:
    case G_TYPE_UINT:
    case G_TYPE_INT64:
    case G_TYPE_UINT64:
    case G_TYPE_ENUM:
      return TRUE;
    default:
      return FALSE;
    }
}

/* GObject would also take "a_b" for "a-b"; one name for one thing is enough. */
static GParamSpec *
find_option (GObjectClass *klass, const char *key)
{
  GParamSpec *pspec = g_object_class_find_property (klass, key);

  return pspec != NULL && g_str_equal (pspec->name, key) && is_option (pspec) ? pspec : NULL;
}

static int
compare_names (gconstpointer a, gconstpointer b)
{
  return strcmp (*(const char *const *) a, *(const char *const *) b);
}

static char *
describe_keys (GObjectClass *klass)
{
  g_autoptr (GPtrArray) names = g_ptr_array_new ();
  guint n_pspecs;
  g_autofree GParamSpec **pspecs = g_object_class_list_properties (klass, &n_pspecs);
  g_autofree char *list = NULL;

  for (guint i = 0; i < n_pspecs; i++)
    if (is_option (pspecs[i]))
      g_ptr_array_add (names, (gpointer) pspecs[i]->name);
  if (names->len == 0)
    return g_strdup ("it has no keys");

  g_ptr_array_sort (names, compare_names);
  g_ptr_array_add (names, NULL);
  list = g_strjoinv (", ", (char **) names->pdata);
  return g_strdup_printf ("its keys are: %s", list);
}

static char *
describe_enum (GType type)
{
  g_autoptr (GTypeClass) type_class = g_type_class_ref (type);
  GEnumClass *enum_class = G_ENUM_CLASS (type_class);
  GString *text = g_string_new ("one of: ");

  for (guint i = 0; i < enum_class->n_values; i++)
    g_string_append_printf (text, "%s%s", i > 0 ? ", " : "", enum_class->values[i].value_nick);
  return g_string_free (text, FALSE);
}

static char *
describe_signed (gint64 minimum, gint64 maximum)
{
  return g_strdup_printf ("a whole number from %" G_GINT64_FORMAT " to %" G_GINT64_FORMAT, minimum,
                          maximum);
}

static char *
describe_unsigned (guint64 minimum, guint64 maximum)
{
  return g_strdup_printf ("a whole number from %" G_GUINT64_FORMAT " to %" G_GUINT64_FORMAT,
                          minimum, maximum);
}

/* What a value of this option is, to go behind "is not". */
static char *
describe_values (GParamSpec *pspec)
{
  switch (G_TYPE_FUNDAMENTAL (pspec->value_type))
    {
    case G_TYPE_BOOLEAN:
      return g_strdup ("“true” or “false”");
    case G_TYPE_INT:
      return describe_signed (G_PARAM_SPEC_INT (pspec)->minimum, G_PARAM_SPEC_INT (pspec)->maximum);
    case G_TYPE_UINT:
      return describe_unsigned (G_PARAM_SPEC_UINT (pspec)->minimum,
                                G_PARAM_SPEC_UINT (pspec)->maximum);
    case G_TYPE_INT64:
      return describe_signed (G_PARAM_SPEC_INT64 (pspec)->minimum,
                              G_PARAM_SPEC_INT64 (pspec)->maximum);
    case G_TYPE_UINT64:
      return describe_unsigned (G_PARAM_SPEC_UINT64 (pspec)->minimum,
                                G_PARAM_SPEC_UINT64 (pspec)->maximum);
    case G_TYPE_ENUM:
      return describe_enum (pspec->value_type);
    default:
      return g_strdup ("a text that this key can have");
    }
}

static gboolean
parse_boolean (const char *text, GValue *value)
{
  g_value_set_boolean (value, g_str_equal (text, "true"));

  return g_str_equal (text, "true") || g_str_equal (text, "false");
}

static gboolean
parse_enum (const char *text, GType type, GValue *value)
{
  g_autoptr (GTypeClass) type_class = g_type_class_ref (type);
  const GEnumValue *enum_value = g_enum_get_value_by_nick (G_ENUM_CLASS (type_class), text);

  if (enum_value != NULL)
    g_value_set_enum (value, enum_value->value);
  return enum_value != NULL;
}

static gboolean
parse_signed (const char *text, GParamSpec *pspec, GValue *value)
{
  gboolean wide = pspec->value_type == G_TYPE_INT64;
  gint64 minimum = wide ? G_PARAM_SPEC_INT64 (pspec)->minimum : G_PARAM_SPEC_INT (pspec)->minimum;
  gint64 maximum = wide ? G_PARAM_SPEC_INT64 (pspec)->maximum : G_PARAM_SPEC_INT (pspec)->maximum;
  gint64 number;

  if (!g_ascii_string_to_signed (text, 10, minimum, maximum, &number, NULL))
    return FALSE;

  if (wide)
    g_value_set_int64 (value, number);
  else
    g_value_set_int (value, (int) number);
  return TRUE;
}

static gboolean
parse_unsigned (const char *text, GParamSpec *pspec, GValue *value)
{
  gboolean wide = pspec->value_type == G_TYPE_UINT64;
  guint64 minimum =
      wide ? G_PARAM_SPEC_UINT64 (pspec)->minimum : G_PARAM_SPEC_UINT (pspec)->minimum;
  guint64 maximum =
      wide ? G_PARAM_SPEC_UINT64 (pspec)->maximum : G_PARAM_SPEC_UINT (pspec)->maximum;
  guint64 number;

  if (!g_ascii_string_to_unsigned (text, 10, minimum, maximum, &number, NULL))
    return FALSE;

  if (wide)
    g_value_set_uint64 (value, number);
  else
    g_value_set_uint (value, (guint) number);
  return TRUE;
}

static gboolean
parse_value (const char *text, GParamSpec *pspec, GValue *value)
{
  switch (G_TYPE_FUNDAMENTAL (pspec->value_type))
    {
    case G_TYPE_BOOLEAN:
      return parse_boolean (text, value);
    case G_TYPE_INT:
    case G_TYPE_INT64:
      return parse_signed (text, pspec, value);
    case G_TYPE_UINT:
    case G_TYPE_UINT64:
      return parse_unsigned (text, pspec, value);
    case G_TYPE_ENUM:
      return parse_enum (text, pspec->value_type, value);
    default:
      g_value_set_string (value, text);
      return TRUE;
    }
}

static gboolean
parse_text (const char *text, GParamSpec *pspec, GValue *value, const char *where, GError **error)
{
  g_autofree char *right = NULL;

  /* Validation that changes the value means that the value is not one of this property's. */
  if (parse_value (text, pspec, value) && !g_param_value_validate (pspec, value))
    return TRUE;

  right = describe_values (pspec);
  g_set_error (error, JOB_ERROR, JOB_ERROR_CONFIG, "%s, key “%s”: “%s” is not %s", where,
               pspec->name, text, right);
  return FALSE;
}

static char *
resolve_location (const char *text, GParamSpec *pspec, const char *where, const char *folder,
                  GError **error)
{
  if (text[0] != '\0')
    return g_canonicalize_filename (text, folder);

  g_set_error (error, JOB_ERROR, JOB_ERROR_CONFIG,
               "%s, key “%s”: it is empty; give a path, such as /var/lib/example/jobs", where,
               pspec->name);
  return NULL;
}

/* The text as it is parsed: of a location, the absolute path. */
static char *
prepare_text (const JobPluginDescriptor *descriptor, const char *text, GParamSpec *pspec,
              const char *where, const char *folder, GError **error)
{
  if (text == NULL)
    {
      g_set_error (error, JOB_ERROR, JOB_ERROR_CONFIG, "%s, key “%s”: it has no value; give one",
                   where, pspec->name);
      return NULL;
    }

  return g_strcmp0 (pspec->name, descriptor->location_property) == 0
             ? resolve_location (text, pspec, where, folder, error)
             : g_strdup (text);
}

static void
take_value (JobQueueOptions *self, const char *name, const GValue *value)
{
  g_ptr_array_add (self->names, (gpointer) name);
  g_array_append_val (self->values, *value);
}

static GParamSpec *
check_key (GObjectClass *klass, const char *key, const char *where, GError **error)
{
  GParamSpec *pspec = find_option (klass, key);
  g_autofree char *keys = NULL;

  if (pspec != NULL)
    return pspec;

  keys = describe_keys (klass);
  g_set_error (error, JOB_ERROR, JOB_ERROR_CONFIG, "%s: there is no key “%s”; %s", where, key,
               keys);
  return NULL;
}

static JobQueueOptions *
options_new (GType type)
{
  JobQueueOptions *self = g_new0 (JobQueueOptions, 1);

  self->type = type;
  self->names = g_ptr_array_new ();
  self->values = g_array_new (FALSE, FALSE, sizeof (GValue));
  g_array_set_clear_func (self->values, (GDestroyNotify) g_value_unset);
  return self;
}

JobQueueOptions *
job_queue_options_parse (const JobPluginDescriptor *descriptor, GHashTable *texts,
                         const char *where, const char *folder, GError **error)
{
  g_autoptr (JobQueueOptions) self = options_new (descriptor->get_type ());
  g_autoptr (GTypeClass) type_class = g_type_class_ref (self->type);
  GHashTableIter iter;
  gpointer key, text;

  if (texts == NULL)
    return g_steal_pointer (&self);

  g_hash_table_iter_init (&iter, texts);
  while (g_hash_table_iter_next (&iter, &key, &text))
    {
      GParamSpec *pspec = check_key (G_OBJECT_CLASS (type_class), key, where, error);
      g_autofree char *prepared = NULL;
      g_auto (GValue) value = G_VALUE_INIT;

      if (pspec == NULL)
        return NULL;
      prepared = prepare_text (descriptor, text, pspec, where, folder, error);
      if (prepared == NULL)
        return NULL;
      g_value_init (&value, pspec->value_type);
      if (!parse_text (prepared, pspec, &value, where, error))
        return NULL;
      take_value (self, pspec->name, &value);
      value = (GValue) G_VALUE_INIT;
    }

  return g_steal_pointer (&self);
}

void
job_queue_options_free (JobQueueOptions *self)
{
  g_ptr_array_unref (self->names);
  g_array_unref (self->values);
  g_free (self);
}

static gboolean
has_option (JobQueueOptions *self, const char *name)
{
  return g_ptr_array_find_with_equal_func (self->names, name, g_str_equal, NULL);
}

gboolean
job_queue_options_check_location (JobQueueOptions *self, const JobPluginDescriptor *descriptor,
                                  const char *where, GError **error)
{
  const char *property = descriptor->location_property;

  if (property == NULL || has_option (self, property))
    return TRUE;

  g_set_error (error, JOB_ERROR, JOB_ERROR_CONFIG,
               "%s: the key “%s” is missing; it says where the jobs are kept, as in "
               "“%s=/var/lib/example/jobs”, or in a URI “%s:/var/lib/example/jobs”",
               where, property, property, descriptor->name);
  return FALSE;
}

gboolean
job_queue_options_add_clock (JobQueueOptions *self, JobClock *clock, const char *where,
                             GError **error)
{
  g_autoptr (GTypeClass) type_class = g_type_class_ref (self->type);
  GParamSpec *pspec = g_object_class_find_property (G_OBJECT_CLASS (type_class), "clock");
  GValue value = G_VALUE_INIT;

  if (pspec == NULL || (pspec->flags & G_PARAM_WRITABLE) == 0 ||
      !g_type_is_a (G_OBJECT_TYPE (clock), pspec->value_type))
    {
      g_set_error (error, JOB_ERROR, JOB_ERROR_CONFIG,
                   "%s: this backend takes no clock, since it keeps its own time; give none",
                   where);
      return FALSE;
    }

  g_value_init (&value, pspec->value_type);
  g_value_set_object (&value, clock);
  take_value (self, pspec->name, &value);
  return TRUE;
}

GObject *
job_queue_options_construct (JobQueueOptions *self)
{
  return g_object_new_with_properties (self->type, self->names->len,
                                       (const char **) self->names->pdata,
                                       (const GValue *) self->values->data);
}
