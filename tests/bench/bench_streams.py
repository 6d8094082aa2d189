# SPDX-License-Identifier: GPL-2.0-or-later
"""TCP of a device to the cloud through the gateway, as it is used: MB/s of
one stream and new connections per second one after the other. No rules, a
plain stateful firewall, gatehouse with 10 and with 10,000 devices of 10
allow lines, side by side. Both ends compute here, too, so a cost of the
gateway shows less than in bench_packets."""
import os
import signal
import socket
import struct
import time

from common import BenchLab, Samples, mac, ratio

SECONDS = 0.3
TURNS = 4  # short ones in each round: neighbours come and go
STATEFUL = """
table inet firewall {
  chain forward {
    type filter hook forward priority filter; policy drop;
    ct state established,related accept
    iifname "br0" oifname "wan0" tcp dport 5000 accept
  }
}
"""
RESET = struct.pack("ii", 1, 0)


def serve(sock):
    """In a process of its own: takes everything, one after the other."""
    buffer = bytearray(1 << 20)
    while True:
        connection, _ = sock.accept()
        with connection:
            try:
                while connection.recv_into(buffer):
                    pass
            except ConnectionError:
                pass


def start_server(lab):
    with lab.socket("cloud", socket.AF_INET, socket.SOCK_STREAM) as sock:
        sock.bind((lab.cloud.ip, 5000))
        sock.listen(128)
        pid = os.fork()
        if pid == 0:
            signal.signal(signal.SIGTERM, signal.SIG_DFL)
            try:
                serve(sock)
            finally:
                os._exit(1)

    def end():
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
    lab.closers.append(end)


def enforce(lab, devices):
    """The camera and so many others, each with 10 lines."""
    lines = "".join("allow = tcp/%d 203.0.113.10\n" % (5000 + n)
                    for n in range(10))
    text = lab.base_config(devices=("camera",), more={"camera": lines})
    text += "".join("\n[device d%d]\nmac = %s\n%s" % (k, mac(k), lines)
                    for k in range(devices - 1))
    lab.config(text)
    lab.gatehoused()


def throughput(lab):
    data = bytes(1 << 20)
    sent = 0
    with lab.tcp_connect("camera", lab.cloud.ip, 5000) as sock:
        started = time.monotonic()
        while time.monotonic() < started + SECONDS:
            sock.sendall(data)
            sent += len(data)
        return sent / (time.monotonic() - started) / 1e6


def connections(lab):
    """Reset at the end, so that ports are free again."""
    n, started = 0, time.monotonic()
    while time.monotonic() < started + SECONDS:
        with lab.tcp_connect("camera", lab.cloud.ip, 5000) as sock:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
        n += 1
    return n / (time.monotonic() - started)


def run(rounds):
    samples = Samples()
    labs = {}
    try:
        for name in ("no rules", "stateful", "gatehouse 10",
                     "gatehouse 10000"):
            lab = labs[name] = BenchLab(devices=("camera",), ipv6=False)
            start_server(lab.__enter__())
            if name == "stateful":
                lab.gateway.run("nft", "-f", "-", stdin=STATEFUL)
            elif name != "no rules":
                enforce(lab, int(name.split()[1]))
        for _ in range(rounds * TURNS):
            for name, lab in labs.items():
                samples.add(name, MB_per_s=throughput(lab),
                            new_per_s=connections(lab))
    finally:
        for lab in labs.values():
            lab.close()
    samples.table({"MB_per_s": "%.0f", "new_per_s": "%.0f"})
    for figure in ("MB_per_s", "new_per_s"):
        for a, b in (("gatehouse 10000", "gatehouse 10"),
                     ("gatehouse 10000", "stateful"),
                     ("gatehouse 10000", "no rules")):
            ratio("%s, %s to %s" % (figure, a, b),
                  samples.ratio(figure, a, b))
