#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""A plaintext port that is upgraded leads into the proxy and nowhere else:
not past it, not around it, not to it directly, and not when it is dead."""
import os
import signal
import time

from isolation_lab import Lab, all_cut, all_open, counter, everywhere, put
from isolation_lab import run, wait

UPGRADE = """
[upgrade mqtt]
protocol = mqtt
port = 1883
upstream-port = 8883
upstream-name = broker.example
"""
ALLOW = "allow = tcp/1883 any\nallow = tcp/7 any"


def config(lab, mode):
    return lab.base_config(mode, more={"camera": ALLOW}, extra=UPGRADE)


def plain(lab, name="camera"):
    return [(name, ip, "tcp", 1883) for ip in (lab.cloud.ip, lab.cloud.ip6)]


def direct(lab):
    """All of the gateway's addresses, all sides."""
    return [(name, ip, "tcp", 18100)
            for name in ("camera", "sensor", "stranger", "owner", "cloud")
            for ip in ("192.168.50.1", "fd00:50::1", "203.0.113.1")]


def closed(tap, lab, what):
    """Not even a connection comes about, so nobody is asked for bytes."""
    wanted = direct(lab)
    came = lab.attempts(wanted, timeout=0.7)
    bad = ["%s: %s" % (w, c) for w, c in zip(wanted, came) if c != "dropped"]
    tap.ok(not bad, what, "\n".join(bad))


def talk(sock):
    try:
        sock.settimeout(1.5)
        sock.sendall(b"hello")
        return sock.recv(5) == b"hello"
    except OSError:
        return False


def upgrade(tap):
    with Lab() as lab:
        if "proxy" not in lab.workers_built():
            tap.skip("upgrades", "the proxy was left out of this build")
            return
        servers = everywhere(lab, 1883, 7, nodes=["cloud"])
        broker = servers["cloud", "tcp", 1883]
        all_open(tap, lab, plain(lab) + plain(lab, "stranger"),
                 "without rules plaintext passes")
        daemon = put(lab, config(lab, "observe"))
        all_open(tap, lab, plain(lab), "observed: plaintext passes")
        tap.equal(counter(lab, "redirected"), 0,
                  "observed: nothing is redirected")
        closed(tap, lab, "observed: the proxy's port is closed to all sides")
        live = [lab.tcp_connect("camera", ip, 1883)
                for ip in (lab.cloud.ip, lab.cloud.ip6)]
        tap.ok(all(talk(s) for s in live), "observed: a connection lives")

        put(lab, config(lab, "enforce"))
        tap.ok(not any(talk(s) for s in live),
               "enforced: a live plaintext connection is cut")
        broker.seen.clear()
        all_cut(tap, lab, plain(lab), "enforced: plaintext does not pass")
        tap.ok(counter(lab, "redirected") >= 2,
               "enforced: it went into the proxy")
        all_open(tap, lab, [("camera", lab.cloud.ip, "tcp", 7)],
                 "enforced: other ports pass")
        closed(tap, lab, "enforced: the proxy's port is closed to all sides")
        all_cut(tap, lab, [("camera", ip, "tcp", 1883) for ip in (
            "192.168.50.1", "fd00:50::1")],
                "enforced: the gateway's own port is no way around")
        without_proxy(tap, lab, daemon)
        tap.equal(broker.seen, [], "not one plaintext connection arrived")
        for sock in live:
            sock.close()


def neighbours(tap):
    """Not even by the gateway: the proxy is no bridge between devices."""
    with Lab() as lab:
        if "proxy" not in lab.workers_built():
            tap.skip("neighbours", "the proxy was left out of this build")
            return
        servers = everywhere(lab, 8883, nodes=["cloud", "sensor"])
        for prefix, ip, via in (("-4", lab.sensor.ip, "192.168.50.1"),
                                ("-6", lab.sensor.ip6, "fd00:50::1")):
            lab.camera.run("ip", prefix, "route", "replace", ip, "via", via)
        put(lab, config(lab, "enforce"))
        all_cut(tap, lab, plain(lab) + [
            ("camera", ip, "tcp", 1883)
            for ip in (lab.sensor.ip, lab.sensor.ip6)],
                "the sensor's plaintext port, dialled over the gateway")
        tap.ok(wait(lambda: len(servers["cloud", "tcp", 8883].seen) == 2),
               "the proxy has tried the cloud")
        tap.equal(servers["sensor", "tcp", 8883].seen, [],
                  "and never the sensor")


def of_one(tap):
    """Only the camera enforces: its live plaintext is cut, nobody else's."""
    with Lab() as lab:
        if "proxy" not in lab.workers_built():
            tap.skip("of one", "the proxy was left out of this build")
            return
        everywhere(lab, 1883, 7, nodes=["cloud"])
        put(lab, lab.base_config("observe", more={
            "camera": ALLOW, "sensor": ALLOW}, extra=UPGRADE))
        live = {(name, port, ip): lab.tcp_connect(name, ip, port)
                for name in ("camera", "sensor") for port in (1883, 7)
                for ip in (lab.cloud.ip, lab.cloud.ip6)}
        tap.ok(all(talk(s) for s in live.values()), "observed: all live")
        put(lab, lab.base_config("observe", more={
            "camera": ALLOW + "\nmode = enforce", "sensor": ALLOW},
            extra=UPGRADE))
        lives = {key: talk(sock) for key, sock in live.items()}
        bad = [key for key, alive in lives.items()
               if alive == (key[:2] == ("camera", 1883))]
        tap.equal(bad, [], "only the camera's plaintext is cut")
        for sock in live.values():
            sock.close()


def without_proxy(tap, lab, daemon):
    for number in range(3):
        pid = daemon.kill_worker("proxy")
        all_cut(tap, lab, plain(lab),
                "the proxy was killed: plaintext does not pass")
        tap.ok(daemon.wait_worker("proxy", but=pid), "it is back")
        time.sleep(0.1 * number)
    os.kill(daemon.pid, signal.SIGKILL)
    daemon.process.wait()
    wait(lambda: not daemon.workers())
    all_cut(tap, lab, plain(lab) * 3,
            "all are dead: plaintext does not pass")


if __name__ == "__main__":
    run(upgrade, neighbours, of_one)
