# SPDX-License-Identifier: GPL-2.0-or-later
"""Building gatehouse in a folder of its own, for tests of the build."""
import os
import shutil
import subprocess
import tempfile

SRC = os.path.dirname(os.path.dirname(os.path.dirname(
    os.path.abspath(__file__))))
MODULES = ["isolation", "proxy", "support", "update", "bus",
           "discovery", "backup"]
DIRS = ["--prefix=/usr", "--sysconfdir=/etc", "--localstatedir=/var",
        "--libexecdir=/usr/libexec"]


class Building:
    """A configured build in /tmp; removed at the end."""

    def __init__(self, *options):
        self.dir = tempfile.mkdtemp(prefix="gatehouse-build-")
        self.options = list(options)
        self.output = ""

    def __enter__(self):
        return self

    def __exit__(self, kind, error, trace):
        subprocess.run(["chmod", "-R", "u+w", self.dir], check=False)
        shutil.rmtree(self.dir, ignore_errors=True)

    def run(self, *command):
        """True when it succeeded; .output is what it said."""
        done = subprocess.run(
            command, cwd=self.dir, stdout=subprocess.PIPE, text=True,
            stdin=subprocess.DEVNULL, stderr=subprocess.STDOUT, check=False,
            errors="replace")
        self.output = "\n".join(done.stdout.splitlines()[-40:])
        return done.returncode == 0

    def configure(self):
        return self.run(os.path.join(SRC, "configure"), "--enable-werror",
                        *DIRS, *self.options)

    def make(self, *words):
        return self.run("make", "-j2", *words)

    def stage(self):
        return self.make("install", "DESTDIR=" + os.path.join(
            self.dir, "stage"))

    def staged(self, path):
        return os.path.exists(os.path.join(self.dir, "stage", path))
