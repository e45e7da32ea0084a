#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""What Python sees of the library: every verb, the asynchronous ones in a GLib main loop, and every
error as a GLib.Error of our domain. The arguments are the backends to try, "memory" among them."""

import os
import struct
import sys
import tempfile
import unittest
import zlib

import gi

gi.require_version("Job", "1")
from gi.repository import Gio, GLib, Job

START = 1_700_000_000 * 1_000_000_000
UNKNOWN = "01890a5d-ac96-774b-bcce-b302099a8057"
OPTIONS = {"memory": None, "fs-json": "directory", "gdbm": "file",
           "sqlite": "file"}


def open_queue(backend, folder, clock=None):
    option = OPTIONS[backend]
    options = {option: os.path.join(folder, "jobs")} if option else {}
    return Job.Queue.new_for_backend(backend, options, clock)


def add(queue, job_type="a", args=None, after=None, condition=Job.Condition.AFTER_OK):
    spec = Job.Spec.new(job_type, args)
    if after:
        spec.add_dependency(after, condition)
    return queue.enqueue(spec, None)


def take(queue, job_type="a"):
    return queue.dequeue([job_type], None, 0, None)


def finish_in_loop(start, finish):
    """Calls an asynchronous verb, runs a main loop until its answer, and takes that."""
    loop = GLib.MainLoop()
    answers = []

    def on_answer(source, result, data):
        try:
            answers.append((finish(result), data))
        except GLib.Error as error:
            answers.append((error, data))
        loop.quit()

    start(on_answer, "data")
    loop.run()
    answer, data = answers[0]
    assert data == "data"
    if isinstance(answer, GLib.Error):
        raise answer
    return answer


def await_cancelled(cancellable):
    """What ended a lease need not have been told to its holder when the verb returns."""
    while not cancellable.is_cancelled():
        GLib.MainContext.default().iteration(False)


class QueueTest(unittest.TestCase):
    backend = None

    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.clock = Job.SteppedClock.new(START)
        self.queue = open_queue(self.backend, self.folder.name, self.clock)

    def tearDown(self):
        try:
            self.queue.close(None)
        except GLib.Error as error:
            if not error.matches(Job.error_quark(), Job.Error.CLOSED):
                raise
        self.folder.cleanup()

    def assert_error(self, code, call, *args):
        with self.assertRaises(GLib.Error) as raised:
            call(*args)
        error = raised.exception
        self.assertTrue(error.matches(Job.error_quark(), code), f"{error.domain}: {error.message}")
        self.assertTrue(error.message)

    def test_a_whole_life_in_a_main_loop(self):
        queue = self.queue
        loop = GLib.MainLoop()
        seen = []

        def on_waited(source, result):
            info = queue.wait_finish(result)
            seen.append(("over", info.get_state(), info.get_result()))
            loop.quit()

        def on_completed(lease, result):
            seen.append(("completed", lease.complete_finish(result)))

        def on_leased(source, result):
            lease = queue.dequeue_finish(result)
            seen.append(("leased", lease.get_args()))
            lease.complete_async('{"sum": 3}', None, on_completed)

        def on_enqueued(source, result):
            job = queue.enqueue_finish(result)
            seen.append(("enqueued", GLib.uuid_string_is_valid(job)))
            queue.wait_async(job, -1, None, on_waited)

        queue.dequeue_async(["add"], None, -1, None, on_leased)
        queue.enqueue_async(Job.Spec.new("add", "[1, 2]"), None, on_enqueued)
        loop.run()
        while GLib.MainContext.default().iteration(False):
            pass

        self.assertCountEqual(
            seen,
            [
                ("enqueued", True),
                ("leased", "[1, 2]"),
                ("completed", True),
                ("over", Job.State.SUCCEEDED, '{"sum": 3}'),
            ],
        )

    def test_blocking_verbs(self):
        queue = self.queue
        first, second = queue.enqueue_many([Job.Spec.new("a", "1"), Job.Spec.new("a", "2")], None)
        third = add(queue, "b", after=first)
        lease = queue.dequeue(["a"], [""], 0, None)
        self.assertEqual((lease.get_id(), lease.get_args()), (first, "1"))
        self.assertEqual(lease.get_job_type(), "a")
        self.assertEqual(queue.lookup_token(lease.get_token(), None), first)
        self.assertTrue(queue.heartbeat(first, lease.get_token(), None))
        self.assertEqual(queue.get_info(third, None).get_culprit(), first)
        self.assertTrue(queue.complete(first, lease.get_token(), '"done"', None))

        by_id = queue.dequeue_by_id(third, None)
        self.assertEqual(by_id.get_dependencies(), [first])
        results = by_id.list_dependencies(None)
        self.assertEqual([info.get_result() for info in results], ['"done"'])
        self.assertTrue(queue.fail(third, by_id.get_token(), '"broken"', None))
        self.assertEqual(queue.wait(third, 0, None).get_error(), '"broken"')

        lease = take(queue)
        self.clock.step(5_000_000)
        [held] = queue.list_leases(1_000_000, None)
        self.assertEqual((held.get_id(), held.get_heartbeat_age()), (second, 5_000_000))
        self.assertTrue(queue.release(second, None, None))
        await_cancelled(lease.get_cancellable())
        self.assertTrue(queue.cancel(second, None))

        only_canceled = Job.Filter.new()
        only_canceled.add_state(Job.State.CANCELED)
        self.assertEqual([info.get_id() for info in queue.list(only_canceled, None)], [second])
        self.assertEqual(len(queue.list(None, None)), 3)
        self.assertEqual(len(queue.list_damaged(None)), 0)
        self.assertEqual(len(queue.move_damaged(self.folder.name, None)), 0)
        self.assertTrue(queue.close(None))

    def test_async_verbs(self):
        queue = self.queue

        def call(verb, *args):
            start = getattr(queue, verb + "_async")
            finish = getattr(queue, verb + "_finish")
            return finish_in_loop(lambda *rest: start(*args, None, *rest), finish)

        ids = call("enqueue_many", [Job.Spec.new("a", None) for _ in range(4)])
        lease = call("dequeue", ["a"], None, 0)
        self.assertEqual(lease.get_id(), ids[0])
        self.assertEqual(call("lookup_token", lease.get_token()), ids[0])
        self.assertTrue(call("heartbeat", ids[0], lease.get_token()))
        self.assertEqual(len(call("list_leases", 0)), 1)
        self.assertTrue(call("release", ids[0], lease.get_token()))
        self.assertEqual(call("dequeue_by_id", ids[1]).get_id(), ids[1])
        self.assertTrue(call("complete", ids[1], None, "1"))
        self.assertEqual(call("dequeue_by_id", ids[2]).get_id(), ids[2])
        self.assertTrue(call("fail", ids[2], None, "1"))
        self.assertTrue(call("cancel", ids[3]))
        self.assertEqual(call("get_info", ids[2]).get_state(), Job.State.FAILED)
        self.assertEqual(call("wait", ids[3], -1).get_state(), Job.State.CANCELED)
        self.assertEqual(len(call("list", None)), 4)
        self.assertEqual(len(call("list_damaged")), 0)
        self.assertEqual(len(call("move_damaged", self.folder.name)), 0)
        self.assertTrue(call("close"))

    def test_async_verbs_of_a_lease(self):
        add(self.queue)
        add(self.queue)
        add(self.queue)

        def call(lease, verb, *args):
            start = getattr(lease, verb + "_async")
            finish = getattr(lease, verb + "_finish")
            return finish_in_loop(lambda *rest: start(*args, None, *rest), finish)

        lease = take(self.queue)
        self.assertTrue(call(lease, "heartbeat"))
        self.assertEqual(len(call(lease, "list_dependencies")), 0)
        self.assertTrue(call(lease, "release"))
        self.assertTrue(call(take(self.queue), "complete", "1"))
        self.assertTrue(call(take(self.queue), "fail", "1"))

    def test_what_a_job_looks_like(self):
        job = add(self.queue, "b", '{"n": 1}', after=add(self.queue), condition=Job.Condition.AFTER_ANY)
        info = self.queue.get_info(job, None)
        self.assertEqual(info.get_state(), Job.State.BLOCKED)
        self.assertEqual(info.get_reason(), Job.Reason.DEPENDENCY)
        self.assertIn(info.get_dependencies()[0], info.dup_reason_text())
        self.assertEqual(info.get_condition(0), Job.Condition.AFTER_ANY)
        self.assertIn('"n": 1', info.to_json())
        self.assertEqual(Job.state_to_string(info.get_state()), "blocked")

    def test_errors(self):
        queue, error = self.queue, Job.Error
        job = add(queue)
        lease = take(queue)
        other = Job.Spec.new("b", None)
        other.set_id(job)
        self.assert_error(error.NOT_FOUND, queue.get_info, UNKNOWN, None)
        self.assert_error(error.NOT_PENDING, queue.dequeue_by_id, job, None)
        self.assert_error(error.TIMED_OUT, queue.dequeue, None, None, 0, None)
        self.assert_error(error.INVALID, queue.dequeue, [], None, 0, None)
        self.assert_error(error.INVALID, queue.enqueue, Job.Spec.new("a", "{'a'}"), None)
        self.assert_error(error.EXISTS, queue.enqueue, other, None)
        self.assert_error(error.LEASE_LOST, queue.complete, job, UNKNOWN, None, None)
        lease.complete(None, None)
        self.assert_error(error.NOT_RUNNING, lease.complete, None, None)
        self.assert_error(error.NOT_RUNNING, queue.cancel, job, None)
        canceled = add(queue)
        queue.cancel(canceled, None)
        self.assert_error(error.CANCELED, queue.cancel, canceled, None)
        queue.close(None)
        self.assert_error(error.CLOSED, queue.get_info, job, None)

    def test_errors_of_async_verbs(self):
        queue = self.queue
        self.assert_error(
            Job.Error.NOT_FOUND,
            finish_in_loop,
            lambda *rest: queue.get_info_async(UNKNOWN, None, *rest),
            queue.get_info_finish,
        )
        self.assert_error(
            Job.Error.TIMED_OUT,
            finish_in_loop,
            lambda *rest: queue.dequeue_async(None, None, 0, None, *rest),
            queue.dequeue_finish,
        )

    def test_cancelled_is_the_error_of_gio(self):
        cancellable = Gio.Cancellable()
        cancellable.cancel()
        with self.assertRaises(GLib.Error) as raised:
            self.queue.dequeue(None, None, -1, cancellable)
        self.assertTrue(raised.exception.matches(Gio.io_error_quark(), Gio.IOErrorEnum.CANCELLED))

    def test_without_a_callback_no_job_is_lost(self):
        job = add(self.queue)
        self.queue.dequeue_async(["a"], None, 0, None, None)
        lease = finish_in_loop(
            lambda *rest: self.queue.dequeue_async(["a"], None, -1, None, *rest),
            self.queue.dequeue_finish,
        )
        self.assertEqual((lease.get_id(), lease.get_attempt()), (job, 1))

    def test_second_opening_is_locked(self):
        if self.backend == "memory":
            other = open_queue(self.backend, self.folder.name)
            self.assertEqual(len(other.list(None, None)), 0)
            return
        self.assert_error(Job.Error.LOCKED, open_queue, self.backend, self.folder.name)


class OpeningTest(QueueTest):
    """Errors that come before there is a queue."""

    backend = "memory"

    def write(self, text):
        path = os.path.join(self.folder.name, "config")
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        return path

    def test_from_a_config_file(self):
        queue = Job.Queue.new_from_config(self.write("[queue]\nbackend=memory\n"))
        self.assertTrue(GLib.uuid_string_is_valid(add(queue)))
        queue.close(None)

    def test_from_a_key_file(self):
        keys = GLib.KeyFile()
        keys.set_string("queue", "backend", "memory")
        Job.Queue.new_from_key_file(keys).close(None)

    def test_from_a_uri(self):
        Job.Queue.new_for_uri("memory:").close(None)

    def test_unknown_key(self):
        path = self.write("[queue]\nbackend=memory\ncolour=red\n")
        self.assert_error(Job.Error.CONFIG, Job.Queue.new_from_config, path)

    def test_backend_that_is_not_there(self):
        self.assert_error(Job.Error.CONFIG, Job.Queue.new_for_backend, "missing", {}, None)

    def test_backend_that_cannot_be_loaded(self):
        path = os.path.join(self.folder.name, "broken.so")
        with open(path, "w", encoding="utf-8") as file:
            file.write("no module")
        os.chmod(path, 0o700)
        Job.add_backend_folder(self.folder.name)
        self.assert_error(Job.Error.PLUGIN, Job.Queue.new_for_backend, "broken", {}, None)

    @unittest.skipUnless("fs-json" in sys.argv, "the backend fs-json is not built")
    def test_folder_that_cannot_be(self):
        options = {"directory": "/proc/self/no/such/folder"}
        self.assert_error(Job.Error.STORAGE, Job.Queue.new_for_backend, "fs-json", options, None)

    @unittest.skipUnless("fs-json" in sys.argv, "the backend fs-json is not built")
    def test_damaged_record(self):
        folder = os.path.join(self.folder.name, "jobs")
        os.mkdir(folder, 0o700)
        with open(os.path.join(folder, UNKNOWN + ".json"), "w", encoding="utf-8") as file:
            file.write("{ no json")
        os.chmod(file.name, 0o600)
        queue = open_queue("fs-json", self.folder.name)
        [damage] = queue.list_damaged(None)
        self.assertIn(UNKNOWN, damage.get_location())
        self.assertTrue(damage.get_message())
        self.assert_error(Job.Error.CORRUPT, queue.get_info, UNKNOWN, None)
        queue.close(None)

    @unittest.skipUnless("gdbm" in sys.argv, "the backend gdbm is not built")
    def test_journal_of_a_newer_version(self):
        head = struct.pack("<8sIIQI", b"jobqjrnl", 99, 0, 1, 0)
        with open(os.path.join(self.folder.name, "jobs.journal-1"), "wb") as file:
            file.write(head + struct.pack("<I", zlib.crc32(head)))
        self.assert_error(Job.Error.VERSION, open_queue, "gdbm", self.folder.name)


class TapResult(unittest.TestResult):
    """Prints one line for each test, in the Test Anything Protocol."""

    def report(self, verdict, test, remark=""):
        name = f"{test.backend}/{test._testMethodName}"
        print(verdict, self.testsRun, "-", name, remark, flush=True)

    def explain(self, verdict, test, problem):
        for line in self._exc_info_to_string(problem, test).splitlines():
            print("#", line)
        self.report(verdict, test)

    def addSuccess(self, test):
        super().addSuccess(test)
        self.report("ok", test)

    def addFailure(self, test, err):
        super().addFailure(test, err)
        self.explain("not ok", test, err)

    def addError(self, test, err):
        super().addError(test, err)
        self.explain("not ok", test, err)

    def addSkip(self, test, reason):
        super().addSkip(test, reason)
        self.report("ok", test, "# SKIP " + reason)


def build_suite(backends):
    loader = unittest.defaultTestLoader
    suite = unittest.TestSuite()
    for backend in backends:
        suite.addTests(loader.loadTestsFromTestCase(type(backend, (QueueTest,), {"backend": backend})))
    only_here = [name for name in vars(OpeningTest) if name.startswith("test_")]
    suite.addTests(OpeningTest(name) for name in only_here)
    return suite


def main():
    suite = build_suite(sys.argv[1:] or ["memory"])
    print(f"1..{suite.countTestCases()}")
    result = suite.run(TapResult())
    return 0 if result.wasSuccessful() else 1


if __name__ == "__main__":
    sys.exit(main())
