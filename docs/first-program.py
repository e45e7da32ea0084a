# SPDX-License-Identifier: LGPL-2.1-or-later
import sys

import gi

gi.require_version("Job", "1")
from gi.repository import Job

queue = Job.Queue.new_for_uri(sys.argv[1] if len(sys.argv) > 1 else "memory:")
job_id = queue.enqueue(Job.Spec.new("greet", '{"name": "world"}'))
lease = queue.dequeue(["greet"], None, 0)
lease.complete('"hello, world"')
print("job", job_id, "is done:", queue.get_info(job_id).get_result())
queue.close()
