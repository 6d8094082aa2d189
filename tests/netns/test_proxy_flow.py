#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Bytes through the daemon's proxy: both ways, half-closed, much, slowly,
over a reload, and not after the device is gone."""
import hashlib
import os
import socket
import sys
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "lab"))
from daemon import wait  # noqa: E402
from lab import Lab  # noqa: E402
from tap import Tap  # noqa: E402
from upgrades import TlsServer, upgrades  # noqa: E402

PORT = 1884  # the device's; 8884 is the server's
MIB = 1 << 20
PATTERN = bytes(range(256)) * 256  # 64 KiB
LIMIT = 64  # connections of one device


def memory(daemon):
    """Resident KiB of the proxy."""
    with open("/proc/%d/status" % daemon.workers()["proxy"],
              encoding="ascii") as file:
        for line in file:
            if line.startswith("VmRSS"):
                return int(line.split()[1])
    return 0


def read_all(sock):
    """Everything to the end; the word 'reset' instead of an end."""
    data = b""
    try:
        while True:
            more = sock.recv(65536)
            if not more:
                return data
            data += more
    except ConnectionError:
        return data + b" reset"


def half_closed(lab, tap):
    def answer_after_end(tls):
        heard = tls.read_all()
        tls.write(b"late answer to " + heard)
        tls.end()
        return heard, tls.clean

    def end_first(tls):
        tls.write(b"bye")
        tls.end()
        return tls.read_all(), tls.clean

    def cut(tls):
        tls.write(b"half")
        return tls.sock.shutdown(socket.SHUT_RDWR)

    server = TlsServer(lab, 8884, answer_after_end)
    with lab.tcp_connect("sensor", lab.cloud_ip(0), PORT) as sock:
        sock.sendall(b"question")
        sock.shutdown(socket.SHUT_WR)
        tap.equal(read_all(sock), b"late answer to question",
                  "the device ends first and still gets its answer")
    tap.equal(server.result(), (b"question", True),
              "the server saw a proper end")

    server = TlsServer(lab, 8884, end_first, index=1)
    with lab.tcp_connect("sensor", lab.cloud_ip(1), PORT) as sock:
        tap.equal(read_all(sock), b"bye", "the server ends first")
        sock.sendall(b"still ")
        time.sleep(0.2)
        sock.sendall(b"here")
        sock.shutdown(socket.SHUT_WR)
    tap.equal(server.result(), (b"still here", True),
              "and is still told things")

    TlsServer(lab, 8884, cut, index=2)
    with lab.tcp_connect("sensor", lab.cloud_ip(2), PORT) as sock:
        tap.equal(read_all(sock), b"half reset",
                  "a server that is cut off is no end, but a reset")


def much(lab, tap, daemon):
    """100 MiB each way while the reader pauses."""
    size = 100 * MIB

    def pour(tls):
        for _ in range(size // len(PATTERN)):
            tls.write(PATTERN)
        tls.end()

    def drain(tls):
        time.sleep(2)
        digest, count = hashlib.sha256(), 0
        for data in iter(tls.read, b""):
            digest.update(data)
            count += len(data)
        return digest.hexdigest(), count, tls.clean

    expected = hashlib.sha256(PATTERN * (size // len(PATTERN))).hexdigest()
    TlsServer(lab, 8884, pour, index=3)
    before = memory(daemon)
    worst = before
    digest, count = hashlib.sha256(), 0
    with lab.tcp_connect("sensor", lab.cloud_ip(3), PORT) as sock:
        sock.settimeout(30)
        time.sleep(2)  # everything that can be full is full
        worst = max(worst, memory(daemon))
        started = time.monotonic()
        while True:
            data = sock.recv(MIB)
            if not data:
                break
            digest.update(data)
            count += len(data)
            if count % (10 * MIB) < len(data):
                worst = max(worst, memory(daemon))
        down = time.monotonic() - started
    tap.equal((count, digest.hexdigest()), (size, expected),
              "100 MiB come down whole, after a pause")

    server = TlsServer(lab, 8884, drain, index=4)
    started = time.monotonic()
    with lab.tcp_connect("sensor", lab.cloud_ip(4), PORT) as sock:
        sock.settimeout(30)
        for number in range(size // len(PATTERN)):
            sock.sendall(PATTERN)
            if number % 160 == 0:
                worst = max(worst, memory(daemon))
        sock.shutdown(socket.SHUT_WR)
        tap.equal(server.result(), (expected, size, True),
                  "100 MiB go up whole, after a pause")
    tap.note("%.0f MiB/s down, %.0f MiB/s up with a pause of 2 s" % (
        100 / down, 100 / (time.monotonic() - started)))
    tap.ok(worst - before < 1024, "the proxy's memory stays as it was",
           "%d KiB before, %d at most" % (before, worst))
    tap.note("%d KiB before, %d KiB at most" % (before, worst))


def others(lab, tap, daemon):
    """Silent, slow and greedy devices are their own problem."""
    def echo(tls):
        for data in iter(tls.read, b""):
            tls.write(data)
        tls.end()

    TlsServer(lab, 8884, echo, index=5)
    lab.nginx(listeners={lab.cloud_ip(5): "good"})
    open_ones = []
    at_once = 0
    try:
        for number in range(LIMIT + 16):
            try:
                sock = lab.tcp_connect("camera", lab.cloud_ip(5), 80)
            except ConnectionResetError:
                at_once += 1
                continue
            open_ones.append(sock)
            if number % 2 and number < LIMIT:
                sock.sendall(b"GET / HT")
        tap.ok(daemon.wait_log("too many are open"),
               "a device's connections are limited")
        cut = wait(
            lambda: sum(is_cut(s) for s in open_ones) + at_once == 16)
        tap.ok(cut, "to 64: the 16 others are refused",
               sum(is_cut(s) for s in open_ones) + at_once)
        started = time.monotonic()
        with lab.tcp_connect("sensor", lab.cloud_ip(5), PORT) as sock:
            sock.sendall(b"quick")
            tap.equal(sock.recv(5), b"quick",
                      "another device is served meanwhile")
        took = time.monotonic() - started
        tap.ok(took < 2, "in %.3f s" % took)
        patience = wait(lambda: all(is_cut(s) for s in open_ones), 15)
        tap.ok(patience, "silent ones are refused in time")
        tap.ok(daemon.wait_log("sent no whole request in time"),
               "with the reason")
    finally:
        for sock in open_ones:
            sock.close()


def is_cut(sock):
    try:
        sock.setblocking(False)
        return sock.recv(1) == b""
    except BlockingIOError:
        return False
    except OSError:
        return True


def reloads(lab, tap, daemon):
    """A live flow outlives a reload, but not its device."""
    def echo(tls):
        for data in iter(tls.read, b""):
            tls.write(data)
        return tls.clean

    def reload(text):
        lab.config(text)
        before = len(daemon.log())
        daemon.reload()
        return daemon.wait_log("is in force", after=before)

    def says(sock, word):
        sock.sendall(word)
        return sock.recv(len(word))

    server = TlsServer(lab, 8884, echo, index=6)
    sensor = lab.tcp_connect("sensor", lab.cloud_ip(6), PORT)
    camera = lab.tcp_connect("camera", lab.cloud_ip(6), PORT)
    with sensor, camera:
        tap.equal((says(sensor, b"one"), says(camera, b"one")),
                  (b"one", b"one"), "two flows are open")
        tap.ok(reload("# changed\n" + upgrades(
            lab, more={"camera": "upgrade = http raw"},
            extra="[upgrade more]\nprotocol = tcp\nport = 5000\n"
                  "upstream-port = 5001\nupstream-name = www.example\n")),
               "a reload that changes something else")
        tap.equal((says(sensor, b"two"), says(camera, b"two")),
                  (b"two", b"two"), "both flows go on")
        tap.ok(reload(upgrades(lab, more={"camera": "upgrade = http"})),
               "a reload that takes the upgrade off the camera")
        tap.ok(wait(lambda: is_cut(camera)), "ends the camera's flow")
        sensor.setblocking(True)
        tap.equal(says(sensor, b"three"), b"three",
                  "and not the sensor's")
        tap.ok(reload(upgrades(lab, devices=("camera",))),
               "a reload without the sensor")
        # Isolation, too, is done with the sensor: it may hear nothing of it.
        tap.ok(daemon.wait_log("sensor: raw to broker.example is over: it "
                               "is no longer configured"),
               "ends the sensor's flow")
        came = server.result(1)
        tap.ok(came is False or isinstance(came, ConnectionResetError),
               "as the server sees: no proper end", came)
        lab.config("[nonsense]\n")
        daemon.reload()
        tap.ok(daemon.wait_log("was not taken"), "a bad reload changes "
               "nothing")
    lab.config(upgrades(lab))
    reload(upgrades(lab))
    with lab.tcp_connect("sensor", lab.cloud_ip(6), PORT) as sock:
        tap.equal(says(sock, b"four"), b"four", "the sensor is back")


def meanwhile(lab, tap):
    """Many at once, each with its own bytes."""
    def echo(tls):
        for data in iter(tls.read, b""):
            tls.write(data)
        tls.end()

    def one(number):
        word = b"%08d" % number * 4096
        with lab.tcp_connect("sensor", lab.cloud_ip(7), PORT) as sock:
            sock.settimeout(60)
            thread = threading.Thread(target=send, args=(sock, word))
            thread.start()
            came = read_all(sock)
            thread.join()
        good.append(came == word)

    def send(sock, word):
        sock.sendall(word)
        sock.shutdown(socket.SHUT_WR)

    good = []
    TlsServer(lab, 8884, echo, index=7)
    threads = [threading.Thread(target=one, args=(n,)) for n in range(24)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    tap.equal(good, [True] * 24, "24 flows at once, each with its own bytes")


def main():
    with Tap() as tap, Lab() as lab:
        lab.config(upgrades(lab))
        daemon = lab.gatehoused()
        half_closed(lab, tap)
        meanwhile(lab, tap)
        much(lab, tap, daemon)
        others(lab, tap, daemon)
        pid = daemon.workers()["proxy"]
        reloads(lab, tap, daemon)
        tap.equal(daemon.workers().get("proxy"), pid,
                  "it is the same proxy all the time")
        if tap.failed:
            tap.note("\n".join(
                line for line in daemon.log().splitlines()
                if "debug" not in line or "->" not in line))


main()
