# SPDX-License-Identifier: GPL-2.0-or-later
"""Just enough D-Bus to call in bulk, listen, and call wrongly."""
import array
import os
import select
import socket
import struct
import time

CALL, RETURN, ERROR, SIGNAL = 1, 2, 3, 4
NO_REPLY = 1
ALIGN = {"y": 1, "g": 1, "v": 1, "n": 2, "q": 2, "b": 4, "i": 4, "u": 4,
         "h": 4, "s": 4, "o": 4, "a": 4, "x": 8, "t": 8, "d": 8, "(": 8,
         "{": 8}
FIXED = {"y": "B", "n": "h", "q": "H", "b": "I", "i": "i", "u": "I",
         "h": "I", "x": "q", "t": "Q", "d": "d"}
SERVICE = "org.freedesktop.DBus"


def one(signature):
    """Length of the first complete type."""
    if signature[0] == "a":
        return 1 + one(signature[1:])
    if signature[0] in "({":
        depth = 0
        for i, c in enumerate(signature):
            depth += (c in "({") - (c in ")}")
            if depth == 0:
                return i + 1
    return 1


def types(signature):
    while signature:
        n = one(signature)
        yield signature[:n]
        signature = signature[n:]


class Writer:
    def __init__(self):
        self.data = bytearray()

    def align(self, n):
        self.data += b"\0" * (-len(self.data) % n)

    def put(self, kind, value):
        self.align(ALIGN[kind[0]])
        if kind in FIXED:
            self.data += struct.pack("<" + FIXED[kind], value)
        elif kind in "so":
            raw = value.encode()
            self.data += struct.pack("<I", len(raw)) + raw + b"\0"
        elif kind == "g":
            raw = value.encode()
            self.data += bytes([len(raw)]) + raw + b"\0"
        elif kind == "v":
            self.put("g", value[0])
            self.put(*value)
        else:
            raise ValueError(kind)


class Reader:
    def __init__(self, data):
        self.data = data
        self.at = 0

    def align(self, n):
        self.at += -self.at % n

    def take(self, n):
        self.at += n
        return self.data[self.at - n:self.at]

    def get(self, kind):
        self.align(ALIGN[kind[0]])
        if kind in FIXED:
            code = "<" + FIXED[kind]
            value = struct.unpack(code, self.take(struct.calcsize(code)))[0]
            return bool(value) if kind == "b" else value
        if kind in ("s", "o"):
            value = self.take(self.get("u")).decode()
            self.at += 1
            return value
        if kind == "g":
            value = self.take(self.get("y")).decode()
            self.at += 1
            return value
        if kind == "v":
            return self.get(self.get("g"))
        if kind[0] == "a":
            return self.get_array(kind[1:])
        return tuple(self.get(t) for t in types(kind[1:-1]))

    def get_array(self, kind):
        length = self.get("u")
        self.align(ALIGN[kind[0]])
        end = self.at + length
        values = []
        while self.at < end:
            values.append(self.get(kind))
        return dict(values) if kind[0] == "{" else values


class Message:
    def __init__(self, kind, serial, fields, body):
        self.kind = kind
        self.serial = serial
        self.path = fields.get(1)
        self.interface = fields.get(2)
        self.member = fields.get(3)
        self.error = fields.get(4)
        self.reply_to = fields.get(5)
        self.sender = fields.get(7)
        self.signature = fields.get(8, "")
        reader = Reader(body)
        self.body = [reader.get(t) for t in types(self.signature)]


