# SPDX-License-Identifier: GPL-2.0-or-later
"""What tests of the proxy share: a configuration, and servers under control.

    lab.config(upgrades(lab))
    server = TlsServer(lab, 8884, handle)   # handle(Tls) per connection
"""
import contextlib
import socket
import ssl
import threading

from net import LATER, family_of

UPGRADES = """
[upgrade mqtt]
protocol = mqtt
upstream-name = broker.example
[upgrade http]
protocol = http
[upgrade raw]
protocol = tcp
port = 1884
upstream-port = 8884
upstream-name = broker.example
[proxy]
authorities = %s
"""


def upgrades(lab, devices=("camera", "sensor"), more=None, extra="",
             log="debug"):
    """Devices that may reach the whole cloud on the upgraded ports."""
    lines = {name: "\n".join(
        "allow = tcp/%d %s" % (port, to)
        for port in (80, 1883, 1884)
        for to in ("203.0.113.0/24", "2001:db8:113::/64"))
             for name in devices}
    for name, line in (more or {}).items():
        lines[name] += "\n" + line
    text = lab.base_config(
        devices=devices, more=lines, extra=UPGRADES % lab.pki().ca + extra)
    return text.replace("[gateway]", "[gateway]\nlog-level = " + log, 1)


class Tls:
    """The server's end of a connection: either side may end first."""

    def __init__(self, sock, context):
        self.sock = sock
        self.into, self.out = ssl.MemoryBIO(), ssl.MemoryBIO()
        self.tls = context.wrap_bio(self.into, self.out, server_side=True)
        self.clean = False  # the client said that it ends
        while True:
            try:
                self.tls.do_handshake()
                break
            except ssl.SSLWantReadError:
                self.flush()
                self.fill()
        self.flush()

    def fill(self):
        data = self.sock.recv(65536)
        if data:
            self.into.write(data)
        else:
            self.into.write_eof()
        return bool(data)

    def flush(self):
        data = self.out.read()
        if data:
            self.sock.sendall(data)

    def read(self, size=65536):
        """b'' at the end; .clean tells whether it was a proper one."""
        while True:
            try:
                data = self.tls.read(size)
                if not data:
                    self.clean = True
                return data
            except ssl.SSLWantReadError:
                self.flush()
                self.fill()
            except ssl.SSLZeroReturnError:
                self.clean = True
                return b""
            except ssl.SSLError:
                return b""

    def read_all(self):
        return b"".join(iter(self.read, b""))

    def write(self, data):
        for at in range(0, len(data), 16384):
            self.tls.write(data[at:at + 16384])
            self.flush()

    def end(self):
        """close_notify and FIN; reading goes on."""
        with contextlib.suppress(ssl.SSLError):
            self.tls.unwrap()
        self.flush()
        self.sock.shutdown(socket.SHUT_WR)


class TlsServer:
    """Calls handle(Tls) for each connection, in a thread; keeps results."""

    def __init__(self, lab, port, handle, kind="good", index=0):
        self.handle = handle
        self.results = []
        self.done = threading.Condition()
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.load_cert_chain(*lab.pki().cert(kind))
        self.server = lab.serve_tcp(
            "cloud", port, lab.cloud_ip(index), self.accept)

    def accept(self, server):
        sock, peer = server.sock.accept()
        server.seen.append(peer)
        threading.Thread(target=self.live, args=(sock,), daemon=True).start()

    def live(self, sock):
        with sock:
            sock.settimeout(60)
            try:
                result = self.handle(Tls(sock, self.context))
            except OSError as error:
                result = error
        with self.done:
            self.results.append(result)
            self.done.notify_all()

    def result(self, number=0, timeout=30):
        """What the handler of that connection returned."""
        with self.done:
            self.done.wait_for(lambda: len(self.results) > number, timeout)
            return self.results[number] if len(
                self.results) > number else "nothing came"


class Recorder:
    """Stands before a server and keeps every byte sent towards it."""

    def __init__(self, lab, ip, port, to_port):
        self.lab, self.ip, self.to_port = lab, ip, to_port
        self.bytes = b""
        self.connections = 0
        self.server = lab.serve_tcp("cloud", port, ip, self.accept)

    def accept(self, server):
        client, _ = server.sock.accept()
        self.connections += 1
        there = self.lab.socket(
            "cloud", family_of(self.ip), socket.SOCK_STREAM)
        there.settimeout(LATER)
        try:
            there.connect((self.ip, self.to_port))
        except OSError:
            client.close()
            return
        for one, other, keep in ((client, there, True),
                                 (there, client, False)):
            threading.Thread(target=self.pump, args=(one, other, keep),
                             daemon=True).start()

    def pump(self, one, other, keep):
        with contextlib.suppress(OSError):
            one.settimeout(30)
            while True:
                data = one.recv(65536)
                if keep:
                    self.bytes += data
                if not data:
                    break
                other.sendall(data)
        for sock in (one, other):
            with contextlib.suppress(OSError):
                sock.shutdown(
                    socket.SHUT_RD if sock is one else socket.SHUT_WR)
