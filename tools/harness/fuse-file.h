/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A regular file whose contents a process of the harness makes up: enough of the kernel's FUSE
 * protocol to put a loop device on it, and nothing more. */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* What is in it. Called one at a time. */
typedef struct
{
  guint64 size;
  void (*read) (guint64 offset, gsize size, void *bytes, gpointer data);
  void (*write) (guint64 offset, gsize size, const void *bytes, gpointer data);
  void (*zero) (guint64 offset, gsize size, gpointer data);
  void (*flush) (gpointer data);
  gpointer data;
} FuseFile;

/* Mounts it over the regular file @path, and returns the descriptor on which the kernel asks; -1,
 * with the reason, if that cannot be. */
int fuse_file_mount (const char *path, char **why);
/* Answers until the file is no longer mounted. */
void fuse_file_serve (const FuseFile *self, int fd);

G_END_DECLS
