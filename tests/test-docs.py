#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Holds the docs to what they say: the README's first programs are the files in docs/, the C one
compiles against an installed library with pkg-config, both run, so does the first backend, and links
lead somewhere.

Arguments: the source folder, the build folder, the prefix, and then the meson command."""

import glob
import os
import re
import subprocess
import sys
import tempfile

import installed

SOURCE, BUILD, PREFIX = sys.argv[1:4]
MESON = sys.argv[4:]
LINK = re.compile(r"\]\(([^)#\s]+)(?:#[^)\s]*)?\)")


def read(path):
    with open(os.path.join(SOURCE, path), encoding="utf-8") as file:
        return file.read()


def without_license(text):
    return "".join(line for line in text.splitlines(True) if "SPDX-License-Identifier" not in line)


def check_run(command, env, last_line):
    """Runs a program on a new store; its last line has to match."""
    with tempfile.TemporaryDirectory() as folder:
        done = subprocess.run([*command, "fs-json:%s/jobs" % folder], env={**os.environ, **env},
                              stdout=subprocess.PIPE, check=True, encoding="utf-8")
        assert re.search(last_line, done.stdout), done.stdout
        jobs = glob.glob(os.path.join(folder, "jobs", "*"))
        assert len(jobs) == 1 and jobs[0].endswith(".json"), jobs


def compile_c(pkg_config_path, source, *arguments):
    flags = subprocess.run(["pkg-config", "--cflags", "--libs", "jobqueue-1"], check=True,
                           stdout=subprocess.PIPE, encoding="utf-8",
                           env={**os.environ, "PKG_CONFIG_PATH": pkg_config_path}).stdout
    subprocess.run(["cc", "-Wall", "-Wextra", "-Wno-unused-parameter", "-Werror",
                    os.path.join(SOURCE, source), *arguments, *flags.split()], check=True)


def test_c_program_is_in_the_readme():
    assert without_license(read("docs/first-program.c")) in read("README.md")


def test_backend_is_in_its_page():
    for block in re.findall(r"```c\n(.*?)```", read("docs/writing-a-backend.md"), re.DOTALL):
        assert block in read("docs/first-backend.c"), block


def test_python_program_is_in_the_readme():
    assert without_license(read("docs/first-program.py")) in read("README.md")


def test_c_programs_compile_with_pkg_config_and_run():
    with tempfile.TemporaryDirectory() as folder:
        pkg_config_path = installed.install(MESON, BUILD, PREFIX, folder)
        program = os.path.join(folder, "first-program")
        compile_c(pkg_config_path, "docs/first-program.c", "-o", program)
        compile_c(pkg_config_path, "docs/first-backend.c", "-shared", "-fPIC", "-o", folder + "/mine.so")
        env = {"LD_LIBRARY_PATH": os.path.dirname(pkg_config_path)}
        check_run([program], env, r"^job .* is done$")
        env["JOBQUEUE_BACKEND_PATH"] = folder
        done = subprocess.run([program, "mine:"], env={**os.environ, **env}, stdout=subprocess.PIPE,
                              check=True, encoding="utf-8")
        assert re.search(r"^job .* is done$", done.stdout), done.stdout


def test_python_program_runs():
    check_run([sys.executable, os.path.join(SOURCE, "docs/first-program.py")], {},
              r'^job .* is done: "hello, world"$')


def test_links_lead_somewhere():
    pages = ["README.md", *("docs/" + os.path.basename(page) for page in glob.glob(SOURCE + "/docs/*.md"))]
    assert len(pages) > 1, pages
    for page in pages:
        for link in LINK.findall(read(page)):
            target = os.path.join(SOURCE, os.path.dirname(page), link)
            assert "://" in link or os.path.exists(target), "%s: %s" % (page, link)


def main():
    tests = [(name[5:], test) for name, test in sorted(globals().items()) if name.startswith("test_")]
    print("1..%d" % len(tests))
    failed = False
    for number, (name, test) in enumerate(tests, 1):
        try:
            test()
            print("ok %d /docs/%s" % (number, name.replace("_", "-")), flush=True)
        except (AssertionError, OSError, subprocess.CalledProcessError) as error:
            failed = True
            print("not ok %d /docs/%s" % (number, name.replace("_", "-")))
            print("# %s: %s" % (type(error).__name__, str(error).replace("\n", "\n# ")), flush=True)
    return failed


sys.exit(main())
