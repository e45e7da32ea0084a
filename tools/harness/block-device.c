/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* How the disk becomes a device, and an ext4 on it.
 *
 * ext4 asks for more than whole sectors where it has checksums over larger blocks (with a torn
 * superblock or commit block it cannot be mounted), so it is made without: those would tell of
 * ext4, and not of us. */

#include "block-device.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/loop.h>
#include <sched.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <unistd.h>

#define LOOP_MAJOR 7
#define LOOP_ATTEMPTS 100 /* others take free devices as well */
#define UNMOUNT_ATTEMPTS 500

struct _BlockDevice
{
  char *file;   /* that the loop device is on */
  char *mount;  /* where the ext4 is mounted */
  char *folder; /* in it */
  GMappedFile *made;
  BlockDisk *disk;
  pid_t server; /* while it is mounted */
};

/* --- the file system -------------------------------------------------------------------------- */

static char *
find_mkfs (void)
{
  char *path = g_find_program_in_path ("mkfs.ext4");

  if (path == NULL && g_file_test ("/usr/sbin/mkfs.ext4", G_FILE_TEST_IS_EXECUTABLE))
    path = g_strdup ("/usr/sbin/mkfs.ext4");
  return path;
}

/* With what is in the folder @contents. */
static gboolean
make_file_system (const char *image, const char *contents, char **why)
{
  g_autofree char *mkfs = find_mkfs ();
  g_autofree char *size = g_strdup_printf ("%dk", BLOCK_DISK_SIZE / 1024);
  const char *argv[] = { mkfs,
                         "-q",
                         "-F",
                         "-b",
                         "4096",
                         "-m",
                         "0",
                         "-J",
                         "size=4",
                         "-O",
                         "^metadata_csum",
                         "-E",
                         "lazy_itable_init=0,lazy_journal_init=0,nodiscard",
                         "-d",
                         contents,
                         image,
                         size,
                         NULL };
  g_autofree char *output = NULL;
  g_autoptr (GError) error = NULL;
  int status;

  if (mkfs == NULL)
    *why = g_strdup ("there is no mkfs.ext4");
  else if (!g_spawn_sync (NULL, (char **) argv, NULL, G_SPAWN_STDOUT_TO_DEV_NULL, NULL, NULL, NULL,
                          &output, &status, &error))
    *why = g_strdup (error->message);
  else if (!g_spawn_check_wait_status (status, NULL))
    *why = g_strdup_printf ("mkfs.ext4: %s", output);
  return *why == NULL;
}

static gboolean
make (BlockDevice *self, const char *folder, char **why)
{
  g_autofree char *contents = g_build_filename (folder, "contents", NULL);
  g_autofree char *inner = g_build_filename (contents, "case", NULL);
  g_autofree char *image = g_build_filename (folder, "ext4", NULL);
  g_autoptr (GError) error = NULL;

  if (g_mkdir_with_parents (inner, 0700) != 0 || g_mkdir_with_parents (self->mount, 0700) != 0 ||
      !g_file_set_contents (self->file, "", 0, NULL))
    {
      *why = g_strdup_printf ("%s: %s", folder, g_strerror (errno));
      return FALSE;
    }
  if (!make_file_system (image, contents, why))
    return FALSE;
  self->made = g_mapped_file_new (image, FALSE, &error);
  if (self->made == NULL)
    *why = g_strdup (error->message);
  else if (g_mapped_file_get_length (self->made) != BLOCK_DISK_SIZE)
    *why = g_strdup_printf ("%s has not the size that was asked for", image);
  return *why == NULL;
}

BlockDevice *
block_device_new (const char *folder, char **why)
{
  BlockDevice *self = g_new0 (BlockDevice, 1);

  self->file = g_build_filename (folder, "disk", NULL);
  self->mount = g_build_filename (folder, "mounted", NULL);
  self->folder = g_build_filename (self->mount, "case", NULL);
  self->disk = block_disk_new ();
  if (make (self, folder, why))
    return self;
  block_device_free (self);
  return NULL;
}

void
block_device_free (BlockDevice *self)
{
  g_clear_pointer (&self->made, g_mapped_file_unref);
  g_free (self->file);
  g_free (self->mount);
  g_free (self->folder);
  g_free (self);
}

BlockDisk *
block_device_get_disk (BlockDevice *self)
{
  return self->disk;
}

void
block_device_reset (BlockDevice *self)
{
  block_disk_reset (self->disk, g_mapped_file_get_contents (self->made));
}

