/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What the tests of the library's defences share: a queue on each backend, through the public
 * interface. */

#pragma once

#include "jobqueue.h"

G_BEGIN_DECLS

typedef struct
{
  const char *name;
  const char *option;  /* that says where; NULL: it has no files */
  const char *journal; /* a file of it, behind the place */
} Backend;

typedef struct
{
  const Backend *backend;
  char *folder;
  char *place; /* of the jobs, in the folder */
  JobQueue *queue;
} Fixture;

typedef struct
{
  const char *path;
  void (*run) (Fixture *f, gconstpointer data);
  const char *only; /* the one backend that it is about; NULL: all */
} SecurityTest;

/* Adds them for each backend, or for each that has files. */
void add_tests (const SecurityTest *tests, gsize n_tests, gboolean of_files);

JobQueue *try_open (Fixture *f, GError **error);
void open_queue (Fixture *f);
void close_queue (Fixture *f);

/* @channel may be NULL. Returns the id. */
char *add (Fixture *f, const char *type, const char *channel, const char *args);
/* The next job, or NULL. */
JobLease *take (Fixture *f, const char *type, const char *channel);
/* How many jobs there are of the type, or of any. */
guint count (Fixture *f, const char *type);

G_END_DECLS
