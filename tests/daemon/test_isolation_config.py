#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Isolation's keys of the configuration: each mistake is told with its line,
and all of them at once."""
import os
import socket
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "lab"))
from tap import Tap  # noqa: E402

BUILD = os.environ.get("GATEHOUSE_BUILD", "build")
PROGRAM = os.path.join(BUILD, "agent", "gatehoused")
HEAD = "[gateway]\n%s[zone things]\ninterface = br0\n"
DEVICE = "[device camera]\nmac = 02:00:00:00:00:01\n%s"

GOOD = [
    "allow = tcp/1883 203.0.113.10\n",
    "allow = tcp/443 any\nallow = tcp/443 any\nallow = any 10.0.0.0/8\n",
    "allow = udp/5000-5010 2001:db8::/32\nallow = icmp any\n",
    "address = 192.168.50.11 fd00:50::11\naddress = fe80::11\n",
]
GATEWAY_GOOD = [
    "name-server = 192.168.1.1 2001:db8::53\n",
    "admin = 192.168.1.10, 192.168.1.11\n",
]

# the line in [device] -> what is said
BAD = {
    "allow = tcp/443": "expected a protocol and an address",
    "allow = sctp/443 any": "'sctp' is no protocol known here",
    "allow = tcp/0 any": "'0' is no port; ports are 1 to 65535",
    "allow = tcp/99999 any": "'99999' is no port",
    "allow = tcp/20-10 any": "the port range 20-10 runs backwards",
    "allow = icmp/8 any": "icmp has no ports",
    "allow = tcp/443 example.org": "'example.org' is a name",
    "allow = tcp/443 203.0.113.1/24": "no bits behind the prefix",
    "allow = tcp/443 0.0.0.0/0": "write any",
    "allow = udp/53 any": "port 53 leads to the name servers only",
    "alow = tcp/443 any": "allow",
    "address = camera.home": "addresses of the device",
    "address = 192.168.50.0/24": "addresses of the device",
    "address = 224.0.0.251": "that is no address of one device",
    "address = " + " ".join("10.0.0.%d" % n for n in range(1, 18)):
        "more than 16 addresses of one device",
}
GATEWAY_BAD = {
    "name-server = example.org": "name-server",
    "name-server = 192.168.1.0/24": "name-server",
    "admin = me": "admin",
    "name-server = " + " ".join(
        "192.0.2.%d" % n for n in range(1, 18)): "more than 16 addresses",
}


def check(folder, text):
    path = os.path.join(folder, "gatehouse.conf")
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)
    done = subprocess.run([PROGRAM, "--check-config", "-f", path],
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          text=True, check=False)
    return done.returncode, done.stdout


def good(tap, folder):
    for lines in GOOD:
        status, said = check(folder, HEAD % "" + DEVICE % lines)
        tap.ok(status == 0, "right: " + lines.strip(), said)
    for lines in GATEWAY_GOOD:
        status, said = check(folder, HEAD % lines)
        tap.ok(status == 0, "right: " + lines.strip(), said)


def bad(tap, folder):
    for line, words in BAD.items():
        status, said = check(folder, HEAD % "" + DEVICE % (line + "\n"))
        tap.ok(status != 0 and words in said and "conf:6: " in said,
               "wrong: " + line, said)
    for line, words in GATEWAY_BAD.items():
        status, said = check(folder, HEAD % (line + "\n"))
        tap.ok(status != 0 and words in said and "conf:2: " in said,
               "wrong: " + line[:60], said)
    status, said = check(folder, HEAD % "" + DEVICE % "".join(
        line + "\n" for line in BAD))
    tap.ok(status != 0 and all(w in said for w in BAD.values()),
           "all of them at once", said)


def own_address():
    """One of this machine's, besides the loopback; or None."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        try:
            sock.connect(("198.51.100.1", 9))
        except OSError:
            return None
        return sock.getsockname()[0]


def pins(tap, folder):
    two = DEVICE % "address = 192.168.50.11\n"
    two += ("[device lamp]\nmac = 02:00:00:00:00:02\n"
            "address = 192.168.50.12\naddress = fd00::1 192.168.50.11\n")
    status, said = check(folder, HEAD % "" + two)
    tap.ok(status != 0 and "conf:10: " in said and
           "belongs to [device camera]" in said,
           "an address of two devices", said)
    own = own_address()
    if own is None:
        tap.skip("the gateway's own address", "no network but the loopback")
        return
    status, said = check(folder, HEAD % "" + DEVICE % "address = %s\n" % own)
    tap.ok(status != 0 and "conf:6: " in said and
           "the gateway's own address" in said,
           "the gateway's own address", said)


def between_sections(tap, folder):
    status, said = check(folder, DEVICE % "")
    tap.ok(status != 0 and "[device camera] is nowhere" in said,
           "a device without a zone", said)
    status, said = check(
        folder, "[zone home]\ninterface = lan0\nrole = owner\n" + DEVICE % "")
    tap.ok(status != 0 and "role = devices" in said,
           "a device with only the owner's zone", said)
    names = " ".join("e%d" % n for n in range(65))
    half = len(names.split()) // 2
    words = names.split()
    status, said = check(folder, "".join(
        "[zone z%d]\ninterface = %s\n" % (n, word)
        for n, word in enumerate(words)))
    tap.ok(status != 0 and "more than 64 interfaces" in said,
           "more interfaces than there is place for", said)
    status, said = check(folder, "".join(
        "[zone z%d]\ninterface = %s\n" % (n, word)
        for n, word in enumerate(words[:half * 2])))
    tap.ok(status == 0, "as many as there is place for", said)


def main():
    with Tap() as tap, tempfile.TemporaryDirectory() as folder:
        if not os.path.exists(os.path.join(
                BUILD, "modules", "isolation", "gatehouse-isolation")):
            tap.skip("isolation's keys", "left out of this build")
            return
        good(tap, folder)
        bad(tap, folder)
        pins(tap, folder)
        between_sections(tap, folder)


if __name__ == "__main__":
    main()
