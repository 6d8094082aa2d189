#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
# run: timeout 120
"""Decisions over the bus: in force, on the disk, and there after whatever
happens to the daemon or the registry."""
import json
import os
import signal
import socket
import struct
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import desk as desks  # noqa: E402
sys.path.insert(0, os.path.join(desks.SRC, "tests", "lab"))
from tap import Tap  # noqa: E402

CONFIG = desks.CONFIG.replace("mode = observe", "mode = enforce") + """
[profile printing]
allow = tcp/631 192.0.2.77
"""
LAMP = "02:00:00:00:09:01"
HEATER = "02:00:00:00:09:02"


def arrive(mac, address):
    """A device is there: it asks who the gateway is, as all do."""
    own = bytes.fromhex(mac.replace(":", ""))
    with socket.socket(socket.AF_PACKET, socket.SOCK_RAW) as sock:
        sock.bind(("far-things0", 0))
        sock.send(b"\xff" * 6 + own + struct.pack("!HHHBBH", 0x0806, 1, 0x0800,
                                                  6, 4, 1) +
                  own + socket.inet_aton(address) + bytes(6) +
                  socket.inet_aton("192.0.2.1"))
        sock.send(b"\xff" * 6 + own + b"\x08\x00" + ip_packet(address))


def ip_packet(address):
    head = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 28, 1, 0, 64, 17, 0,
                       socket.inet_aton(address),
                       socket.inet_aton("192.0.2.1"))
    total = sum(struct.unpack("!10H", head))
    total = (total & 0xffff) + (total >> 16)
    head = head[:10] + struct.pack("!H", ~(total + (total >> 16)) & 0xffff) \
        + head[12:]
    return head + struct.pack("!HHHH", 4000, 4000, 8, 0)


def find(desk, mac):
    """(path, properties) of a device, or None."""
    for path, interfaces in (desk.objects() or {}).items():
        device = interfaces.get(desks.DEVICE)
        if device and device["Mac"] == mac:
            return path, device
    return None


def decide(desk, mac, member, *arguments, user="root"):
    path, _ = find(desk, mac)
    return desk.call(user, member, *arguments, interface=desks.DEVICE,
                     path=path)


def seen(desk, mac, address):
    def look():
        arrive(mac, address)
        return find(desk, mac)
    return desks.wait(look)


def is_(desk, mac, **wanted):
    def look():
        found = find(desk, mac)
        return found and all(found[1][k] == v for k, v in wanted.items())
    return desks.wait(look)


def main():
    desks.hide("bus", "isolation", "registry")
    with Tap() as tap, desks.Desk() as desk:
        desk.start_bus()
        desk.start_daemon(CONFIG)
        desk.wait_name()
        os.system("ip link set far-things0 up")
        run(tap, desk)


def run(tap, desk):
    tap.ok(seen(desk, LAMP, "192.0.2.50"), "an unknown device is seen",
           desk.log())
    tap.ok(is_(desk, LAMP, Decision="quarantine", Name=LAMP),
           "nobody decided about it")
    for user in ("member", "nobody2"):
        tap.ok(decide(desk, LAMP, "Approve", "su", "internet", "0",
                      user=user).returncode != 0,
               user + " may not approve it")
    begun = time.monotonic()
    done = decide(desk, LAMP, "Approve", "su", "internet", "0")
    took = time.monotonic() - begun
    tap.ok(done.returncode == 0 and "approved" in done.stdout,
           "root approves it", done.stderr + desk.log())
    tap.note("%.0f ms, with starting busctl twice" % (took * 1000))
    tap.ok(is_(desk, LAMP, Decision="approved", Name="device-000901"),
           "it is, and the bus says so", find(desk, LAMP))
    print(desk.log(), file=sys.stderr)


if __name__ == "__main__":
    main()
