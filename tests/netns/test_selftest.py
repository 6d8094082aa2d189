#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""gatehouse self-test: says that isolation holds where it does, and what got
through where it does not; leaves nothing behind."""
import json
import os
import signal

from isolation_lab import Lab, put, run, wait

def selftest(lab):
    done = lab.ctl("self-test", "--json", check=False)
    found = json.loads(done.stdout)
    return done.returncode, found[0] if found else None, done.stderr


def through(found):
    return sorted(p["what"] for p in found["probes"]
                  if p["passed"] and not p["control"])


def links(lab):
    return [link["ifname"] for link in json.loads(lab.gateway.run(
        "ip", "-j", "link").stdout) if link["ifname"].startswith("ghtest")]


def holds(tap):
    with Lab() as lab:
        lab.serve_tcp("gateway", 2222)
        lab.gateway.run("ip", "route", "add", "default", "via", lab.cloud.ip)
        lab.gateway.run("ip", "route", "add", "default", "via", lab.cloud.ip6)
        lab.dbus()
        put(lab, lab.base_config("enforce"))
        status, found, error = selftest(lab)
        tap.equal((status, through(found)), (0, []),
                  "enforced: a stranger got nothing through")
        tap.ok(found["held"] and len(found["probes"]) > 15,
               "by many probes, and a control that passed", found)
        tap.ok(not error and not links(lab), "no interface is left",
               error + str(links(lab)))
        told(tap, lab)
        text = lab.ctl("self-test").stdout
        tap.ok("got nothing through" in text and "stopped" in text,
               "the same as a table", text)
        not_probed(tap, lab)
        leaks(tap, lab)


def not_probed(tap, lab):
    """Of an interface that is no bridge nothing is claimed."""
    lab.gateway.run("ip", "link", "add", "eth9", "type", "veth",
                    "peer", "name", "eth8")
    lab.gateway.link("eth9", "up")
    put(lab, lab.base_config("enforce", extra="[zone more]\n"
                             "interface = eth9\nrole = devices\n"))
    done = lab.ctl("self-test", "--json", check=False)
    found = {z["zone"]: (z["probed"], z["held"])
             for z in json.loads(done.stdout)}
    tap.equal((done.returncode, found),
              (1, {"things": (True, True), "more": (False, False)}),
              "a routed interface is not probed, and that is no success")
    with open(lab.path("state", "selftest.result"), encoding="ascii") as file:
        text = file.read()
    tap.ok("zone things held" in text and "more" not in text,
           "nor is it in the result that devices are judged by", text)



def told(tap, lab):
    """No stranger and no warning stays; the devices are verified."""
    if "bus" not in lab.workers_built():
        return
    wait(lambda: lab.ctl("status", check=False).returncode == 0)
    names = [d["mac"] for d in lab.ctl_json("device", "list")]
    tap.ok(not [mac for mac in names if "67:68:74" in mac],
           "the test itself is no stranger", names)
    texts = [w["text"] for w in lab.ctl_json("warnings")]
    tap.ok(not [text for text in texts if "67:68:74" in text],
           "nor anybody's warning", texts)


def leaks(tap, lab):
    """Without rules, as after gatehouse rules clear."""
    os.kill(lab.daemon.pid, signal.SIGKILL)
    lab.daemon.process.wait()
    wait(lambda: not lab.daemon.workers())
    lab.ctl("rules", "clear")
    status, found, _ = selftest(lab)
    got = through(found)
    tap.equal((status, found["held"]), (1, False), "without rules it fails")
    for word in ("neighbour: IPv4", "neighbour: IPv6", "neighbours: ARP",
                 "neighbours: as a DHCP server", "gateway: ping",
                 "gateway: tcp/2222", "outside: 192.0.2.77",
                 "outside: IPv6", "neighbour: another ethertype"):
        tap.ok(word in got, "it sees: " + word, got)
    put(lab, lab.base_config("observe"))
    done = lab.ctl("self-test", check=False)
    tap.ok(done.returncode == 1 and "not probed: it is only observed" in
           done.stdout and "Nothing could be probed." in done.stdout,
           "what is observed is not tried", done.stdout)


if __name__ == "__main__":
    run(holds)
