/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* As shim-calls.c, the functions that take names, or tell of files. */

/* Else open() is open64() here, and both are defined. */
#undef _FILE_OFFSET_BITS

#include "shim.h"

#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "shim-call.h"

/* --- changing names --------------------------------------------------------------------------- */

int
renameat2 (int from_folder, const char *from, int to_folder, const char *to, unsigned int flags)
{
  const char *path = shim_find_path (from_folder, from);

  return SHIM_SIMPLE (SHIM_RENAME, path,
                      SHIM_REAL (renameat2) (from_folder, from, to_folder, to, flags),
                      .deed = SHIM_DID_RENAME, .path = (char *) path,
                      .to = (char *) shim_find_path (to_folder, to));
}

int
renameat (int from_folder, const char *from, int to_folder, const char *to)
{
  return renameat2 (from_folder, from, to_folder, to, 0);
}

int
rename (const char *from, const char *to)
{
  return renameat2 (AT_FDCWD, from, AT_FDCWD, to, 0);
}

int
linkat (int from_folder, const char *from, int to_folder, const char *to, int flags)
{
  const char *path = shim_find_path (from_folder, from);

  return SHIM_SIMPLE (SHIM_LINK, path, SHIM_REAL (linkat) (from_folder, from, to_folder, to, flags),
                      .deed = SHIM_DID_LINK, .path = (char *) path,
                      .to = (char *) shim_find_path (to_folder, to));
}

int
link (const char *from, const char *to)
{
  return linkat (AT_FDCWD, from, AT_FDCWD, to, 0);
}

int
unlinkat (int folder, const char *name, int flags)
{
  const char *path = shim_find_path (folder, name);

  return SHIM_SIMPLE ((flags & AT_REMOVEDIR) != 0 ? SHIM_REMOVE_FOLDER : SHIM_UNLINK, path,
                      SHIM_REAL (unlinkat) (folder, name, flags), .deed = SHIM_DID_UNLINK,
                      .path = (char *) path);
}

int
unlink (const char *name)
{
  return unlinkat (AT_FDCWD, name, 0);
}

int
rmdir (const char *name)
{
  return unlinkat (AT_FDCWD, name, AT_REMOVEDIR);
}

int
mkdirat (int folder, const char *name, mode_t mode)
{
  const char *path = shim_find_path (folder, name);

  return SHIM_SIMPLE (SHIM_MAKE_FOLDER, path, SHIM_REAL (mkdirat) (folder, name, mode),
                      .deed = SHIM_DID_MAKE_FOLDER, .path = (char *) path);
}

int
mkdir (const char *name, mode_t mode)
{
  return mkdirat (AT_FDCWD, name, mode);
}

/* --- asking ----------------------------------------------------------------------------------- */

int
fstat (int fd, struct stat *info)
{
  return SHIM_SIMPLE (SHIM_STAT, shim_find_fd (fd), SHIM_REAL (fstat) (fd, info), SHIM_NOTHING);
}

int
fstat64 (int fd, struct stat64 *info)
{
  return SHIM_SIMPLE (SHIM_STAT, shim_find_fd (fd), SHIM_REAL (fstat64) (fd, info), SHIM_NOTHING);
}

int
fstatat (int folder, const char *name, struct stat *info, int flags)
{
  return SHIM_SIMPLE (SHIM_STAT, shim_find_path (folder, name),
                      SHIM_REAL (fstatat) (folder, name, info, flags), SHIM_NOTHING);
}

int
fstatat64 (int folder, const char *name, struct stat64 *info, int flags)
{
  return SHIM_SIMPLE (SHIM_STAT, shim_find_path (folder, name),
                      SHIM_REAL (fstatat64) (folder, name, info, flags), SHIM_NOTHING);
}

int
stat (const char *name, struct stat *info)
{
  return fstatat (AT_FDCWD, name, info, 0);
}

int
stat64 (const char *name, struct stat64 *info)
{
  return fstatat64 (AT_FDCWD, name, info, 0);
}

int
lstat (const char *name, struct stat *info)
{
  return fstatat (AT_FDCWD, name, info, AT_SYMLINK_NOFOLLOW);
}

int
lstat64 (const char *name, struct stat64 *info)
{
  return fstatat64 (AT_FDCWD, name, info, AT_SYMLINK_NOFOLLOW);
}

int
access (const char *name, int mode)
{
  return SHIM_SIMPLE (SHIM_ACCESS, shim_find_path (AT_FDCWD, name), SHIM_REAL (access) (name, mode),
                      SHIM_NOTHING);
}

int
fchmod (int fd, mode_t mode)
{
  return SHIM_SIMPLE (SHIM_CHANGE_MODE, shim_find_fd (fd), SHIM_REAL (fchmod) (fd, mode),
                      SHIM_NOTHING);
}

/* --- listing ---------------------------------------------------------------------------------- */

/* The descriptor is the stream's from now on, and closed with it by a call that is not seen. */
struct dirent64 *
readdir64 (DIR *folder)
{
  const char *path = shim_find_fd (dirfd (folder));
  struct dirent64 *entry = NULL;
  int error;

  if (path == NULL)
    return SHIM_REAL (readdir64) (folder);
  if (shim_enter (SHIM_LIST, path, &error) == SHIM_PASS)
    entry = SHIM_REAL (readdir64) (folder);
  else
    errno = error;
  shim_leave ();
  return entry;
}

int
closedir (DIR *folder)
{
  int fd = dirfd (folder), error, result;
  const char *path = shim_find_fd (fd);

  if (path == NULL)
    return SHIM_REAL (closedir) (folder);
  shim_enter (SHIM_CLOSE, path, &error); /* nobody looks at its answer */
  shim_set_fd (fd, NULL);
  result = SHIM_REAL (closedir) (folder);
  shim_note_done ((ShimEvent){ .deed = SHIM_DID_CLOSE, .fd = fd });
  shim_leave ();
  return result;
}
