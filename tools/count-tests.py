#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Counts test cases in the logs of meson test.

count-tests.py NAME=FOLDER…            FOLDER is a build folder, NAME a log in it (--logbase)
count-tests.py --list-programs FOLDER  the tests that are programs of the build: not scripts,
                                       and not the torture harness, which makes its own threads

A test program that crashed, ran out of time, did not run, or had no test case counts as one failure
more than its cases say. What failed is shown with its output. The last line is "N passed, N failed".
"""

import json
import os
import re
import sys

CASE = re.compile(r"^(not )?ok\b(.*)$")
SKIP = re.compile(r"#\s*(skip|todo)", re.IGNORECASE)
LONGEST_OUTPUT = 20000
OF_PROGRAMS = ("plain-valgrind", "tsan")  # the runs that leave out the scripts


def read_tests(folder):
    """The tests that meson knows, by name."""
    with open(os.path.join(folder, "meson-info", "intro-tests.json"), encoding="utf-8") as file:
        return {test["name"]: test for test in json.load(file)}


def read_results(path):
    """The last result of each test in a log, by name."""
    if not os.path.exists(path):
        return {}
    with open(path, encoding="utf-8") as file:
        results = [json.loads(line) for line in file if line.strip()]
    # "suite:name" or "project:suite / name", depending on the suites
    return {result["name"].rsplit(" / ", 1)[-1]: result for result in results}


def list_programs(folder):
    return [name for name, test in read_tests(folder).items()
            if os.path.abspath(test["cmd"][0]).startswith(os.path.abspath(folder) + os.sep)
            and not any(suite.endswith("torture") for suite in test["suite"])]


def count_cases(output):
    """Passed, failed, skipped test cases in TAP output, without subtests (they are indented)."""
    counts = [0, 0, 0]
    for line in output.splitlines():
        match = CASE.match(line)
        if match:
            counts[2 if SKIP.search(match.group(2)) else 1 if match.group(1) else 0] += 1
    return counts


def judge(test, result):
    """Passed, failed, skipped cases of one test program, and what is wrong or None."""
    if result is None:
        return 0, 1, 0, "did not run"
    good = result["result"] in ("OK", "SKIP", "EXPECTEDFAIL")
    if test["protocol"] != "tap":
        return int(good), int(not good), 0, None if good else result["result"]
    passed, failed, skipped = count_cases(result.get("stdout") or "")
    if failed:
        return passed, failed, skipped, "%d failed" % failed
    if not good:
        return passed, 1, skipped, "%s (exit code %s)" % (result["result"], result["returncode"])
    if passed + skipped == 0:
        return 0, 1, 0, "has no test case"
    return passed, 0, skipped, None


def show(title, result):
    print("\n---- %s" % title)
    for stream in ("stdout", "stderr"):
        text = (result or {}).get(stream) or ""
        if text:
            print("-- %s" % stream)
            print(text[-LONGEST_OUTPUT:].rstrip())


def count_run(name, folder):
    """The totals of one run; prints what failed in it."""
    tests = read_tests(folder)
    results = read_results(os.path.join(folder, "meson-logs", name + ".json"))
    chosen = list_programs(folder) if name in OF_PROGRAMS else list(tests)
    totals = [0, 0, 0]
    wrong = []
    for test in chosen:
        *counts, why = judge(tests[test], results.get(test))
        totals = [total + count for total, count in zip(totals, counts)]
        if why:
            show("%s: %s: %s" % (name, test, why), results.get(test))
            wrong.append("%s: %s" % (test, why))
    if not chosen:
        totals[1] += 1
        wrong.append("there are no tests")
    return len(chosen), totals, wrong


def main(arguments):
    if len(arguments) == 2 and arguments[0] == "--list-programs":
        print("\n".join(list_programs(arguments[1])))
        return 0
    sys.stdout.reconfigure(errors="replace")
    lines = []
    passed = failed = 0
    for argument in arguments:
        name, folder = argument.split("=", 1)
        programs, totals, wrong = count_run(name, folder)
        lines.append("%-14s %3d programs: %d passed, %d failed, %d skipped"
                     % (name, programs, *totals))
        lines += ["    %s" % text for text in wrong]
        passed += totals[0]
        failed += totals[1]
    print("\n" + "\n".join(lines))
    print("%d passed, %d failed" % (passed, failed))
    return 0 if failed == 0 and passed > 0 else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
