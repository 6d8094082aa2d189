#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""gatehouse doctor in a made-up home: what is wrong is found, what is right
is not complained about, and nothing is changed."""
import json
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "lab"))
from lab import Lab  # noqa: E402
from tap import Tap  # noqa: E402


def look(lab):
    done = lab.ctl("doctor", "--json", check=False)
    return done.returncode, {f["code"]: f for f in json.loads(done.stdout)}


def tables(lab):
    """With the numbers that they got when they were made."""
    return lab.gateway.run("nft", "-a", "list", "tables").stdout


def problems(found):
    return sorted(code for code, f in found.items()
                  if f["severity"] == "problem")


def doctor(tap):
    with Lab() as lab:
        if "isolation" not in lab.workers_built():
            tap.skip("doctor", "isolation was left out of this build")
            return
        path = lab.config(lab.base_config("enforce"))
        lab.gatehoused(path)
        lab.gateway.run("ip", "route", "add", "default", "via",
                        lab.cloud.ip)
        before = tables(lab)
        status, found = look(lab)
        tap.equal((status, problems(found)), (1, ["dhcp.none"]),
                  "only a DHCP server is missing")
        tap.equal(found["kernel"]["severity"], "good",
                  "the kernel's rules were tried")
        tap.equal(tables(lab), before, "and nothing was changed")
        lab.serve_udp("gateway", 67)
        status, found = look(lab)
        tap.equal((status, problems(found)), (0, []),
                  "nothing wrong: exit status 0")
        break_it(tap, lab)


def break_it(tap, lab):
    lab.serve_tcp("gateway", 2222)
    lab.gateway.run("nft", "add", "table", "ip", "others")
    lab.gateway.sysctl("ipv4/ip_forward", 0)
    lab.gateway.link("p-sensor", "nomaster")
    lab.gateway.run("ip", "addr", "flush", "dev", "br0")
    _, found = look(lab)
    tap.equal(problems(found), ["forward.ipv4", "zone.no-address"],
              "forwarding off and no address are problems")
    tap.contains(found["listeners"]["what"], "tcp/2222",
                 "who listens is told")
    tap.contains(found["firewall.others"]["what"], "ip others",
                 "other tables are named")
    tap.ok("gatehouse" not in found["firewall.others"]["what"],
           "our own are not")
    lab.daemon.stop()
    lab.gateway.run("ip", "route", "del", "default")
    status, found = look(lab)
    tap.ok(status == 1 and "daemon" in found and "path.no-default" in found,
           "without daemon and uplink", found)
    text = lab.ctl("doctor", check=False).stdout
    tap.ok(all(f["what"][:20] in text for f in found.values()),
           "the same in words", text)


if __name__ == "__main__":
    with Tap() as tap:
        if os.geteuid() != 0:
            tap.skip("doctor", "needs root for network namespaces")
        else:
            doctor(tap)
