/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What every public header needs: GLib, and the mark of an exported function. */

#pragma once

#include <gio/gio.h>
#include <glib-object.h>

#define JOB_API __attribute__ ((visibility ("default"))) extern
