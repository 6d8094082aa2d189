#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""The lab itself: without gatehouse everybody reaches everybody, the
servers serve, and nothing is left behind. A test that proves "cut" means
nothing where "reaches" was never seen."""
import os
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "lab"))
from lab import Lab  # noqa: E402
from tap import Tap  # noqa: E402


def everybody(lab):
    """All pairs, both families, three protocols."""
    nodes = ["camera", "sensor", "stranger", "lamp", "owner", "cloud"]
    wanted = []
    for source in nodes:
        for target in nodes:
            if source == target:
                continue
            node = lab.node(target)
            for ip in filter(None, (node.ip, node.ip6)):
                wanted += [(source, ip, "tcp", 7), (source, ip, "udp", 7),
                           (source, ip, "icmp", 0)]
    return wanted


def topology(tap):
    with Lab(second=["lamp"]) as lab:
        for node in ("camera", "sensor", "stranger", "lamp", "owner",
                     "cloud"):
            lab.serve_tcp(node, 7)
            lab.serve_udp(node, 7)
        wanted = everybody(lab)
        came = lab.attempts(wanted)
        bad = ["%s: %s" % (w, c) for w, c in zip(wanted, came) if c != "yes"]
        tap.ok(not bad, "all %d ways are open" % len(wanted), "\n".join(bad))
        tap.ok(lab.is_cut("camera", "192.168.50.99", "icmp"),
               "nobody answers for an address nobody has")
        lab.sensor.link("eth0", "down")
        came = lab.attempts([
            ("camera", lab.sensor.ip, p, 7) for p in ("tcp", "udp", "icmp")
        ] + [("camera", lab.sensor.ip6, "icmp", 0)], timeout=0.7)
        tap.ok("yes" not in came, "a link that is down is seen as cut", came)
        text = lab.gateway.run(
            "cat", "/proc/sys/net/bridge/bridge-nf-call-iptables",
            check=False).stdout.strip()
        tap.ok(text in ("0", ""), "bridged frames are not filtered", text)
        return lab.prefix, lab.dir


def servers(tap):
    with Lab(ipv6=False) as lab:
        pki = lab.pki()
        lab.mosquitto(listeners={lab.cloud_ip(0): "good",
                                 lab.cloud_ip(1): "wrong-name",
                                 lab.cloud_ip(2): "expired",
                                 lab.cloud_ip(3): "untrusted",
                                 lab.cloud_ip(4): "not-yet-valid",
                                 lab.cloud_ip(5): "self-signed"})
        web = lab.nginx()
        verdicts = []
        for index in range(6):
            text = lab.owner.run(
                "openssl", "s_client", "-connect",
                lab.cloud_ip(index) + ":8883", "-CAfile", pki.ca,
                "-verify_hostname", "broker.example", "-brief",
                check=False, stdin="")
            out = text.stdout + text.stderr
            verdicts.append([line for line in out.splitlines()
                             if "erification" in line or "verify" in line])
        for index, word in enumerate((
                "Verification: OK", "ostname mismatch", "expired",
                "unable to get local issuer", "not yet valid",
                "self-signed")):
            tap.contains(" ".join(verdicts[index]), word,
                         "certificate %d: %s" % (index, word))
        answer = lab.owner.run(
            "openssl", "s_client", "-connect", lab.cloud_ip(0) + ":443",
            "-CAfile", pki.ca, "-quiet", check=False,
            stdin="GET / HTTP/1.0\r\n\r\n").stdout
        tap.contains(answer, "hello from the cloud", "nginx answers")
        web.stop()
        tap.ok(lab.is_cut("owner", lab.cloud_ip(0), "tcp", 443),
               "a stopped server is gone")
        lab.dbus()
        tap.contains(subprocess.run(
            ["dbus-send", "--bus=" + lab.bus_address, "--print-reply",
             "--dest=org.freedesktop.DBus", "/org/freedesktop/DBus",
             "org.freedesktop.DBus.GetId"], stdout=subprocess.PIPE,
            text=True, check=False).stdout, "string", "the bus answers")
        tap.ok(lab.cloud.ip6 is None, "without IPv6 nobody has an address")


def main():
    with Tap() as tap:
        prefix, folder = topology(tap)
        tap.ok(not [n for n in os.listdir("/run/netns")
                    if n.startswith(prefix)], "no namespace is left")
        tap.ok(not os.path.exists(folder), "no file is left")
        servers(tap)


if __name__ == "__main__":
    main()
