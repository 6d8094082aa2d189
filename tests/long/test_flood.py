#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
# run: timeout 120
# run: alone
"""One device sends 100,000 packets a second that are denied: its neighbour's
stream goes on, and its connections are made. The ceiling is wide: frames are
made on the same processors as all the rest."""
import multiprocessing
import os
import signal
import statistics
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(HERE, "..", "bench"),
                os.path.join(HERE, "..", "lab")]
from bench_packets import SERVER, Gateway, policy  # noqa: E402
from bench_streams import start_server  # noqa: E402
from common import BenchLab  # noqa: E402
from lab import Lab  # noqa: E402
from tap import Tap  # noqa: E402
from xdp import Flow  # noqa: E402

RATE, BATCH = 100000, 5000
SECONDS, ROUNDS = 1, 7
LEAST = 0.6


class Flood:
    """A process of its own, that is on or off."""

    def __init__(self, gateway, flow):
        self.on, self.sent = multiprocessing.Event(), multiprocessing.Value(
            "q", 0)
        self.process = multiprocessing.Process(
            target=self.run, args=(gateway, flow), daemon=True)
        self.process.start()

    def run(self, gateway, flow):
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        due = time.monotonic()
        while True:
            if not self.on.is_set():
                self.on.wait()
                due = time.monotonic()
            due += BATCH / RATE
            gateway.inject(flow, BATCH)
            self.sent.value += BATCH
            time.sleep(max(0, due - time.monotonic()))

    def close(self):
        self.process.terminate()
        self.process.join()


def stream(lab):
    """Bytes a second from the sensor to the cloud."""
    data, sent = bytes(1 << 20), 0
    with lab.tcp_connect("sensor", lab.cloud.ip, 5000) as sock:
        started = time.monotonic()
        while time.monotonic() < started + SECONDS:
            sock.sendall(data)
            sent += len(data)
        return sent / (time.monotonic() - started)


def flood(tap):
    gateway = Gateway("flooded")
    gateway.lab = BenchLab(devices=("camera", "sensor"), ipv6=False)
    with gateway:
        lab = gateway.lab
        start_server(lab)
        text = Lab.base_config(lab, "enforce", devices=("sensor",), more={
            "sensor": "allow = tcp/5000 any"})
        text += policy(1, lambda k: ["udp/5000 " + SERVER])
        lab.config(text.replace("= wan0", "= wan0 sink0"))
        lab.gatehoused()
        one = Flood(gateway, Flow(1, SERVER, 6000, "02:00:00:00:50:01",
                                  any_port=True))
        lab.closers.append(one.close)
        ratios = []
        for _ in range(ROUNDS):
            quiet = stream(lab)
            one.on.set()
            ratios.append(stream(lab) / quiet)
            one.on.clear()
        found = statistics.median(ratios)
        rate = one.sent.value / (ROUNDS * SECONDS)
        tap.note("%.0f packets a second: the neighbour keeps %.0f %%" % (
            rate, found * 100))
        tap.ok(rate > RATE / 4, "it floods", rate)
        tap.ok(found >= LEAST, "the neighbour keeps its stream",
               "%s" % ratios)


if __name__ == "__main__":
    with Tap() as main_tap:
        if os.geteuid() != 0 or "isolation" not in Lab().workers_built():
            main_tap.skip("flood", "needs root and the isolation module")
        else:
            flood(main_tap)
