#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Plaintext in, verified TLS out: a real broker, a real web server, both
families; and nobody reaches the proxy but through a redirect."""
import os
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "lab"))
from daemon import wait  # noqa: E402
from lab import Lab  # noqa: E402
from tap import Tap  # noqa: E402
from upgrades import upgrades  # noqa: E402


def subscribe(lab, ip):
    """A subscriber of the owner's, over TLS, whose log is returned."""
    path = lab.path("sub-" + ip)
    with open(path, "wb") as file:
        lab.owner.popen(
            "mosquitto_sub", "-h", ip, "-p", "8883", "-t", "#", "-v",
            "--cafile", lab.pki().ca, "--insecure", stdout=file)

    def text():
        with open(path, encoding="utf-8") as file:
            return file.read()
    return text


def mqtt(lab, tap):
    for ip in (lab.cloud_ip(0), lab.cloud_ip(0, 6)):
        heard = subscribe(lab, ip)
        done = lab.sensor.run(
            "mosquitto_pub", "-r", "-h", ip, "-t", "home/t", "-m",
            "21.5 at " + ip, check=False)
        tap.equal(done.returncode, 0, "a plain publish to %s works" % ip)
        wait(lambda: ip in heard())
        tap.contains(heard(), "home/t 21.5 at %s\n" % ip,
                     "a TLS subscriber receives it")


def http(lab, tap, web):
    for ip in (lab.cloud_ip(0), lab.cloud_ip(0, 6)):
        url = "http://%s/" % ("www.example")
        done = lab.camera.run(
            "curl", "-sS", "--max-time", "20", "--resolve",
            "www.example:80:" + ip, url, check=False)
        tap.equal(done.stdout, "hello from the cloud\n",
                  "plain HTTP to %s is answered through TLS (%s)" % (
                      ip, done.stderr.strip()))
    with open(web.access_path, encoding="utf-8") as file:
        tap.equal(file.read().count('"GET / HTTP/1.1" 200'), 2,
                  "the web server answered two requests")


def closed(lab, tap, daemon):
    """The proxy's own ports, from everywhere."""
    for name, ip in (("sensor", "192.168.50.1"), ("sensor", "fd00:50::1"),
                     ("owner", "192.168.60.1"), ("cloud", "203.0.113.1"),
                     ("gateway", "127.0.0.1"), ("gateway", "::1")):
        came = lab.attempts(
            [(name, ip, "tcp", port) for port in (18100, 18101, 18102)],
            timeout=1)
        tap.ok("yes" not in came, "%s dials the proxy at %s: nothing" % (
            name, ip), came)
    tap.ok("gatehouse-proxy" in [
        "gatehouse-" + n for n in daemon.workers()], "the proxy lives")


def counted(lab, tap, daemon):
    daemon.wait_log("serving as")  # the bus comes when it comes
    shown = lab.ctl_json("device", "show", "sensor")
    text = str(shown)
    tap.note(text)
    device = shown.get("device", shown)
    device = device[0] if isinstance(device, list) else device
    numbers = {key.lower().replace("_", "").replace("-", ""): value
               for key, value in device.items()
               if isinstance(value, int)}
    flows = [v for k, v in numbers.items() if "flow" in k]
    tap.equal(flows, [2], "two connections of the sensor are counted")
    up = [v for k, v in numbers.items()
          if k in ("tlsup", "tlsbytesup", "bytesup", "tlssent")]
    tap.ok(up and up[0] > 40, "and the bytes that went up", text)


def survives(lab, tap, daemon):
    """A killed worker comes back, with the same sockets."""
    old = daemon.kill_worker("proxy")
    started = time.monotonic()
    tap.ok(daemon.wait_worker("proxy", but=old), "a killed proxy comes back")
    done = lab.camera.run(
        "curl", "-sS", "--max-time", "20", "--retry", "3",
        "--retry-connrefused", "--resolve",
        "www.example:80:" + lab.cloud_ip(0), "http://www.example/",
        check=False)
    tap.equal(done.stdout, "hello from the cloud\n",
              "and a connection made meanwhile is answered: %.2f s" % (
                  time.monotonic() - started))


def main():
    with Tap() as tap, Lab() as lab:
        lab.mosquitto()
        web = lab.nginx()
        lab.dbus()
        lab.config(upgrades(lab))
        daemon = lab.gatehoused()
        mqtt(lab, tap)
        http(lab, tap, web)
        counted(lab, tap, daemon)
        closed(lab, tap, daemon)
        survives(lab, tap, daemon)
        if tap.failed:
            tap.note(daemon.log())


main()
