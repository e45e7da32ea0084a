#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""A job of the demo: reads the results of its dependencies, and writes their checksums to a file."""

import json
import os
import sys

out = sys.argv[1]
with open(out + ".tmp", "w", encoding="utf-8") as file:
    for job in json.load(sys.stdin):
        if job["state"] != "succeeded":
            sys.exit("%s is %s" % (job["id"], job["state"]))
        file.write(job["result"]["stdout"])
os.rename(out + ".tmp", out)