const char *
block_device_get_folder (BlockDevice *self)
{
  return self->folder;
}

/* --- mounting --------------------------------------------------------------------------------- */

gboolean
block_device_set_apart (char **why)
{
  if (unshare (CLONE_NEWNS) == 0 && mount (NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0)
    return TRUE;
  *why = g_strdup_printf ("mounts of its own: %s", g_strerror (errno));
  return FALSE;
}

/* What it needs of memory must not wait for a file system that waits for it. */
static void
serve (BlockDevice *self, int fd)
{
  FuseFile file = block_disk_get_file (self->disk);

  prctl (PR_SET_PDEATHSIG, SIGKILL);
  prctl (PR_SET_IO_FLUSHER, 1, 0, 0, 0);
  fuse_file_serve (&file, fd);
  _exit (0);
}

static gboolean
start_server (BlockDevice *self, char **why)
{
  int fd = fuse_file_mount (self->file, why);

  if (fd < 0)
    return FALSE;
  self->server = fork ();
  if (self->server < 0)
    g_error ("No child: %s", g_strerror (errno));
  if (self->server == 0)
    serve (self, fd);
  close (fd);
  return TRUE;
}

static void
stop_server (BlockDevice *self)
{
  umount2 (self->file, MNT_DETACH);
  while (waitpid (self->server, NULL, 0) < 0 && errno == EINTR)
    ;
}

/* There may be more devices than anybody has made files for. */
static int
open_loop (int number, char **path)
{
  *path = g_strdup_printf ("/dev/loop%d", number);
  if (access (*path, F_OK) != 0)
    mknod (*path, S_IFBLK | 0600, makedev (LOOP_MAJOR, (guint) number));
  return open (*path, O_RDWR | O_CLOEXEC);
}

/* The path of a free loop device, which is on the file until nobody uses it any more; *fd keeps it
 * until it is mounted. */
static char *
take_loop (int control, int file, int *fd)
{
  struct loop_config config = { .fd = (guint32) file, .info = { .lo_flags = LO_FLAGS_AUTOCLEAR } };

  for (guint i = 0; i < LOOP_ATTEMPTS; i++)
    {
      g_autofree char *path = NULL;
      int number = ioctl (control, LOOP_CTL_GET_FREE);

      if (number < 0)
        return NULL;
      *fd = open_loop (number, &path);
      if (*fd < 0)
        return NULL;
      if (ioctl (*fd, LOOP_CONFIGURE, &config) == 0)
        return g_steal_pointer (&path);
      close (*fd);
      if (errno != EBUSY)
        return NULL;
    }
  return NULL;
}

static gboolean
mount_loop (BlockDevice *self, int file, char **why)
{
  g_autofree char *path = NULL;
  int control = open ("/dev/loop-control", O_RDWR | O_CLOEXEC);
  int fd = -1;
  gboolean good = FALSE;
  struct stat info;

  if (control < 0)
    {
      *why = g_strdup_printf ("/dev/loop-control: %s", g_strerror (errno));
      return FALSE;
    }
  fstat (file, &info); /* the kernel takes the size that it was told last */
  path = take_loop (control, file, &fd);
  if (path == NULL)
    *why = g_strdup_printf ("a loop device: %s", g_strerror (errno));
  else
    {
      good = mount (path, self->mount, "ext4", 0, NULL) == 0;
      if (!good)
        *why = g_strdup_printf ("mounting ext4 from %s: %s", path, g_strerror (errno));
      close (fd);
    }
  close (control);
  return good;
}

gboolean
block_device_mount (BlockDevice *self, char **why)
{
  int file;
  gboolean good = FALSE;

  if (!start_server (self, why))
    return FALSE;
  file = open (self->file, O_RDWR | O_CLOEXEC);
  if (file < 0)
    *why = g_strdup_printf ("opening a FUSE file: %s", g_strerror (errno));
  else
    {
      good = mount_loop (self, file, why);
      close (file);
    }
  if (!good)
    stop_server (self);
  return good;
}

void
block_device_unmount (BlockDevice *self)
{
  for (guint i = 0; umount2 (self->mount, 0) != 0; i++)
    {
      if (errno != EBUSY || i == UNMOUNT_ATTEMPTS)
        g_error ("%s cannot be unmounted: %s", self->mount, g_strerror (errno));
      g_usleep (1000);
    }
  stop_server (self);
}
