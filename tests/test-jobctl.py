#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""What jobctl promises on the command line: output, exit codes, events. TAP on standard output.

Each case has a folder of its own and runs the real program (JOBCTL) on real stores. A case that
must see a worker at work waits for what the worker prints, never for time to pass.
"""

import json
import os
import pty
import re
import signal
import subprocess
import sys
import tempfile
import traceback

JOBCTL = os.environ["JOBCTL"]
UUID = re.compile(r"^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$")
UNKNOWN = "01890000-0000-7000-8000-000000000000"
COMMANDS = ["add", "list", "show", "wait", "cancel", "release", "leases", "check", "work", "run"]
LIMIT = 120  # seconds, for one call: a net, no measure


class Case:
    """One case: its folder and its store."""

    def __init__(self, folder):
        self.folder = folder
        self.store = "fs-json:" + os.path.join(folder, "jobs")

    def path(self, name):
        return os.path.join(self.folder, name)

    def write(self, name, text):
        with open(self.path(name), "w", encoding="utf-8") as file:
            file.write(text)
        return self.path(name)

    def read(self, name):
        with open(self.path(name), encoding="utf-8") as file:
            return file.read()

    def plain(self, *arguments, code=0, stdin="", env=None):
        """jobctl without a store; checks the exit code."""
        done = subprocess.run([JOBCTL, *arguments], input=stdin, capture_output=True, text=True,
                              timeout=LIMIT, check=False, env={**os.environ, **(env or {})})
        assert done.returncode == code, "jobctl %s: exit code %d, not %d: %s%s" % (
            " ".join(arguments), done.returncode, code, done.stdout, done.stderr)
        return done

    def call(self, *arguments, **options):
        return self.plain("--store", self.store, *arguments, **options)

    def json(self, *arguments, **options):
        return json.loads(self.call("--json", *arguments, **options).stdout)

    def add(self, *arguments, **options):
        return self.call("add", *arguments, **options).stdout.strip()

    def add_sh(self, script, *arguments):
        return self.add("exec", json.dumps({"argv": ["sh", "-c", script]}), *arguments)

    def state(self, job):
        return self.json("show", job)["state"]

    def run_graph(self, graph, *arguments, **options):
        return self.call("run", "-", *arguments, stdin=json.dumps(graph), **options)

    def worker(self, *arguments):
        return Worker([JOBCTL, "--store", self.store, "--json", "work", *arguments])


class Worker:
    """A jobctl work that goes on meanwhile; to be read event by event."""

    def __init__(self, command):
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                        text=True)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.kill()
        self.process.communicate()

    def wait_for(self, name):
        for line in self.process.stdout:
            event = json.loads(line)
            if event["event"] == name:
                return event
        raise AssertionError("no event %s: %s" % (name, self.process.stderr.read()))

    def signal(self, number):
        self.process.send_signal(number)

    def end(self):
        out, err = self.process.communicate(timeout=LIMIT)
        return self.process.returncode, [json.loads(line) for line in out.splitlines()], err


def exec_job(name, script="true", **members):
    return {"name": name, "type": "exec", "args": {"argv": ["sh", "-c", script]}, **members}


def wait_file(name):
    """A script that says that it runs, and then runs until it is killed."""
    return "touch %s; exec sleep 1000" % name


# How it is called


def test_usage_every_command_has_help(case):
    assert "Commands:" in case.plain("--help").stdout
    for command in COMMANDS:
        text = case.plain(command, "--help").stdout
        assert " %s" % command in text.splitlines()[1] and "--store" in text, text


def test_usage_version(case):
    assert re.match(r"^jobctl \d+\.\d+\.\d+$", case.plain("--version").stdout.strip())


def test_usage_wrong_calls_are_2_and_say_what(case):
    for arguments, text in [
            ([], "command is missing"), (["nonsense"], '"nonsense"'),
            (["--nonsense"], "--nonsense"),
            (["--store", "memory:", "--config", "x", "list"], "exclude each other"),
            (["--store", "memory:", "add"], "TYPE"),
            (["--store", "memory:", "list", "surplus"], "surplus"),
            (["--store", "memory:", "list", "--limit", "-1"], "--limit"),
            (["--store", "memory:", "list", "--state", "asleep"], "asleep"),
            (["--store", "memory:", "wait", UNKNOWN, "--timeout", "-3"], "--timeout"),
            (["--store", "memory:", "work", "--jobs", "-1"], "--jobs"),
            (["--store", "memory:", "work", "--type", "exec"], "TYPE=HANDLER"),
            (["--store", "memory:", "work", "--type", "exec=nonsense"], "nonsense"),
            (["--store", "no-such-backend:/tmp/x", "list"], "no-such-backend"),
            (["--config", case.path("missing"), "list"], "missing")]:
        done = case.plain(*arguments, code=2)
        assert text in done.stderr and done.stdout == "", done.stderr


def test_usage_options_stand_before_or_after_the_command(case):
    case.plain("list", "--store", case.store)
    case.plain("--store", case.store, "list")


def test_config_file(case):
    config = case.write("queue.conf", "[queue]\nbackend=fs-json\n[fs-json]\ndirectory=%s\n"
                        % case.path("jobs"))
    job = case.plain("--config", config, "add", "work").stdout.strip()
    assert case.state(job) == "pending"


def test_config_without_a_backend_is_sqlite(case):
    config = case.write("queue.conf", "[sqlite]\nfile=jobs.sqlite\n")
    job = case.plain("--config", config, "add", "work").stdout.strip()
    case.store = "sqlite:" + case.path("jobs.sqlite")
    assert case.state(job) == "pending"
    config = case.write("queue.conf", "[fs-json]\ndirectory=jobs\n")
    assert "[sqlite]" in case.plain("--config", config, "list", code=2).stderr


def test_config_unknown_key_is_2(case):
    config = case.write("queue.conf", "[queue]\nbackend=memory\n[memory]\ncolour=red\n")
    assert "colour" in case.plain("--config", config, "list", code=2).stderr


# Where the jobs are if nobody says so


def test_default_place_is_the_state_folder(case):
    home = {"XDG_STATE_HOME": case.path("a/state"), "HOME": case.path("home")}
    job = case.plain("add", "work", env=home).stdout.strip()
    case.store = "sqlite:" + case.path("a/state/jobqueue/jobs.sqlite")
    assert case.state(job) == "pending"
    assert job in case.plain("list", env=home).stdout
    modes = [os.stat(case.path(name)).st_mode & 0o777 for name in ("a", "a/state/jobqueue")]
    assert modes == [0o700, 0o700] and not os.path.exists(case.path("home")), modes


def test_default_place_without_the_variable_is_in_the_home(case):
    job = case.plain("add", "work", env={"XDG_STATE_HOME": "", "HOME": case.path("h")}).stdout.strip()
    case.store = "sqlite:" + case.path("h/.local/state/jobqueue/jobs.sqlite")
    assert case.state(job) == "pending"


def test_default_place_is_not_used_if_another_is_named(case):
    case.call("list", env={"XDG_STATE_HOME": case.path("state")})
    assert not os.path.exists(case.path("state"))


def test_default_place_that_cannot_be_says_so(case):
    case.write("file", "")
    done = case.plain("list", env={"XDG_STATE_HOME": case.path("file")}, code=5)
    assert "neither --store nor --config" in done.stderr and case.path("file") in done.stderr, done
    done = case.plain("list", env={"XDG_STATE_HOME": "state"}, code=2)
    assert "XDG_STATE_HOME" in done.stderr and "absolute" in done.stderr, done


def test_default_place_without_the_backend_says_so(case):
    os.mkdir(case.path("modules"))
    env = {"JOBQUEUE_BACKEND_PATH": case.path("modules"), "XDG_STATE_HOME": case.path("state")}
    if "found: none" not in case.plain("--store", "nonsense:", "list", env=env, code=2).stderr:
        return  # backends are installed on this machine
    done = case.plain("list", env=env, code=2)
    for text in ["neither --store nor --config", "“sqlite”", "sqlite.so", "install the backend"]:
        assert text in done.stderr, done.stderr


def test_output_that_cannot_be_written_is_5(case):
    with open("/dev/full", "w", encoding="utf-8") as full:
        done = subprocess.run([JOBCTL, "--store", case.store, "list"], stdout=full,
                              stderr=subprocess.PIPE, text=True, check=False, timeout=LIMIT)
    assert done.returncode == 5 and "standard output" in done.stderr, done


# add, show, list


def test_add_prints_the_id(case):
    assert UUID.match(case.add("work"))
    assert UUID.match(json.loads(case.call("--json", "add", "work").stdout)["id"])


def test_add_keeps_args_byte_for_byte(case):
    args = '{"n":18446744073709551616, "f":1.10,"s":"\\u0000\\u00e9é", "a":[ ]}'
    for job in [case.add("work", args), case.add("work", "-", stdin=" %s\n" % args)]:
        assert args in case.call("show", job).stdout
        assert args in case.call("--json", "show", job).stdout


def test_add_takes_utf8_in_any_locale(case):
    job = case.add("größe", '"é"', "--channel", "ü", env={"LC_ALL": "C"})
    info = case.json("show", job)
    assert (info["type"], info["args"], info["channel"]) == ("größe", "é", "ü"), info


def test_add_refuses_what_is_not_json(case):
    for args in ["", "{", "{'a':1}", "[1,]", "1e999", '{"a":1,"a":2}', "nan", "1 2"]:
        case.call("add", "work", args, code=2)
    case.call("add", "work", "-", stdin='"a\0b"', code=2)
    assert case.json("list") == []


def test_add_refuses_bad_types_channels_and_numbers(case):
    for arguments in [[""], ["x" * 256], ["work", "--channel", "x" * 256],
                      ["work", "--max-attempts", "0"], ["work", "--delay", "-1"],
                      ["work", "--delay", "nan"], ["work", "--run-at", "tomorrow"],
                      ["work", "--delay", "1", "--run-at", "2100-01-01T00:00:00Z"]]:
        case.call("add", *arguments, code=2)
    assert case.json("list") == []


def test_add_dependencies(case):
    first = case.add("work")
    second = case.add("work", "--after", first, "--after", case.add("work") + ":afterany")
    info = case.json("show", second)
    assert info["state"] == "blocked" and len(info["dependencies"]) == 2, info
    case.call("add", "work", "--after", UNKNOWN, code=3)
    for after in ["nonsense", "", first + ":sometimes", first + ":"]:
        case.call("add", "work", "--after", after, code=2)
    case.call("add", "work", "--after", first, "--after", first, code=2)
    assert len(case.json("list")) == 3


def test_add_schedules(case):
    job = case.add("work", "--delay", "3600")
    other = case.add("work", "--run-at", "2100-01-01T00:00:00+01:00", "--max-attempts", "3")
    assert case.state(job) == "scheduled"
    info = case.json("show", other)
    assert info["state"] == "scheduled" and info["max_attempts"] == 3, info


def test_show_tells_all(case):
    first = case.add("work")
    text = case.call("show", case.add("work", "--after", first, "--priority", "-7")).stdout
    for line in [r"^state +blocked$", r"^reason .*%s" % first, r"^priority +-7$",
                 r"^depends on +%s \(afterok\)$" % first]:
        assert re.search(line, text, re.MULTILINE), text


def test_unknown_job_is_3_and_malformed_id_is_2(case):
    for command in ["show", "cancel", "release", "wait"]:
        assert UNKNOWN in case.call(command, UNKNOWN, code=3).stderr
        case.call(command, "../../etc/passwd", code=2)


def test_list_table_is_aligned_and_harmless(case):
    case.add("short")
    case.add("a-much-longer-type", "--channel", "\x1b[2Jwipe")
    lines = case.call("list").stdout.splitlines()
    column = lines[0].index("CHANNEL")
    assert lines[2][column:].startswith("\\u001b[2Jwipe"), lines
    assert all(line[column - 2:column] == "  " and line == line.rstrip() for line in lines), lines


def test_list_is_in_the_order_of_dequeue(case):
    low = case.add("work", "--priority", "-1")
    first, second = case.add("work"), case.add("work")
    high = case.add("work", "-p", "5")
    assert [job["id"] for job in case.json("list")] == [high, first, second, low]


def test_list_filters(case):
    a = case.add("a")
    b = case.add("b", "--channel", "x")
    c = case.add("a", "--channel", "x", "--after", a)

    def listed(*arguments):
        return [job["id"] for job in case.json("list", *arguments)]

    assert listed("--type", "a") == [a, c]
    assert listed("--type", "a", "--type", "b") == [a, b, c]
    assert listed("--channel", "x") == [b, c]
    assert listed("--channel", "") == [a]
    assert listed("--state", "blocked") == [c]
    assert listed("--state", "blocked", "--state", "pending", "--limit", "2") == [a, b]
    assert listed("--state", "failed") == []


def test_list_says_why_a_job_waits(case):
    first = case.add("work")
    case.add("work", "--after", first)
    line = case.call("list", "--state", "blocked").stdout.splitlines()[1]
    assert first in line.split("blocked", 1)[1], line


# wait, cancel, release


def test_wait_tells_how_it_ended(case):
    good, bad, gone = case.add_sh("true"), case.add_sh("false"), case.add("work")
    case.call("cancel", gone)
    case.call("work", "--drain")
    case.call("wait", good)
    case.call("wait", bad, code=1)
    case.call("wait", gone, code=1)


def test_wait_times_out_with_124(case):
    job = case.add("work")
    case.call("wait", job, "--timeout", "0.01", code=124)
    case.call("wait", job, "--timeout", "0", code=124)


def test_cancel_takes_dependents_along(case):
    first = case.add("work")
    second = case.add("work", "--after", first)
    third = case.add("work", "--after", first + ":afternotok")
    case.call("cancel", first)
    assert [case.state(job) for job in (first, second, third)] == ["canceled", "canceled", "pending"]


def test_cancel_goes_on_after_an_error(case):
    first, second = case.add("work"), case.add("work")
    done = case.call("cancel", first, UNKNOWN, second, code=3)
    assert UNKNOWN in done.stderr and [case.state(first), case.state(second)] == ["canceled"] * 2
    case.call("cancel", first, code=1)


# check


def damage(case, job):
    return case.write("jobs/%s.json" % job, "{")


def test_check_finds_damage_and_moves_it(case):
    good, bad = case.add("work"), case.add("work")
    case.call("check")
    damage(case, bad)
    done = case.call("check", code=5)
    assert bad in done.stdout and "1 damaged" in done.stdout, done.stdout
    found = json.loads(case.call("--json", "check", code=5).stdout)
    assert [entry["id"] for entry in found["damaged"]] == [bad] and found["jobs"] == 1, found
    assert [job["id"] for job in case.json("list")] == [good]
    os.mkdir(case.path("aside"))
    assert "1 damaged moved" in case.call("check", "--move", case.path("aside")).stdout
    assert len(os.listdir(case.path("aside"))) == 1
    case.call("check")


# work


def test_work_drains(case):
    first = case.add_sh("echo one >> %s" % case.path("out"))
    case.add_sh("echo two >> %s" % case.path("out"), "--after", first)
    done = case.call("work", "--drain", "--jobs", "3")
    assert "2 succeeded, 0 failed" in done.stdout, done.stdout
    assert case.read("out") == "one\ntwo\n"


def test_work_tells_events_as_json(case):
    good, bad = case.add_sh("true"), case.add_sh("exit 3")
    done = case.call("--json", "work", "--drain", "--jobs", "1")
    events = [json.loads(line) for line in done.stdout.splitlines()]
    # The next job may start while the end of the last one is on its way to the disk.
    for job, end in [(good, "succeeded"), (bad, "failed")]:
        seen = [event for event in events if event["id"] == job]
        assert [event["event"] for event in seen] == ["started", end], events
        assert all(event["type"] == "exec" for event in seen), events
    assert seen[1]["error"]["exit_status"] == 3, events


def test_work_says_what_is_left(case):
    case.add_sh("true")
    first = case.add("nobody-runs-this")
    case.add("exec", "--after", first)
    done = case.call("work", "--drain", code=6)
    assert "2 jobs are left" in done.stderr and "1 succeeded" in done.stdout, done


def test_work_serves_its_channels_and_types(case):
    here, there = case.add_sh("true", "--channel", "x"), case.add_sh("true", "--channel", "y")
    case.call("work", "--drain", "--channel", "x", code=6)
    assert [case.state(here), case.state(there)] == ["succeeded", "pending"]
    other = case.add("my=command", json.dumps({"argv": ["true"]}))
    case.call("work", "--drain", "--type", "my=command=exec", code=6)
    assert [case.state(other), case.state(there)] == ["succeeded", "pending"]


def test_work_tries_again(case):
    job = case.add_sh("test -e {0} || {{ touch {0}; exit 1; }}".format(case.path("seen")),
                      "--max-attempts", "2")
    case.call("work", "--drain")
    info = case.json("show", job)
    assert (info["state"], info["attempts"]) == ("succeeded", 2), info


def test_work_holds_the_store(case):
    case.add_sh(wait_file(case.path("runs")))
    with case.worker() as worker:
        worker.wait_for("started")
        for arguments in (["list"], ["add", "work"], ["work", "--drain"], ["check"]):
            done = case.call(*arguments, code=4)
            assert str(worker.process.pid) in done.stderr, done.stderr


def test_work_ends_in_good_order_at_a_signal(case):
    for number in (signal.SIGINT, signal.SIGTERM):
        job = case.add_sh(wait_file(case.path("runs")))
        with case.worker("--jobs", "1") as worker:
            worker.wait_for("started")
            worker.signal(number)
            code, events, _ = worker.end()
        assert code == 0 and [event["event"] for event in events] == ["released"], (code, events)
        info = case.json("show", job)
        assert (info["state"], info["attempts"]) == ("pending", 0), info
        case.call("cancel", job)


def test_work_drain_that_a_signal_ended_says_so(case):
    case.add_sh(wait_file(case.path("runs")))
    with case.worker("--drain") as worker:
        worker.wait_for("started")
        worker.signal(signal.SIGINT)
        assert worker.end()[0] == 128 + signal.SIGINT


def test_work_ends_at_once_at_a_second_signal(case):
    os.mkfifo(case.path("deaf"))
    case.add_sh("trap '' TERM; : > %s; while :; do sleep 1000; done" % case.path("deaf"))
    with case.worker() as worker:
        worker.wait_for("started")
        open(case.path("deaf")).close()  # before that the first signal would end it
        worker.signal(signal.SIGINT)
        worker.process.stderr.readline()  # it has taken the first one
        worker.signal(signal.SIGINT)
        assert worker.end()[0] == -signal.SIGINT
    assert [job["state"] for job in case.json("list")] == ["running"]


def test_work_takes_back_what_a_dead_worker_held(case):
    flag = case.path("second-time")
    job = case.add_sh("test -e %s || exec sleep 1000" % flag)
    with case.worker() as worker:
        worker.wait_for("started")
        worker.signal(signal.SIGKILL)
        worker.end()
    assert [lease["id"] for lease in case.json("leases")] == [job]
    assert case.json("leases", "--older-than", "3600") == []
    case.write("second-time", "")
    done = case.call("work", "--drain")
    assert "took back 1 job" in done.stderr, done.stderr
    info = case.json("show", job)
    assert (info["state"], info["attempts"]) == ("succeeded", 1), info
    assert case.json("leases") == []


def test_release_takes_a_job_back(case):
    job = case.add_sh(wait_file(case.path("runs")))
    with case.worker() as worker:
        worker.wait_for("started")
        worker.signal(signal.SIGKILL)
        worker.end()
    case.call("release", job)
    assert case.state(job) == "pending"
    case.call("release", job, code=1)


# run


def test_run_works_a_graph_to_its_end(case):
    out = case.path("out")
    graph = {"jobs": [
        exec_job("last", "echo last >> %s" % out, after=["first", {"job": "bad",
                                                                  "condition": "afterany"}]),
        exec_job("first", "echo first >> %s" % out, priority=3, channel="x", delay=0.01),
        exec_job("bad", "exit 1", max_attempts=2)]}
    done = case.run_graph(graph, code=1)
    assert case.read("out") == "first\nlast\n"
    assert "3 jobs in" in done.stdout and "2 succeeded 1 failed 0 canceled" in done.stdout, done
    assert re.search(r"failed bad \([0-9a-f-]{36}\)", done.stdout), done.stdout


def test_run_counts_what_never_ran(case):
    graph = {"jobs": [exec_job("bad", "exit 1"), exec_job("a", after=["bad"]),
                      exec_job("b", after=["a"])]}
    done = case.run_graph(graph, "--json", code=1)
    events = [json.loads(line) for line in done.stdout.splitlines()]
    names = {event["id"]: event["name"] for event in events if event["event"] == "enqueued"}
    seen = [(event["event"], names[event["id"]]) for event in events
            if event["event"] in ("started", "succeeded", "failed", "canceled")]
    assert sorted(seen) == [("canceled", "a"), ("canceled", "b"), ("failed", "bad"),
                            ("started", "bad")], events
    summary = events[-1]
    assert (summary["jobs"], summary["failed"], summary["canceled"]) == (3, 1, 2), summary


def test_run_in_memory(case):
    case.store = "memory:"
    graph = {"jobs": [exec_job("a", "touch %s" % case.path("out"))]}
    assert "1 succeeded" in case.run_graph(graph).stdout
    assert case.read("out") == ""


def test_run_keeps_args_byte_for_byte(case):
    args = '{"n":18446744073709551616,  "f":1.10,"s":"\\u0000"}'
    ids = json.loads(case.call(
        "run", "-e", "-", stdin='{"jobs":[{"name":"a","type":"t","args": %s }]}' % args).stdout)
    assert args in case.call("--json", "show", ids["a"]).stdout


def test_run_only_enqueues(case):
    first = case.add("work")
    graph = case.write("graph.json", json.dumps({"jobs": [
        exec_job('quo"ted', after=["b", first]), exec_job("b", channel="x")]}))
    ids = json.loads(case.call("run", "--enqueue-only", graph).stdout)
    assert list(ids) == ['quo"ted', "b"] and case.state(ids["b"]) == "pending", ids
    info = case.json("show", ids['quo"ted'])
    assert info["state"] == "blocked", info
    assert [edge["id"] for edge in info["dependencies"]] == [ids["b"], first], info


def test_run_ends_with_its_own_jobs(case):
    other = case.add_sh("true", "--delay", "100000")
    case.run_graph({"jobs": [exec_job("a")]})
    assert case.state(other) == "scheduled"


def test_run_says_what_is_left(case):
    graph = {"jobs": [exec_job("a"), {"name": "b", "type": "nobody-runs-this"},
                      exec_job("c", after=["b"])]}
    done = case.run_graph(graph, code=6)
    assert "2 jobs are left" in done.stderr and "1 succeeded" in done.stdout, done
    assert "1 blocked 0 scheduled" not in done.stdout and "1 pending" in done.stdout, done


def test_run_takes_back_what_a_dead_worker_held(case):
    job = case.add_sh("test -e %s || exec sleep 1000" % case.path("second-time"))
    with case.worker() as worker:
        worker.wait_for("started")
        worker.signal(signal.SIGKILL)
        worker.end()
    case.write("second-time", "")
    done = case.run_graph({"jobs": [exec_job("a", after=[job])]})
    assert "took back 1 job" in done.stderr, done.stderr


def test_run_that_a_signal_ended_says_so(case):
    graph = case.write("graph.json", json.dumps({"jobs": [exec_job("a", "exec sleep 1000")]}))
    with Worker([JOBCTL, "--store", case.store, "--json", "run", graph]) as worker:
        worker.wait_for("started")
        worker.signal(signal.SIGTERM)
        code, events, _ = worker.end()
    assert code == 128 + signal.SIGTERM and events[-1]["pending"] == 1, (code, events)


def test_run_prints_few_lines(case):
    graph = {"jobs": [{"name": str(i), "type": "exec", "args": {"argv": ["false"]}}
                      for i in range(200)]}
    done = case.run_graph(graph, code=1)
    assert len(done.stderr.splitlines()) < 100, done.stderr
    assert len(done.stdout.splitlines()) == 7 and "and 195 more" in done.stdout, done.stdout


def test_run_takes_an_empty_graph(case):
    assert "0 jobs" in case.run_graph({"jobs": []}).stdout
    assert json.loads(case.run_graph({"jobs": []}, "-e").stdout) == {}


def test_run_updates_one_line_on_a_terminal(case):
    graph = case.write("graph.json", json.dumps({"jobs": [
        exec_job("a", "while ! test -e %s; do sleep 0.01; done" % case.path("seen"))]}))
    master, slave = pty.openpty()
    with subprocess.Popen([JOBCTL, "--store", case.store, "run", graph], stderr=slave,
                          stdout=subprocess.PIPE) as process:
        os.close(slave)
        text = b""
        while b"0/1 done, 1 running" not in text:
            text += os.read(master, 4096)
        case.write("seen", "")
        process.stdout.read()
        assert process.wait(timeout=LIMIT) == 0
    os.close(master)
    assert text.startswith(b"\r") and b"\n" not in text, text


WRONG_GRAPHS = [
    ("{", "input"),
    ("[]", "object"),
    ("{}", '"jobs"'),
    ('{"jobs":{}}', '"jobs"'),
    ('{"jobs":[],"more":1}', '"jobs"'),
    ('{"jobs":[1]}', "job number 1"),
    ('{"jobs":[{"type":"t"}]}', '"name" is missing'),
    ('{"jobs":[{"name":"a"}]}', '"type" is missing'),
    ('{"jobs":[{"name":"","type":"t"}]}', '"name"'),
    ('{"jobs":[{"name":"a","type":""}]}', '"type"'),
    ('{"jobs":[{"name":"a","type":"%s"}]}' % ("x" * 256), '"type"'),
    ('{"jobs":[{"name":"a","type":"t","channel":"%s"}]}' % ("x" * 256), '"channel"'),
    ('{"jobs":[{"name":"a","type":"t","channel":null}]}', '"channel"'),
    ('{"jobs":[{"name":"a","type":"t","colour":"red"}]}', '"colour"'),
    ('{"jobs":[{"name":"a","type":"t","priority":"high"}]}', '"priority"'),
    ('{"jobs":[{"name":"a","type":"t","priority":1.5}]}', '"priority"'),
    ('{"jobs":[{"name":"a","type":"t","priority":2147483648}]}', '"priority"'),
    ('{"jobs":[{"name":"a","type":"t","max_attempts":0}]}', '"max_attempts"'),
    ('{"jobs":[{"name":"a","type":"t","delay":-1}]}', '"delay"'),
    ('{"jobs":[{"name":"a","type":"t","delay":"1"}]}', '"delay"'),
    ('{"jobs":[{"name":"a","type":"t","args":{"x":1,"x":2}}]}', "input"),
    ('{"jobs":[{"name":"a","type":"t"},{"name":"a","type":"t"}]}', 'job "a"'),
    ('{"jobs":[{"name":"a","type":"t","after":"b"}]}', '"after"'),
    ('{"jobs":[{"name":"a","type":"t","after":[1]}]}', '"after"'),
    ('{"jobs":[{"name":"a","type":"t","after":["b"]}]}', '"b"'),
    ('{"jobs":[{"name":"a","type":"t","after":[{"condition":"afterok"}]}]}', '"job"'),
    ('{"jobs":[{"name":"a","type":"t","after":[{"job":"a","when":1}]}]}', '"when"'),
    ('{"jobs":[{"name":"b","type":"t"},'
     '{"name":"a","type":"t","after":[{"job":"b","condition":"later"}]}]}', "later"),
    ('{"jobs":[{"name":"b","type":"t"},{"name":"a","type":"t","after":["b","b"]}]}', "twice"),
    ('{"jobs":[{"name":"a","type":"t","after":["a"]}]}', '"a" waits for "a"'),
    ('{"jobs":[{"name":"x","type":"t","after":["a"]},{"name":"a","type":"t","after":["b"]},'
     '{"name":"b","type":"t","after":["c"]},{"name":"c","type":"t","after":["a"]}]}', "cycle"),
]


def test_run_refuses_a_wrong_graph_and_changes_nothing(case):
    for text, culprit in WRONG_GRAPHS:
        done = case.call("run", "-", stdin=text, code=2)
        assert culprit in done.stderr and "input" in done.stderr, (text, done.stderr)
        assert done.stdout == "", done.stdout
    graph = {"jobs": [exec_job("fine"), exec_job("a", after=[UNKNOWN])]}
    assert UNKNOWN in case.run_graph(graph, code=3).stderr
    assert case.json("list") == []


def test_run_names_the_file(case):
    assert "graph.json" in case.call("run", case.write("graph.json", "{"), code=2).stderr
    assert "missing.json" in case.call("run", case.path("missing.json"), code=2).stderr


def run_case(function):
    with tempfile.TemporaryDirectory(prefix="test-jobctl-") as folder:
        try:
            function(Case(folder))
        except Exception:  # pylint: disable=broad-except
            return traceback.format_exc()
    return None


def main():
    wanted = sys.argv[1:]
    cases = [(name, function) for name, function in list(globals().items())
             if name.startswith("test_") and (not wanted or name in wanted)]
    print("1..%d" % len(cases))
    failed = 0
    for number, (name, function) in enumerate(cases, 1):
        trouble = run_case(function)
        failed += trouble is not None
        path = "/jobctl/" + name[len("test_"):].replace("_", "-")
        print("%s %d %s" % ("not ok" if trouble else "ok", number, path))
        for line in (trouble or "").splitlines():
            print("# " + line)
        sys.stdout.flush()
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
