# SPDX-License-Identifier: GPL-2.0-or-later
"""A device's plaintext into TLS: CPU per new connection, CPU per GB, memory
per idle connection. gatehouse: device -> redirect -> proxy in its sandbox ->
TLS server in the cloud; nginx, haproxy and stunnel: the same namespaces with
a plain nft redirect to them and no daemon. One worker each, verification on,
one cipher for all: TLS_AES_128_GCM_SHA256, or what CIPHER= in the environment
says; X25519, P-256."""
import os
import sys
import time

from common import BenchLab, Samples, cpu, memory, ratio
from tls_peers import PEERS

NAME = "broker.example"
DEVICES = ("camera", "sensor", "lamp", "lock", "plug")
CONNECTIONS = 200
CIPHER = os.environ.get("CIPHER", "TLS_AES_128_GCM_SHA256")
BULK = 48 << 20
IDLE = 250  # of all devices together; the proxy takes 64 of each
OPENSSL = """
openssl_conf = init
[init]
ssl_conf = ssl
[ssl]
system_default = tls
[tls]
Ciphersuites = %s
Groups = X25519
"""
UPGRADES = """
[upgrade plain]
protocol = tcp
port = 1884
upstream-port = 8884
upstream-name = {name}
[upgrade tickets]
protocol = tcp
port = 1885
upstream-port = 8885
upstream-name = {name}
[proxy]
authorities = {ca}
"""


def start_backend(lab):
    conf = lab.path("openssl.cnf")
    with open(conf, "w", encoding="ascii") as file:
        file.write(OPENSSL % CIPHER)
    here = os.path.dirname(os.path.abspath(__file__))
    service = lab.start(
        "cloud", [sys.executable, os.path.join(here, "tls_backend.py"),
                  lab.cloud.ip, *lab.pki().cert("good"),
                  "8884", "0", "8885", "2"], "backend.log",
        env=dict(os.environ, OPENSSL_CONF=conf))
    for port in (8884, 8885):
        lab.wait_listening("cloud", lab.cloud.ip, port, service)


class Ours:
    """The running daemon; the CPU and memory of its proxy worker."""

    name = "gatehouse"

    def __init__(self, lab):
        self.lab = lab
        lines = "allow = tcp/1884-1885 %s\n" % lab.cloud.ip
        lab.config(lab.base_config(
            devices=DEVICES, more={name: lines for name in DEVICES},
            extra=UPGRADES.format(name=NAME, ca=lab.pki().ca)).replace(
                "[gateway]", "[gateway]\nlog-level = warning"))
        self.daemon = lab.gatehoused()
        self.ports = (1884, 1885)

    def pids(self):
        return [self.daemon.workers()["proxy"]]

    def others(self):
        """Agent and isolation: they tell the proxy whose a flow is."""
        return [self.daemon.pid, self.daemon.workers()["isolation"]]


def ask(lab, port, words, device="camera"):
    sock = lab.tcp_connect(device, lab.cloud.ip, port, timeout=30)
    sock.sendall(words + b"\n")
    return sock


def read(sock, size):
    got = 0
    while got < size:
        n = len(sock.recv(1 << 18))
        if not n:
            raise RuntimeError("%d of %d bytes came" % (got, size))
        got += n


def connect_many(lab, port):
    for _ in range(CONNECTIONS):
        with ask(lab, port, b"down 64") as sock:
            read(sock, 64)


def send_bulk(lab, port):
    data = bytes(1 << 20)
    with ask(lab, port, b"up %d" % BULK) as sock:
        for _ in range(BULK // len(data)):
            sock.sendall(data)
        read(sock, 3)


def take_bulk(lab, port):
    with ask(lab, port, b"down %d" % BULK) as sock:
        read(sock, BULK)


def cost(subject, work, lab, port):
    """CPU seconds of the worker, of the daemon's others, and by the wall."""
    others = getattr(subject, "others", list)()
    before, more = cpu(*subject.pids()), cpu(*others)
    started = time.monotonic()
    work(lab, port)
    return (cpu(*subject.pids()) - before, cpu(*others) - more,
            time.monotonic() - started)


def idle_memory(subject, lab, port):
    """KB of PSS that an open, silent connection adds."""
    def pss():
        return sum(memory(pid) for pid in subject.pids())
    before, open_ones = pss(), []
    try:
        for n in range(IDLE):
            sock = ask(lab, port, b"idle 0", DEVICES[n % len(DEVICES)])
            open_ones.append(sock)
            read(sock, 3)
        return (pss() - before) / IDLE
    finally:
        for sock in open_ones:
            sock.close()


def measure(subject, lab, samples):
    full, tickets = subject.ports
    spent, others, _ = cost(subject, connect_many, lab, full)
    figures = {"full_us": spent / CONNECTIONS * 1e6,
               "others_us": others / CONNECTIONS * 1e6}
    spent, _, _ = cost(subject, connect_many, lab, tickets)
    figures["tickets_us"] = spent / CONNECTIONS * 1e6
    for name, work in (("up", send_bulk), ("down", take_bulk)):
        spent, _, wall = cost(subject, work, lab, full)
        figures[name + "_s_per_GB"] = spent / BULK * 1e9
        figures[name + "_MB_per_s"] = BULK / wall / 1e6
    samples.add(subject.name, **figures)


def measure_idle(subject, lab, samples):
    """Once: what is freed later is not given back to the system."""
    base = sum(memory(pid) for pid in subject.pids())
    kb = idle_memory(subject, lab, tuple(subject.ports)[0])
    samples.add(subject.name, base_kb=base, idle_kb=kb)


def redirect(lab, peers):
    ports = ", ".join(str(port) for peer in peers for port in peer.ports)
    lab.gateway.run("nft", "-f", "-", stdin="""
table ip peers {
  chain prerouting {
    type nat hook prerouting priority dstnat;
    iifname "br0" tcp dport { %s } redirect
  }
}
""" % ports)


def run(rounds):
    samples = Samples()
    peers = [peer for peer in PEERS if not peer.missing()]
    for peer in PEERS:
        if peer not in peers:
            print("%s is not installed: left out" % peer.name)
    with BenchLab(devices=DEVICES, ipv6=False) as lab, \
            BenchLab(devices=DEVICES, ipv6=False) as plain:
        start_backend(lab)
        start_backend(plain)
        subjects = [(Ours(lab), lab)]
        for peer in peers:
            peer.start(plain, NAME)
            subjects.append((peer, plain))
        if peers:
            redirect(plain, peers)
        for subject, where in subjects:
            measure(subject, where, Samples())  # warm
            measure_idle(subject, where, samples)
        for _ in range(rounds):
            for subject, where in subjects:
                measure(subject, where, samples)
    tell(samples, peers)


def tell(samples, peers):
    figures = ("full_us", "tickets_us", "others_us", "up_s_per_GB",
               "down_s_per_GB", "up_MB_per_s", "down_MB_per_s", "base_kb",
               "idle_kb")
    samples.table({f: "%.2f" if "GB" in f else "%.0f" for f in figures})
    for figure in ("full_us", "tickets_us", "up_s_per_GB", "down_s_per_GB",
                   "idle_kb"):
        for peer in peers:
            ratio("%s, gatehouse to %s" % (figure, peer.name),
                  samples.ratio(figure, "gatehouse", peer.name))
