#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
# run: timeout 3600
# run: alone
"""Isolation under Debian's own kernel, in a virtual machine: what the kernel
at hand lacks (VLANs and the rest) is there, and so is br_netfilter. The
programs of tests/netns are run inside as they are."""
import os
import re
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "lab"))
from lab import Lab  # noqa: E402
from tap import Tap  # noqa: E402
from vm import NoVM, VM, make_folder  # noqa: E402

PROGRAMS = sorted(name for name in os.listdir(os.path.join(HERE, "../netns"))
                  if re.match(r"test_(isolation_.*|enforce)\.py$", name))
LINE = re.compile(r"^(not )?ok \d+ - (.*)$")


def run_inside(tap, vm, name):
    done = vm.run("cd /gatehouse && GATEHOUSE_BUILD=/gatehouse/build "
                  "python3 tests/netns/" + name, 1200)
    lines = [LINE.match(line) for line in done.output.splitlines()]
    found = [m for m in lines if m]
    for match in found:
        if "# SKIP" in match[2]:
            tap.skip("%s: %s" % (name, match[2].split(" # SKIP")[0]),
                     match[2].split("# SKIP ")[1])
    bad = [m[0] for m in found if m[1]]
    tap.ok(done.status == 0 and found and not bad,
           "%s: %d results, all good" % (name, len(found)), done.output)


def main():
    with Tap() as tap:
        lab = Lab()
        if "isolation" not in lab.workers_built():
            tap.skip("isolation in a virtual machine", "left out of this build")
            return
        try:
            folder = make_folder(os.path.join(lab.build, "vm"))
        except NoVM as why:
            tap.skip("isolation in a virtual machine", str(why))
            return
        with VM(folder, lab.stage) as vm:
            vm.boot()
            tap.equal(vm.run("ip link add v1 type veth peer name v2 && "
                             "ip link add link v1 name v1.5 type vlan id 5 && "
                             "ip link del v1").status, 0, "it has VLANs")
            for name in PROGRAMS:
                run_inside(tap, vm, name)


if __name__ == "__main__":
    main()