class RawBus:
    """A connection as some user."""

    def __init__(self, path, uid=0, groups=()):
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.serial = 0
        self.data = b""
        self.signals = []
        self.calls = []
        self.replies = {}
        self.connect(path, uid, groups)
        self.socket.sendall(b"\0AUTH EXTERNAL %s\r\n" %
                            str(uid).encode().hex().encode())
        self.expect(b"OK")
        self.socket.sendall(b"NEGOTIATE_UNIX_FD\r\n")
        self.expect(b"AGREE_UNIX_FD")
        self.socket.sendall(b"BEGIN\r\n")
        self.name = self.call(SERVICE, "/org/freedesktop/DBus", SERVICE,
                              "Hello").body[0]

    def connect(self, path, uid, groups):
        """The bus sees who calls connect()."""
        own = os.getgroups()
        os.setgroups(list(groups))
        os.setegid(uid)
        os.seteuid(uid)
        try:
            self.socket.connect(path)
        finally:
            os.seteuid(0)
            os.setegid(0)
            os.setgroups(own)

    def __enter__(self):
        return self

    def __exit__(self, kind, error, trace):
        self.socket.close()

    def expect(self, word):
        line = b""
        while not line.endswith(b"\r\n"):
            byte = self.socket.recv(1)
            if not byte:
                raise RuntimeError("the bus hung up")
            line += byte
        if not line.startswith(word):
            raise RuntimeError("the bus says %r" % line)

    def build(self, destination, path, interface, member, signature="",
              arguments=(), flags=0, fds=(), message=CALL):
        self.serial += 1
        body = Writer()
        for kind, value in zip(types(signature), arguments):
            body.put(kind, value)
        fields = [(1, "o", path), (3, "s", member)]
        if destination:
            fields.append((6, "s", destination))
        if interface:
            fields.append((2, "s", interface))
        if signature:
            fields.append((8, "g", signature))
        if fds:
            fields.append((9, "u", len(fds)))
        head = Writer()
        for number, kind, value in fields:
            head.align(8)
            head.put("y", number)
            head.put("v", (kind, value))
        start = struct.pack("<BBBBIII", ord("l"), message, flags, 1,
                            len(body.data), self.serial, len(head.data))
        data = start + bytes(head.data)
        data += b"\0" * (-len(data) % 8)
        return data + bytes(body.data), self.serial

    def send(self, *words, fds=(), **options):
        """Sends without waiting; returns the serial."""
        data, serial = self.build(*words, fds=fds, **options)
        if fds:
            self.socket.sendmsg([data], [(
                socket.SOL_SOCKET, socket.SCM_RIGHTS,
                array.array("i", fds))])
        else:
            self.socket.sendall(data)
        return serial

    def call(self, *words, timeout=20, **options):
        """The reply or error; None after the time-out."""
        return self.wait_reply(self.send(*words, **options), timeout)

    def wait_reply(self, serial, timeout=20):
        end = time.monotonic() + timeout
        while serial not in self.replies:
            if not self.read(end - time.monotonic()):
                return None
        return self.replies.pop(serial)

    def read(self, timeout):
        """Reads what there is; False after the time-out."""
        if not select.select([self.socket], [], [], max(timeout, 0))[0]:
            return False
        chunk = self.socket.recv(1 << 20)
        if not chunk:
            raise RuntimeError("the bus hung up")
        self.data += chunk
        while self.parse():
            pass
        return True

    def parse(self):
        if len(self.data) < 16:
            return False
        body, serial, head = struct.unpack("<III", self.data[4:16])
        start = 16 + head + (-head % 8)
        if len(self.data) < start + body:
            return False
        reader = Reader(self.data[:start])
        reader.at = 12
        fields = dict(reader.get("a(yv)"))
        message = Message(self.data[1], serial, fields,
                          self.data[start:start + body])
        self.data = self.data[start + body:]
        if message.kind == SIGNAL:
            self.signals.append(message)
        elif message.kind == CALL:
            self.calls.append(message)
        elif message.kind in (RETURN, ERROR):
            self.replies[message.reply_to] = message
        return True

    def answer(self, message, signature="", arguments=()):
        """Answers a call that was read."""
        self.serial += 1
        body, head = Writer(), Writer()
        for kind, value in zip(types(signature), arguments):
            body.put(kind, value)
        fields = [(5, "u", message.serial), (6, "s", message.sender)]
        if signature:
            fields.append((8, "g", signature))
        for number, kind, value in fields:
            head.align(8)
            head.put("y", number)
            head.put("v", (kind, value))
        data = struct.pack("<BBBBIII", ord("l"), RETURN, 0, 1,
                           len(body.data), self.serial, len(head.data))
        data += bytes(head.data)
        data += b"\0" * (-len(data) % 8)
        self.socket.sendall(data + bytes(body.data))

    def emit(self, path, interface, member, **options):
        """A signal to everybody, or to a destination only."""
        destination = options.pop("destination", None)
        return self.send(destination, path, interface, member,
                         message=SIGNAL, flags=NO_REPLY, **options)

    def listen(self, rule):
        return self.call(SERVICE, "/org/freedesktop/DBus", SERVICE,
                         "AddMatch", signature="s", arguments=[rule])

    def wait_signal(self, member, timeout=10, where=lambda m: True):
        """The first signal of that name; it stays in the list."""
        end = time.monotonic() + timeout
        while True:
            for message in self.signals:
                if message.member == member and where(message):
                    return message
            if not self.read(end - time.monotonic()):
                return None
