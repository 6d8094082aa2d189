#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
# run: timeout 180
"""What "gatehouse why" answers is what packets find out, and a kernel that
was tampered with is not vouched for."""
import threading

from isolation_lab import SOON, Lab, everywhere, put, run, wait

LINES = ("allow = tcp/7 203.0.113.10\nallow = udp/7 any\n"
         "allow = tcp/8-9 203.0.113.0/24\nallow = tcp/7 2001:db8:113::/64\n"
         "allow = tcp/9 192.168.60.20")


def questions(lab):
    """(device, service, where): all that the devices try, too."""
    asked = []
    for who in ("camera", "sensor", "stranger"):
        for where in (lab.cloud.ip, lab.cloud_ip(1), lab.cloud.ip6,
                      lab.owner.ip, "192.168.50.1"):
            asked += [(who, service, where)
                      for service in ("tcp/7", "udp/7", "tcp/9", "icmp")]
        asked.append((who, "tcp/7", "203.0.113.53"))
    return asked


def name_of(lab, who):
    return lab.node(who).mac


def ask(lab, who, service, where, **options):
    return lab.ctl_json("why", name_of(lab, who), service, where, **options)


def tried(lab, asked):
    wanted = []
    for who, service, where in asked:
        kind, _, port = service.partition("/")
        wanted.append((who, where, kind, int(port or 0)))
    return lab.attempts(wanted, timeout=SOON)


def no_lies(tap, lab, asked, what):
    """Each answer against a packet of the device itself."""
    wrong, unsure = [], []
    for one, came in zip(asked, tried(lab, asked)):
        answer = ask(lab, *one)["answers"][0]
        if answer["passes"] != (came == "yes"):
            wrong.append("%s: %s, packets: %s" % (one, answer, came))
        if answer.get("kernel") == "differs":
            unsure.append("%s: %s" % (one, answer))
    tap.ok(not wrong, "%s: %d answers are what packets find out" % (
        what, len(asked)), "\n".join(wrong))
    tap.ok(not unsure, what + ": the kernel agrees", "\n".join(unsure))


def answers(tap):
    with Lab() as lab:
        everywhere(lab, 7, 9)
        for port in (7, 9):
            lab.serve_tcp("gateway", port)
        lab.dbus()
        text = lab.base_config("enforce", more={"camera": LINES})
        daemon = put(lab, text)
        tap.ok(wait(lambda: lab.ctl("status", check=False).returncode == 0),
               "the command finds the daemon", daemon.log())
        asked = questions(lab)
        tried(lab, asked[::7])  # so that they are known
        tap.ok(wait(lambda: len(lab.ctl_json("device", "list")) == 3),
               "(all devices are seen)")
        no_lies(tap, lab, asked, "enforced")
        words(tap, lab, daemon.options["-f"])
        tampered(tap, lab)
        put(lab, lab.base_config("observe", more={"camera": LINES}))
        no_lies(tap, lab, [("camera", "tcp/9", "203.0.113.53"),
                           ("sensor", "tcp/7", lab.cloud.ip),
                           ("stranger", "tcp/7", lab.cloud.ip)], "observed")
        answer = ask(lab, "sensor", "tcp/7", lab.cloud.ip)["answers"][0]
        tap.ok(answer["passes"] and not answer["allowed"],
               "observed is not allowed", answer)


def inside(tap):
    """Ways between devices of two zones, and to the gateway."""
    with Lab(devices=("camera",), second=("sensor",)) as lab:
        everywhere(lab, 7, 9)
        lab.serve_tcp("gateway", 9)
        lab.dbus()
        text = lab.base_config("enforce", more={
            "camera": "allow = tcp/7 device:sensor\nallow = tcp/9 gateway",
            "sensor": "address = %s %s" % (lab.sensor.ip, lab.sensor.ip6)})
        put(lab, text)
        wait(lambda: lab.ctl("status", check=False).returncode == 0)
        asked = [("camera", service, where)
                 for where in (lab.sensor.ip, lab.sensor.ip6)
                 for service in ("tcp/7", "tcp/9", "udp/7")]
        asked += [("sensor", "tcp/7", lab.camera.ip),
                  ("camera", "tcp/9", "192.168.50.1"),
                  ("camera", "tcp/7", "192.168.50.1")]
        tried(lab, asked)
        tap.ok(wait(lambda: all(d["interface"] for d in
                                lab.ctl_json("device", "list"))),
               "(all devices are seen)")
        no_lies(tap, lab, asked, "inside")
        answer = ask(lab, "camera", "tcp/7", "device:sensor")["answers"][0]
        tap.ok(answer["passes"] and "device:sensor" in answer["rule"],
               "the line that opens it is named", answer)
        answer = ask(lab, "camera", "tcp/9", "gateway")["answers"][0]
        tap.ok(answer["passes"] and "tcp/9 gateway" in answer["rule"],
               "to the gateway, too", answer)
        put(lab, text.replace("device:sensor", "zone:phones").replace(
            "tcp/9 gateway", "udp/7 zone:things").replace(
            "address =", "zone = phones\naddress =") + "\n[zone phones]\n")
        no_lies(tap, lab, asked, "in another zone than around it")
        answer = ask(lab, "camera", "tcp/7", "device:sensor")["answers"][0]
        tap.ok(answer["passes"] and "zone:phones" in answer["rule"],
               "the line to its zone is named", answer)
        put(lab, text.replace("address =", "# address ="))

        def found():
            lab.sensor.run("ping", "-c1", "-W1", "192.168.51.1", check=False)
            return lab.attempts([("camera", lab.sensor.ip, "tcp", 7)],
                                timeout=SOON) == ["yes"]
        wait(found, 20)
        answer = ask(lab, "camera", "tcp/7", "device:sensor")["answers"][0]
        tap.ok(answer["passes"] and "is found at" in answer["reason"] and
               "device:sensor" in answer["rule"],
               "without an address: where it is found", answer)
        put(lab, text.replace("address =", "# address =").replace(
            "device:sensor", "device:hub") +
            "\n[device hub]\nmac = 02:00:00:00:00:77\n")
        answer = ask(lab, "camera", "tcp/7", "device:hub")["answers"][0]
        tap.ok(not answer["passes"] and "nobody knows where" in
               answer["reason"] and "device:hub" in answer["rule"],
               "nowhere yet: that is said", answer)
        put(lab, text)
        answer = ask(lab, "camera", "udp/7", "device:sensor")["answers"][0]
        tap.ok("allow = udp/7 device:sensor" in answer["advice"],
               "and the one that would", answer)


