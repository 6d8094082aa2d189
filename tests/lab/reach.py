# SPDX-License-Identifier: GPL-2.0-or-later
"""Workers are nobody in particular: what they execute must be reachable for
everybody. A checkout below a home folder is not; then a copy is used."""
import contextlib
import os
import shutil
import stat
import tempfile


def for_everybody(path):
    """True when any user can get to the folder."""
    path = os.path.realpath(path)
    while True:
        if not os.stat(path).st_mode & stat.S_IXOTH:
            return False
        if path == "/":
            return True
        path = os.path.dirname(path)


@contextlib.contextmanager
def reachable(stage):
    """The stage itself or a copy of it, for the duration of the block."""
    if not os.path.isdir(stage) or for_everybody(stage):
        yield stage
        return
    folder = tempfile.mkdtemp(prefix="gatehouse-stage.", dir="/tmp")
    try:
        os.chmod(folder, 0o755)
        copy = os.path.join(folder, "stage")
        shutil.copytree(stage, copy, symlinks=True)
        yield copy
    finally:
        shutil.rmtree(folder)
