#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Builds the backend of examples/backend as somebody else would, against an installed library and
an installed conformance suite, and runs both parts of the suite on it; and the store's part again
with faults put into the store, each of which it has to see. And that the suite cannot clash with the
program that it becomes a part of.

Arguments: the source folder, the build folder, the prefix, and then the meson command."""

import os
import shutil
import subprocess
import sys
import tempfile

import installed

SOURCE, BUILD, PREFIX = sys.argv[1:4]
MESON = sys.argv[4:]

# What is put in the place of what in lines-store.c, and the promise that this breaks.
FAULTS = {
    "a status that is not kept": (
        "job_status_copy (&changes[i].status, &job->status);", ";", "agrees-with-a-table"),
    "a checkpoint that keeps the old file": (
        "if (rename (new_path, self->path) != 0)", "if (FALSE)", "is-there-again"),
    "a damaged line that is dropped": (
        "g_ptr_array_add (self->bad, bad);", "free_bad_line (bad);", "damage-costs-itself"),
}


# How the names of the suite begin; those with two underscores are the compiler's.
PREFIXES = ("job_conformance_", "__")


class Example:
    """A copy of the example, and its build folder, beside the installed library."""

    def __init__(self, folder):
        self.source = os.path.join(folder, "backend")
        self.build = os.path.join(folder, "build")
        shutil.copytree(os.path.join(SOURCE, "examples", "backend"), self.source)
        pkg_config_path = installed.install(MESON, BUILD, PREFIX, os.path.join(folder, "installed"))
        self.libraries = os.path.dirname(pkg_config_path)
        self.env = {**os.environ, "PKG_CONFIG_PATH": pkg_config_path,
                    "LD_LIBRARY_PATH": self.libraries}
        self.run(*MESON, "setup", "-Dwerror=true", "-Dwarning_level=2",
                 "-Dc_args=-Wno-unused-parameter", self.build, self.source)
        self.run(*MESON, "compile", "-C", self.build)

    def call(self, *command):
        return subprocess.run(command, env=self.env, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, encoding="utf-8", check=False)

    def run(self, *command):
        done = self.call(*command)
        assert done.returncode == 0, "%s\n%s" % (" ".join(command), done.stdout[-5000:])
        return done.stdout

    def see_fault(self, wrong):
        """What the store's part says with something else in the place of what is in the source."""
        path = os.path.join(self.source, "lines-store.c")
        with open(path, encoding="utf-8") as file:
            text = file.read()
        assert text.count(wrong[0]) == 1, wrong[0]
        with open(path, "w", encoding="utf-8") as file:
            file.write(text.replace(wrong[0], wrong[1]))
        self.run(*MESON, "compile", "-C", self.build)
        done = self.call(os.path.join(self.build, "test-store"), "-p", "/job-store/lines/" + wrong[2])
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        return done


def test_backend_passes_both_parts_of_the_suite(example):
    example.run(*MESON, "test", "-C", example.build, "--print-errorlogs")


def test_store_part_sees_faults(example):
    example.env["JOBQUEUE_BACKEND_PATH"] = example.build
    for name, wrong in FAULTS.items():
        done = example.see_fault(wrong)
        assert done.returncode != 0 and "ERROR" in done.stdout, "%s:\n%s" % (name, done.stdout)


def test_suite_has_no_name_without_its_prefix(example):
    listing = example.run("nm", "-g", "--defined-only",
                          os.path.join(example.libraries, "libjobqueue-conformance-1.a"))
    names = [line.split()[2] for line in listing.splitlines() if len(line.split()) == 3]
    assert "job_conformance_main" in names, listing
    strange = [name for name in names if not name.startswith(PREFIXES)]
    assert not strange, "these can clash: %s" % " ".join(strange)


def main():
    tests = [(name[5:], test) for name, test in sorted(globals().items()) if name.startswith("test_")]
    failed = False
    print("1..%d" % len(tests))
    with tempfile.TemporaryDirectory() as folder:
        try:
            example = Example(folder)
        except (AssertionError, OSError, subprocess.CalledProcessError) as error:
            print("Bail out! %s" % str(error).replace("\n", "\n# "), flush=True)
            return True
        for number, (name, test) in enumerate(tests, 1):
            try:
                test(example)
                print("ok %d /examples/%s" % (number, name.replace("_", "-")), flush=True)
            except AssertionError as error:
                failed = True
                print("not ok %d /examples/%s" % (number, name.replace("_", "-")))
                print("# %s" % str(error).replace("\n", "\n# "), flush=True)
    return failed


sys.exit(main())
