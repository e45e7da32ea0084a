/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* One job as one line:
 *
 *   <id> <SHA-256 of what follows> <the binary form of job-record.h, in base64>
 */

#include "lines-store.h"

#include <string.h>

#define ID_SIZE (JOB_ID_TEXT_SIZE - 1)
#define SUM_SIZE 64

void
lines_text_append (GString *text, const JobChange *job)
{
  g_autoptr (GByteArray) bytes = g_byte_array_new ();
  g_autofree char *base64 = NULL, *sum = NULL;
  char id[JOB_ID_TEXT_SIZE];

  job_change_encode (job, bytes);
  base64 = g_base64_encode (bytes->data, bytes->len);
  sum = g_compute_checksum_for_string (G_CHECKSUM_SHA256, base64, -1);
  job_id_to_text (&job->id, id);
  g_string_append_printf (text, "%s %s %s", id, sum, base64);
}

static gboolean
check_sum (const char *sum, const char *base64)
{
  g_autofree char *expected = g_compute_checksum_for_string (G_CHECKSUM_SHA256, base64, -1);

  return strncmp (sum, expected, SUM_SIZE) == 0;
}

static gboolean
decode (const char *base64, JobChange *job)
{
  gsize size, used;
  g_autofree guchar *bytes = g_base64_decode (base64, &size);

  return job_change_decode (bytes, size, job, &used, NULL) && used == size && job->record != NULL;
}

gboolean
lines_text_parse (const char *line, JobChange *job, JobId *id)
{
  g_autofree char *text = g_strndup (line, ID_SIZE);
  const char *sum = line + ID_SIZE + 1, *base64 = sum + SUM_SIZE + 1;

  *job = (JobChange){ .record = NULL };
  if (!job_id_parse (text, "id", id, NULL))
    {
      *id = (JobId){ { 0 } };
      return FALSE;
    }
  return strlen (line) > ID_SIZE + SUM_SIZE + 2 && sum[-1] == ' ' && base64[-1] == ' ' &&
         check_sum (sum, base64) && decode (base64, job) && job_id_equal (&job->id, id);
}
