# SPDX-License-Identifier: GPL-2.0-or-later
"""What the tests of isolation share: ways as a table, each tried without
rules, observed and enforced."""
import json
import os
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "lab"))
from lab import Lab  # noqa: E402
from net import SOON  # noqa: E402
from tap import Tap  # noqa: E402
from daemon import wait  # noqa: E402

__all__ = ["Lab", "Tap", "wait", "SOON", "run", "everywhere", "put", "ways",
           "all_open", "all_cut", "counter", "elements", "until",
           "NAME_SERVER"]

NAME_SERVER = "203.0.113.53"


def run(*tests):
    """Each test gets the Tap; as root only, and only if it was built."""
    with Tap() as tap:
        if os.geteuid() != 0:
            tap.skip("isolation", "needs root for network namespaces")
            return
        if "isolation" not in Lab().workers_built():
            tap.skip("isolation", "left out of this build")
            return
        for test in tests:
            test(tap)


def everywhere(lab, *ports, nodes=None):
    """TCP and UDP echo servers on these ports of all nodes."""
    return {(name, kind, port): serve(name, port)
            for name in nodes or lab.nodes if name != "gateway"
            for port in ports
            for kind, serve in (("tcp", lab.serve_tcp),
                                ("udp", lab.serve_udp))}


def put(lab, text, name="gatehouse.conf"):
    """Writes the configuration; a running daemon has it in force after."""
    path = lab.config(text, name)
    if lab.daemon is None or lab.daemon.process.poll() is not None:
        return lab.gatehoused(path)
    before = len(lab.daemon.log())
    lab.daemon.reload()
    if not lab.daemon.wait_log("is in force", after=before):
        raise RuntimeError("no reload:\n" + lab.daemon.log()[before:])
    return lab.daemon


def ways(lab, source, target, port=7, kinds=("tcp", "udp", "icmp")):
    """All kinds in both families, from one node to another."""
    node = lab.node(target)
    return [(source, ip, kind, 0 if kind == "icmp" else port)
            for ip in (node.ip, node.ip6) for kind in kinds]


def all_open(tap, lab, wanted, what):
    came = lab.attempts(wanted)
    bad = ["%s: %s" % (w, c) for w, c in zip(wanted, came) if c != "yes"]
    return tap.ok(not bad, "%s (%d ways)" % (what, len(wanted)),
                  "\n".join(bad))


def all_cut(tap, lab, wanted, what):
    came = lab.attempts(wanted, timeout=SOON)
    bad = [str(w) for w, c in zip(wanted, came) if c == "yes"]
    return tap.ok(not bad, "%s (%d ways)" % (what, len(wanted)),
                  "\n".join(bad))


def nft_json(lab, *words):
    done = lab.gateway.run("nft", "-j", *words, check=False)
    if done.returncode:
        return []
    return json.loads(done.stdout)["nftables"]


def counter(lab, name, family="inet"):
    """Packets of one of our named counters; None without the table."""
    for item in nft_json(lab, "list", "counter", family, "gatehouse", name):
        if "counter" in item:
            return item["counter"]["packets"]
    return None


def elements(lab, name, family="inet"):
    """The elements of a set: [(key, packets or None)]."""
    found = []
    for item in nft_json(lab, "list", "set", family, "gatehouse", name):
        for elem in item.get("set", {}).get("elem", []):
            key, packets = elem, None
            if isinstance(elem, dict) and "elem" in elem:
                key = elem["elem"]["val"]
                packets = elem["elem"].get("counter", {}).get("packets")
            if isinstance(key, dict) and "concat" in key:
                key = tuple(key["concat"])
            found.append((key, packets))
    return found


def until(condition, timeout=5):
    """Waits; the time it took, or None."""
    start = time.monotonic()
    return time.monotonic() - start if wait(condition, timeout) else None
