# SPDX-License-Identifier: GPL-2.0-or-later
"""From a configuration file to rules in force: 10, 1,000 and 10,000 devices
with 10 allow lines each, the daemon's start and its reload with one device
changed. Compared with `nft -f` of a file with the same elements in one set.
The parts are seen by their CPU: the agent's and the isolation worker's. Idle:
CPU of all processes together while nothing happens, once."""
import subprocess
import time

from common import BenchLab, Samples, cpu, mac, memory, policy, ratio

SIZES = (10, 1000, 10000)
LINES = 10
IDLE_SECONDS = 10  # twice what lies between two looks at the counters


def to(k, line):
    return "198.18.%d.%d" % (k % 251, (k * 7 + line) % 251)


def entries(k):
    return ["udp/%d %s" % (5000 + line, to(k, line)) for line in range(LINES)]


def one_set(devices):
    """The same elements in a plain set, for nft."""
    elements = ",\n".join(
        "%s . %s . udp . %d" % (mac(k), to(k, line), 5000 + line)
        for k in range(devices) for line in range(LINES))
    return ("table inet bench\ndelete table inet bench\n"
            "table inet bench {\nset allow { typeof ether saddr . ip daddr "
            ". meta l4proto . th dport; size %d;\nelements = {\n%s } }\n"
            "chain c { type filter hook forward priority 0;\n"
            "ether saddr . ip daddr . meta l4proto . th dport @allow accept\n"
            "}\n}\n" % (devices * LINES, elements))


def load_by_nft(lab, devices):
    path = lab.path("nft-%d" % devices)
    with open(path, "w", encoding="ascii") as file:
        file.write(one_set(devices))
    started = time.monotonic()
    lab.gateway.run("nft", "-f", path, timeout=120)
    spent = time.monotonic() - started
    lab.gateway.run("nft", "delete", "table", "inet", "bench")
    return spent


def wait_in_force(daemon, after):
    end = time.monotonic() + 120
    while "is in force" not in daemon.log()[after:]:
        if time.monotonic() > end:
            raise RuntimeError("no reload:\n" + daemon.log())
        time.sleep(0.002)


def idle(daemon):
    pids = [daemon.pid, *daemon.workers().values()]
    before = cpu(*pids)
    time.sleep(IDLE_SECONDS)
    return (cpu(*pids) - before) / IDLE_SECONDS


def measure(lab, devices, samples, last):
    name = "%d x %d" % (devices, LINES)
    text = lab.base_config(devices=()) + policy(devices, entries)
    lab.config(text)
    started = time.monotonic()
    daemon = lab.gatehoused()
    start = time.monotonic() - started
    worker = daemon.workers()["isolation"]
    lab.config(text.replace("allow = udp/5000 ", "allow = udp/4999 ", 1))
    agent_cpu, worker_cpu = cpu(daemon.pid), cpu(worker)
    before = len(daemon.log())
    started = time.monotonic()
    daemon.reload()
    wait_in_force(daemon, before)
    samples.add(name, start_ms=start * 1000,
                reload_ms=(time.monotonic() - started) * 1000,
                agent_cpu_ms=(cpu(daemon.pid) - agent_cpu) * 1000,
                worker_cpu_ms=(cpu(worker) - worker_cpu) * 1000,
                worker_pss_kb=memory(worker),
                worker_peak_kb=memory(worker, "VmHWM", "status"),
                agent_pss_kb=memory(daemon.pid))
    if last:
        samples.add(name, idle_ms_per_s=idle(daemon) * 1000)
    daemon.stop()
    lab.gateway.run("nft", "flush", "ruleset")


def run(rounds):
    samples = Samples()
    with BenchLab() as lab:
        for turn in range(rounds):
            for devices in SIZES:
                samples.add("%d x %d" % (devices, LINES),
                            nft_f_ms=load_by_nft(lab, devices) * 1000)
                measure(lab, devices, samples, turn == rounds - 1)
    samples.table({name: "%.0f" for name in (
        "start_ms", "reload_ms", "nft_f_ms", "agent_cpu_ms", "worker_cpu_ms",
        "worker_pss_kb", "worker_peak_kb", "agent_pss_kb", "idle_ms_per_s")})
    big, small = ["%d x %d" % (n, LINES) for n in (10000, 1000)]
    for figure in ("start_ms", "reload_ms", "agent_cpu_ms", "worker_cpu_ms"):
        ratio("%s, 10,000 to 1,000 devices (linear: 10)" % figure,
              samples.ratio(figure, big, small), "%.1f")
    for row in samples.all.values():  # the rounds' own ratios
        row["to nft"] = [a / b for a, b in zip(
            row["reload_ms"], row["nft_f_ms"])]
    for name in (small, big):
        ratio("reload to nft -f, %s" % name, samples.median(name, "to nft"))
