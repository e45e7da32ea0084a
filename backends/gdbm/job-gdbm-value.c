/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A record of the gdbm file. Its key is the 16 bytes of the id; its value is
 *
 *   the whole job, as job_change_encode() makes it
 *   4 bytes: CRC-32 (zlib's) of key and job, little-endian
 *
 * gdbm has no checksum of its own, and a bit that flips within a text would decode well. */

#include "job-gdbm-value.h"

#include <string.h>
#include <zlib.h>

#define CRC_SIZE 4
#define LONGEST_KEY_SHOWN 64

GBytes *
job_gdbm_key_new (const JobId *id)
{
  return g_bytes_new (id->bytes, sizeof id->bytes);
}

const JobId *
job_gdbm_key_get_id (GBytes *key)
{
  gsize size;
  gconstpointer data = g_bytes_get_data (key, &size);

  return size == sizeof (JobId) ? data : NULL;
}

char *
job_gdbm_key_dup_name (GBytes *key)
{
  gsize size;
  const guint8 *data = g_bytes_get_data (key, &size);
  GString *name;

  if (size > LONGEST_KEY_SHOWN)
    return g_compute_checksum_for_bytes (G_CHECKSUM_SHA256, key);
  name = g_string_new (NULL);
  for (gsize i = 0; i < size; i++)
    g_string_append_printf (name, "%02x", data[i]);
  return g_string_free (name, FALSE);
}

static guint32
compute_crc (gconstpointer key, gsize key_size, const guint8 *data, gsize size)
{
  uLong crc = crc32_z (0, key, key_size);

  return (guint32) crc32_z (crc, data, size);
}

void
job_gdbm_value_encode (const JobChange *job, GByteArray *value)
{
  guint start = value->len;
  guint32 crc;

  job_change_encode (job, value);
  crc = compute_crc (job->id.bytes, sizeof job->id.bytes, value->data + start, value->len - start);
  crc = GUINT32_TO_LE (crc);
  g_byte_array_append (value, (const guint8 *) &crc, CRC_SIZE);
}

static gboolean
check_value (GBytes *key, const guint8 *data, gsize size, GError **error)
{
  const JobId *id = job_gdbm_key_get_id (key);
  guint32 crc;

  if (id == NULL)
    {
      g_set_error (error, JOB_ERROR, JOB_ERROR_CORRUPT,
                   "Its key has %" G_GSIZE_FORMAT " bytes, not the 16 of an id",
                   g_bytes_get_size (key));
      return FALSE;
    }
  if (size < CRC_SIZE)
    {
      g_set_error (error, JOB_ERROR, JOB_ERROR_CORRUPT,
                   "It has %" G_GSIZE_FORMAT " bytes, too few for a job", size);
      return FALSE;
    }
  memcpy (&crc, data + size - CRC_SIZE, CRC_SIZE);
  if (GUINT32_FROM_LE (crc) == compute_crc (id->bytes, sizeof id->bytes, data, size - CRC_SIZE))
    return TRUE;
  g_set_error (error, JOB_ERROR, JOB_ERROR_CORRUPT, "Its checksum is wrong");
  return FALSE;
}

gboolean
job_gdbm_value_decode (GBytes *key, GBytes *value, JobChange *job, GError **error)
{
  gsize size, used;
  const guint8 *data = g_bytes_get_data (value, &size);

  *job = (JobChange){ 0 };
  if (!check_value (key, data, size, error) ||
      !job_change_decode (data, size - CRC_SIZE, job, &used, error))
    return FALSE;
  if (job->record != NULL && used == size - CRC_SIZE &&
      job_id_equal (&job->id, job_gdbm_key_get_id (key)))
    return TRUE;
  job_change_clear (job);
  g_set_error (error, JOB_ERROR, JOB_ERROR_CORRUPT, "It is not the job of its key");
  return FALSE;
}
