/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What the fuzz targets share. A target is one file, fuzz-NAME.c, with one function, which gets one
 * input and aborts if a promise about it is broken. libFuzzer calls it with inputs that it makes
 * up; fuzz-main.c, in the everyday tests, with those of tests/corpus/NAME, among which is every one
 * that ever broke a promise. */

#pragma once

#include "jobqueue-backend.h"

G_BEGIN_DECLS

/* More than that shows nothing new, and takes long. */
#define FUZZ_MAX_SIZE 8192

int LLVMFuzzerInitialize (int *argc, char ***argv);
int LLVMFuzzerTestOneInput (const guint8 *data, size_t size);

/* A folder of this process for files, removed at its end. */
const char *fuzz_get_folder (void);
/* Removes all files in it. */
void fuzz_clear_folder (void);

/* An error of ours with a message that a person can read: UTF-8, and not empty. */
void fuzz_assert_error (const GError *error);

G_END_DECLS
