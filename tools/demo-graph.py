#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Makes a graph of jobs, for jobctl run, from the real files of a folder.

For each file one job computes its SHA-256, and one compresses it once its checksum is there. For each
subfolder one job gathers the checksums of its files, from the results of their jobs. A last one
writes the manifest. Every job may be killed and run again: what it writes gets its name at the end.
"""

import argparse
import json
import os
import sys

GATHER = os.path.join(os.path.dirname(os.path.abspath(__file__)), "demo-gather.py")
COMPRESS = 'gzip -nc -- "$1" > "$2.tmp" && mv -- "$2.tmp" "$2"'
MANIFEST = 'cd -- "$1" && cat ./*.sha256 > manifest.tmp && mv manifest.tmp manifest'


def find_files(folder):
    """The regular files that can be read, sorted; names that are not UTF-8 cannot be said in JSON."""
    for path, folders, names in os.walk(folder):
        folders.sort()
        for name in sorted(names):
            file = os.path.join(path, name)
            try:
                file.encode("utf-8")
            except UnicodeEncodeError:
                continue
            if os.path.isfile(file) and not os.path.islink(file) and os.access(file, os.R_OK):
                yield file


def exec_job(name, argv, after=(), **args):
    return {"name": name, "type": "exec", "args": {"argv": argv, **args}, "after": list(after)}


def make_jobs(files, out):
    jobs = []
    by_folder = {}
    for number, file in enumerate(files):
        checksum = "checksum-%d" % number
        jobs.append(exec_job(checksum, ["sha256sum", "--", file]))
        jobs.append(exec_job("compress-%d" % number,
                             ["sh", "-c", COMPRESS, "sh", file,
                              os.path.join(out, "gz", "%d.gz" % number)],
                             [checksum]))
        by_folder.setdefault(os.path.dirname(file), []).append(checksum)
    for number, checksums in enumerate(by_folder.values()):
        jobs.append(exec_job("folder-%d" % number,
                             ["/usr/bin/python3", "-I", "-S", GATHER,
                              os.path.join(out, "%d.sha256" % number)],
                             checksums, stdin_from="dependencies"))
    last = [job["name"] for job in jobs if not job["name"].startswith("checksum-")]
    jobs.append(exec_job("manifest", ["sh", "-c", MANIFEST, "sh", out], last))
    return jobs, len(by_folder)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", help="whose files to take")
    parser.add_argument("out", help="the folder that the jobs write to; it must exist")
    parser.add_argument("--files", type=int, default=2000, help="at most so many (default: 2000)")
    options = parser.parse_args()
    files = list(find_files(os.path.abspath(options.folder)))[:options.files]
    jobs, _ = make_jobs(files, os.path.abspath(options.out))
    json.dump({"jobs": jobs}, sys.stdout, indent=1)


if __name__ == "__main__":
    main()
