#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Runs a pipeline of jobs over the real files of a folder, kills its worker half-way, and checks.

The graph of jobs: demo-graph.py. It is enqueued at once, then worked; when half of the jobs have
succeeded, the worker gets a SIGKILL, and another one goes on with the same store. (The memory backend
does not outlive its process: there the graph is run without the kill.) The outcome is checked with
sha256sum and gzip, and the jobs are counted: none lost, none completed twice.
"""

import argparse
import collections
import importlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time

sys.dont_write_bytecode = True
demo_graph = importlib.import_module("demo-graph")

CANDIDATES = ["/usr/share/doc", "/usr/include", "/usr/share/man", "/usr/lib/python3", "/usr/share"]
ENOUGH = 1000


class Problem(Exception):
    """The demo cannot go on."""


def parse_options():
    parser = argparse.ArgumentParser(prog="tools/demo", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", nargs="?", metavar="FOLDER",
                        help="whose files to take (default: one of the system's with %d or more: %s)"
                        % (ENOUGH, ", ".join(CANDIDATES)))
    parser.add_argument("--backend", default="sqlite",
                        help="sqlite (the default), fs-json, gdbm or memory")
    parser.add_argument("--files", type=int, default=2000,
                        help="take at most so many files (default: 2000)")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1,
                        help="how many jobs at a time (default: one for each core)")
    parser.add_argument("--keep", action="store_true", help="keep the folder of the run")
    parser.add_argument("--jobctl", default="jobctl", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.files < 1 or options.jobs < 1:
        parser.error("--files and --jobs are at least 1")
    return options


def choose_files(folder):
    """The folder, and all of its files."""
    for candidate in [folder] if folder else CANDIDATES:
        files = list(demo_graph.find_files(os.path.abspath(candidate)))
        if len(files) >= (1 if folder else ENOUGH):
            return os.path.abspath(candidate), files
    raise Problem("%s: no files there that can be read" % folder if folder else
                  "no folder with %d files or more among %s; name one" % (ENOUGH, CANDIDATES))


class Demo:
    """One run: its folder, its jobs, and what was seen of them."""

    def __init__(self, options, place):
        self.options = options
        self.place = place
        self.out = os.path.join(place, "out")
        self.graph = os.path.join(place, "graph.json")
        self.store = ("memory:" if options.backend == "memory" else
                      "%s:%s/jobs" % (options.backend, place))
        self.ids = {}
        self.files = []
        self.successes = collections.Counter()
        self.starts = collections.Counter()
        self.other_events = collections.Counter()
        self.failures = []

    def jobctl(self, *arguments):
        return [self.options.jobctl, "--store", self.store, *arguments]

    def call(self, *arguments):
        done = subprocess.run(self.jobctl(*arguments), stdout=subprocess.PIPE, check=False)
        if done.returncode != 0:
            raise Problem("jobctl %s: exit code %d" % (arguments[0], done.returncode))
        return json.loads(done.stdout)

    def check(self, holds, title, text):
        """One line of the summary."""
        print("  %-6s %-22s %s" % ("ok" if holds else "WRONG", title, text), flush=True)
        if not holds:
            self.failures.append(title)

    # What is done

    def make_graph(self):
        folder, files = choose_files(self.options.folder)
        self.files = files[:self.options.files]
        os.makedirs(os.path.join(self.out, "gz"))
        jobs, n_folders = demo_graph.make_jobs(self.files, self.out)
        with open(self.graph, "w", encoding="utf-8") as file:
            json.dump({"jobs": jobs}, file)
        size = sum(os.path.getsize(file) for file in self.files)
        print("%s: %d files (of %d) in %d folders, %.1f MB: a graph of %d jobs"
              % (folder, len(self.files), len(files), n_folders, size / 1e6, len(jobs)), flush=True)
        return len(jobs)

    def see(self, line):
        """Takes note of one event."""
        event = json.loads(line)
        if event["event"] == "succeeded":
            self.successes[event["id"]] += 1
        elif event["event"] == "started":
            self.starts[event["id"]] += 1
        elif event["event"] == "enqueued":
            self.ids[event["name"]] = event["id"]
        else:
            self.other_events[event["event"]] += 1
        return event

    def follow(self, command, kill_at=None):
        """Runs a worker and sees its events; kills it when so many jobs have succeeded."""
        last = {}
        killed = False
        with subprocess.Popen(command, stdout=subprocess.PIPE) as worker:
            for line in worker.stdout:
                if not line.endswith(b"\n"):
                    break  # the kill cut it off
                last = self.see(line)
                if kill_at and not killed and len(self.successes) >= kill_at:
                    worker.kill()
                    killed = True
        return worker.returncode, last

    def work_with_a_kill(self, n_jobs):
        """Enqueue, work, kill, work on; the jobs as the store has them in the end."""
        start = time.monotonic()
        self.ids = self.call("run", "--enqueue-only", self.graph)
        print("enqueued %d jobs at once in %.2f s" % (len(self.ids), time.monotonic() - start),
              flush=True)
        work = self.jobctl("--json", "work", "--drain", "--jobs", str(self.options.jobs))
        start = time.monotonic()
        code, _ = self.follow(work, kill_at=max(1, n_jobs // 2))
        print("killed the first worker (SIGKILL) after %d successes, %.1f s"
              % (len(self.successes), time.monotonic() - start), flush=True)
        self.check(code == -9, "kill", "the first worker ended by the signal")
        before = sum(self.successes.values())
        start = time.monotonic()
        code, _ = self.follow(work)
        print("the second worker ended after %d more, %.1f s"
              % (sum(self.successes.values()) - before, time.monotonic() - start), flush=True)
        self.check(code == 0, "drain", "the second worker ended with exit code %d" % code)
        return self.call("--json", "list")

    def work_in_memory(self):
        """The same without a kill; the counts of the run's summary."""
        start = time.monotonic()
        code, summary = self.follow(self.jobctl("--json", "run", "--jobs", str(self.options.jobs),
                                                self.graph))
        print("ran %d jobs in one process, %.1f s" % (len(self.ids), time.monotonic() - start),
              flush=True)
        self.check(code == 0, "run", "ended with exit code %d" % code)
        return summary

    # What is checked

    def check_jobs(self, jobs, n_jobs):
        states = collections.Counter(job["state"] for job in jobs)
        found = {job["id"] for job in jobs}
        self.check(states == {"succeeded": n_jobs}, "states",
                   "%d jobs in the store: %s"
                   % (len(jobs), ", ".join("%d %s" % (n, state) for state, n in states.items())))
        self.check(found == set(self.ids.values()) and len(jobs) == len(found) == n_jobs,
                   "none lost", "%d enqueued, %d of them in the store"
                   % (len(self.ids), len(found & set(self.ids.values()))))
        rerun = sum(1 for n in self.starts.values() if n > 1)
        self.check(self.other_events["released"] >= rerun, "taken back",
                   "%d jobs that were running at the kill ran again"
                   % self.other_events["released"])
        self.check(all(job["attempts"] == 1 for job in jobs), "attempts",
                   "%d counted: what the kill cut off does not count"
                   % sum(job["attempts"] for job in jobs))

    def check_summary(self, summary, n_jobs):
        self.check(summary.get("succeeded") == n_jobs, "states",
                   "%s of %d jobs succeeded" % (summary.get("succeeded"), n_jobs))
        self.check(len(self.ids) == n_jobs and set(self.successes) == set(self.ids.values()),
                   "none lost", "%d enqueued, %d of them seen to succeed"
                   % (len(self.ids), len(self.successes)))

    def check_once(self, n_jobs):
        twice = sum(1 for n in self.successes.values() if n > 1)
        silent = n_jobs - len(self.successes)
        self.check(twice == 0 and set(self.successes) <= set(self.ids.values()), "none twice",
                   "%d success events for %d ids%s"
                   % (sum(self.successes.values()), len(self.successes),
                      "; %d on disk before the kill, but not said any more" % silent
                      if silent else ""))

    def check_manifest(self):
        manifest = os.path.join(self.out, "manifest")
        done = subprocess.run(["sha256sum", "-c", manifest], stdout=subprocess.PIPE, check=False,
                              env={**os.environ, "LC_ALL": "C"})
        good = sum(1 for line in done.stdout.splitlines() if line.endswith(b": OK"))
        self.check(done.returncode == 0 and good == len(self.files), "sha256sum -c",
                   "%d of %d files OK" % (good, len(self.files)))

    def check_archives(self):
        folder = os.path.join(self.out, "gz")
        names = [os.path.join(folder, name) for name in os.listdir(folder) if name.endswith(".gz")]
        good = 0
        for first in range(0, len(names), 500):
            batch = names[first:first + 500]
            if subprocess.run(["gzip", "-t", *batch], check=False).returncode == 0:
                good += len(batch)
        self.check(good == len(names) == len(self.files), "gzip -t",
                   "%d of %d archives good" % (good, len(self.files)))

    def run(self):
        n_jobs = self.make_graph()
        if self.options.backend == "memory":
            self.check_summary(self.work_in_memory(), n_jobs)
        else:
            self.check_jobs(self.work_with_a_kill(n_jobs), n_jobs)
        self.check_once(n_jobs)
        self.check_manifest()
        self.check_archives()
        return not self.failures


def main():
    options = parse_options()
    place = tempfile.mkdtemp(prefix="jobqueue-demo-")
    start = time.monotonic()
    good = False
    print("jobqueue demo, backend %s, %d at a time" % (options.backend, options.jobs), flush=True)
    demo = Demo(options, place)
    try:
        good = demo.run()
    except (Problem, OSError) as problem:
        print("tools/demo: %s" % problem, file=sys.stderr)
    if (good or not demo.ids) and not options.keep:
        shutil.rmtree(place)
    else:
        print("what it left is in %s" % place)
    print("%s in %.1f s" % ("all holds" if good else "NOT all holds", time.monotonic() - start))
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