def guests(tap):
    """Who needs no approval, is let in, or is blocked."""
    with Lab(devices=("camera",), second=("stranger",)) as lab:
        everywhere(lab, 7)
        lab.serve_tcp("gateway", 7)
        lab.dbus()
        base = lab.base_config("enforce", ["camera"]).replace(
            "interface = br0 br1\nrole = devices\n",
            "interface = br0\n[zone cafe]\n"
            "interface = br1\nCAFE\n")
        asked = [("stranger", service, where)
                 for where in (lab.cloud.ip, lab.owner.ip, "192.168.51.1",
                               lab.camera.ip)
                 for service in ("tcp/7", "udp/7", "icmp")]
        for lines in ("role = guest", "default = allow",
                      "default = allow\nallow = tcp/7 any",
                      "default = block"):
            put(lab, base.replace("CAFE", lines))
            wait(lambda: lab.ctl("status", check=False).returncode == 0)
            lab.attempts([("stranger", lab.cloud.ip, "tcp", 7)], timeout=SOON)
            wait(lambda: len(lab.ctl_json("device", "list")) == 2)
            no_lies(tap, lab, asked, lines)


def words(tap, lab, config):
    with open(config, encoding="utf-8") as file:
        lines = file.read().splitlines()
    done = lab.ctl("why", "camera", "tcp/7", lab.cloud.ip).stdout
    flat = "".join(done.split())
    tap.ok("ALLOWED" in done and "%s:%d:allow=tcp/7203.0.113.10" % (
        config, lines.index("allow = tcp/7 203.0.113.10") + 1) in flat,
        "the line is named with its place", done)
    done = lab.ctl("why", "sensor", "tcp/443", lab.cloud.ip).stdout
    tap.ok("DENIED" in done and "allow = tcp/443 203.0.113.10" in
           " ".join(done.split()), "so is the one that would allow it", done)
    answer = ask(lab, "camera", "udp/7", lab.owner.ip)["answers"][0]
    tap.ok("any" in answer["rule"] and lab.owner.ip in answer["advice"],
           "a line with any that is not meant so", answer)
    answer = ask(lab, "camera", "tcp/7", "device:sensor")["answers"][0]
    tap.ok(not answer["passes"] and "another device" in answer["reason"],
           "another device", answer)
    answer = ask(lab, "camera", "tcp/9", "gateway")["answers"][0]
    tap.ok(not answer["passes"] and "allow = tcp/9" in answer["advice"],
           "the gateway, that it may not", answer)
    answer = ask(lab, "camera", "udp/67", "gateway")["answers"][0]
    tap.ok(answer["passes"], "the gateway by name", answer)
    answer = ask(lab, "camera", "tcp/7", "10.255.0.1")["answers"][0]
    tap.ok("no way" in answer["reason"] or "route" in answer["reason"] or
           not answer["allowed"], "an address without a route", answer)
    whole = ask(lab, "camera", "tcp/7", "localhost")
    tap.ok(whole["resolved"] and whole["answers"], "a name is looked up",
           whole)
    for bad in (("camera", "tcp/0", lab.cloud.ip), ("camera", "gre",
                lab.cloud.ip), ("nobody", "tcp/7", lab.cloud.ip),
                ("camera", "tcp/7", "device:nobody")):
        tap.equal(lab.ctl("why", *bad, check=False).returncode, 1,
                  "%s is refused" % (bad,))
    tap.equal(lab.ctl("why", "camera", "tcp/7", check=False).returncode, 2,
              "three words, not two")


def tampered(tap, lab):
    """Somebody takes an element away while the question is on its way."""
    worker = lab.daemon.workers()["isolation"]
    said = []
    lab.gateway.run("kill", "-STOP", str(worker))
    lab.gateway.run("nft", "flush", "set", "inet", "gatehouse", "allow4")
    thread = threading.Thread(target=lambda: said.append(
        ask(lab, "camera", "tcp/7", lab.cloud.ip)["answers"][0]))
    thread.start()
    lab.gateway.run("kill", "-CONT", str(worker))
    thread.join()
    tap.ok(said and said[0]["kernel"] in ("agrees", "differs"),
           "it is asked, whichever came first", said)
    tap.ok(wait(lambda: ask(lab, "camera", "tcp/7", lab.cloud.ip)["answers"]
                [0].get("kernel") == "agrees"),
           "what was tampered with is restored, and the kernel agrees")


if __name__ == "__main__":
    run(answers, inside, guests)
