# SPDX-License-Identifier: LGPL-2.1-or-later
"""The library as it is installed, for the tests that use it as another project would."""

import glob
import os
import subprocess


def install(meson, build, prefix, folder):
    """Installs into a folder, and makes the pkg-config files, whose folder it returns, lead there."""
    subprocess.run([*meson, "install", "-C", build, "--no-rebuild", "--quiet", "--destdir", folder],
                   stdout=subprocess.DEVNULL, check=True)
    found = glob.glob(folder + "/**/jobqueue-*.pc", recursive=True)
    names = sorted(os.path.basename(path) for path in found)
    assert names == ["jobqueue-1.pc", "jobqueue-conformance-1.pc"], found
    for path in found:
        with open(path, encoding="utf-8") as file:
            text = file.read()
        assert "prefix=%s\n" % prefix in text, text
        with open(path, "w", encoding="utf-8") as file:
            file.write(text.replace("prefix=%s\n" % prefix, "prefix=%s%s\n" % (folder, prefix)))
    return os.path.dirname(found[0])
