#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
# run: timeout 1200
"""Without systemd: sd-bus comes from libelogind. On Debian that package and
systemd exclude each other, so it is built in a root of its own."""
import os
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "lab"))
from building import SRC  # noqa: E402
from tap import Tap  # noqa: E402

PACKAGES = """gcc libc6-dev make pkg-config libcmocka-dev libinih-dev
libjansson-dev libmnl-dev libnftnl-dev libnl-3-dev libnl-route-3-dev
libseccomp-dev libsqlite3-dev libwolfssl-dev libelogind-dev""".split()
BUILD = """set -e
mkdir /build && cd /build
/source/configure --enable-werror
grep SDBUS_HEADER config.h
make -j2
make -j2 check TESTS=
for t in tests/unit/test_*; do [ -x $t ] && [ -f $t ] && echo $t; done | wc -l
ldd agent/ctl/gatehouse modules/bus/gatehouse-bus
"""


def main():
    with Tap() as tap, tempfile.TemporaryDirectory() as folder:
        root = os.path.join(folder, "root")
        made = subprocess.run(
            ["mmdebstrap", "--variant=minbase", "--format=directory",
             "--include=" + ",".join(PACKAGES), "bookworm", root],
            capture_output=True, text=True, check=False)
        if made.returncode:
            tap.skip("built on libelogind", "mmdebstrap reached no mirror: " +
                     made.stderr.strip().splitlines()[-1])
            return
        os.mkdir(root + "/source")
        subprocess.run("tar cf - --exclude=./build --exclude=./.git . | "
                       "tar xf - -C %s/source" % root, shell=True, cwd=SRC,
                       check=True)
        built = subprocess.run(
            ["chroot", root, "/bin/sh", "-c", BUILD], capture_output=True,
            text=True, check=False)
        said = "\n".join((built.stdout + built.stderr).splitlines()[-40:])
        tap.equal(built.returncode, 0, "builds without systemd")
        tap.note(said if built.returncode else "")
        tap.contains(built.stdout, "<elogind/sd-bus.h>", "with its header")
        tap.contains(built.stdout, "libelogind.so", "and linked to it")
        tap.ok("libsystemd.so" not in built.stdout, "and to nothing of systemd",
               said)


if __name__ == "__main__":
    main()
