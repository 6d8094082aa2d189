#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Whoever cannot be verified is refused, each for a reason of its own, and
never sees a byte of what the device said. The same device works again when
the server does, and then its warning is gone."""
import os
import socket
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "lab"))
from daemon import wait  # noqa: E402
from lab import Lab  # noqa: E402
from tap import Tap  # noqa: E402
from upgrades import Recorder, upgrades  # noqa: E402

SECRET = b"the-secret-of-the-sensor"
# certificate: what the refusal says
KINDS = {
    "wrong-name": "its certificate is not for this name but for "
                  "other.example",
    "expired": "its certificate has expired",
    "not-yet-valid": "its certificate is not yet valid",
    "untrusted": "its certificate comes from an untrusted authority",
    "self-signed": "its certificate is self-signed",
}


def try_once(lab, ip, port=1883):
    """Dials in plaintext, says the secret; what came back."""
    try:
        with lab.tcp_connect("sensor", ip, port) as sock:
            sock.sendall(SECRET)
            return sock.recv(100)
    except ConnectionError:
        return "reset"
    except socket.timeout:
        return "nothing in time"


def expect(lab, tap, daemon, ip, reason, what, port=1883):
    before = len(daemon.log())
    came = try_once(lab, ip, port)
    tap.equal(came, "reset", "%s: the device sees a reset" % what)
    if not tap.ok(daemon.wait_log(reason, after=before),
                  "%s: said '%s'" % (what, reason)):
        tap.note(daemon.log()[before:])
    lines = [line for line in daemon.log()[before:].splitlines()
             if "refused" in line]
    tap.ok(len(lines) == 1 and "sensor: mqtt refused: broker.example (" +
           ip + " port 8883): " in lines[0],
           "%s: one line says who, what and where" % what, lines)


def certificates(lab, tap, daemon):
    recorders = {}
    for index, kind in enumerate(KINDS):
        for family in (4, 6):
            ip = lab.cloud_ip(index, family)
            recorders[ip] = Recorder(lab, ip, 8883, 9883)
    lab.mosquitto(port=9883, listeners={
        lab.cloud_ip(index, family): kind
        for index, kind in enumerate(KINDS) for family in (4, 6)})
    for index, (kind, reason) in enumerate(KINDS.items()):
        for family in (4, 6):
            ip = lab.cloud_ip(index, family)
            expect(lab, tap, daemon, ip, reason,
                   "%s, IPv%d" % (kind, family))
    for ip, recorder in recorders.items():
        tap.ok(recorder.connections == 1 and recorder.bytes[:1] == b"\x16",
               "the server at %s was spoken to in TLS" % ip,
               (recorder.connections, recorder.bytes[:40]))
        tap.ok(SECRET not in recorder.bytes, "and has not seen the secret")


def old_tls(lab, tap, daemon):
    """A server that speaks nothing newer than TLS 1.1."""
    ip = lab.cloud_ip(5)
    recorder = Recorder(lab, ip, 8883, 9884)
    cert, key = lab.pki().cert("good")
    service = lab.start(
        "cloud", ["openssl", "s_server", "-accept", ip + ":9884", "-cert",
                  cert, "-key", key, "-tls1_1", "-cipher",
                  "DEFAULT@SECLEVEL=0", "-quiet"], "tls11.log")
    lab.wait_listening("cloud", ip, 9884, service)
    check = lab.owner.run(
        "openssl", "s_client", "-connect", ip + ":9884", "-tls1_1",
        "-cipher", "DEFAULT@SECLEVEL=0", stdin="", check=False)
    tap.contains(check.stdout, "TLSv1.1", "TLS 1.1 works with who wants it")
    expect(lab, tap, daemon, ip, "it offers only TLS older than 1.2",
           "TLS 1.1")
    tap.ok(SECRET not in recorder.bytes, "it has not seen the secret")


def no_tls(lab, tap, daemon):
    def answer_plainly(server):
        sock, _ = server.sock.accept()
        with sock:
            sock.settimeout(5)
            seen.append(sock.recv(4096))
            sock.sendall(b"220 plain.example welcomes you\r\n")
            try:
                seen.append(sock.recv(4096))
            except OSError:
                pass

    seen = []
    ip = lab.cloud_ip(6)
    lab.serve_tcp("cloud", 8883, ip, answer_plainly)
    expect(lab, tap, daemon, ip, "it does not speak TLS", "plaintext server")
    tap.ok(SECRET not in b"".join(seen), "it has not seen the secret")
    expect(lab, tap, daemon, lab.cloud_ip(7), "connection refused",
           "nobody there")


def hosts(lab, tap, daemon):
    """HTTP: the Host header is the name, for every request."""
    lab.nginx()
    ip = lab.cloud_ip(0)

    def ask(*heads):
        """Sends heads one after another, each after the answer before."""
        answers = []
        with lab.tcp_connect("camera", ip, 80) as sock:
            for head in heads:
                try:
                    sock.sendall(head)
                    answers.append(sock.recv(4096).split(b"\r\n")[0])
                except ConnectionError:
                    answers.append("reset")
        return answers

    def get(host):
        return b"GET / HTTP/1.1\r\nHost: " + host + b"\r\n\r\n"

    ok = b"HTTP/1.1 200 OK"
    tap.equal(ask(get(b"www.example"), get(b"WWW.Example:80")), [ok, ok],
              "two requests for one host on one connection")
    tap.equal(ask(get(b"www.example"), get(b"cloud.example")), [ok, "reset"],
              "the second for another host: closed")
    tap.ok(daemon.wait_log("the request is for another host"),
           "and it is said why")
    for head, reason in (
            (get(b"evil.example"), "not for this name"),
            (get(b"203.0.113.10"), "names an address, not a host"),
            (b"GET / HTTP/1.1\r\n\r\n", "has no Host header"),
            (b"CONNECT www.example:443 HTTP/1.1\r\nHost: www.example\r\n\r\n",
             "asks for a tunnel")):
        before = len(daemon.log())
        tap.equal(ask(head), ["reset"], "refused: %r" % head[:40])
        tap.ok(daemon.wait_log(reason, after=before), "because it " + reason)


def warnings(lab, tap):
    """One warning for the sensor, and none after the broker is good."""
    def codes():
        found = lab.ctl_json("warnings")
        found = found.get("warnings", found) if isinstance(
            found, dict) else found
        return [str(w) for w in found if "tls.refused" in str(w) and
                "sensor" in str(w)]

    tap.equal(len(codes()), 1, "one warning about the sensor")
    lab.mosquitto(listeners={"203.0.113.53": "good"}, log="good.log")
    done = lab.sensor.run("mosquitto_pub", "-h", "203.0.113.53", "-t", "t",
                          "-m", "x", check=False)
    tap.equal(done.returncode, 0, "a good broker is reached")
    tap.ok(wait(lambda: not codes()), "and the warning is gone", codes())


def main():
    with Tap() as tap, Lab() as lab:
        lab.dbus()
        lab.config(upgrades(lab, log="info"))
        daemon = lab.gatehoused()
        certificates(lab, tap, daemon)
        old_tls(lab, tap, daemon)
        no_tls(lab, tap, daemon)
        hosts(lab, tap, daemon)
        daemon.wait_log("serving as")  # the bus comes when it comes
        warnings(lab, tap)
        tap.ok(daemon.workers().get("proxy"), "the proxy lives")
        if tap.failed:
            tap.note(daemon.log())


main()
