# SPDX-License-Identifier: GPL-2.0-or-later
"""A TLS server for bench_tls: tls_backend.py ADDRESS CERTIFICATE KEY PORT
TICKETS [PORT TICKETS...]. A connection says first what it wants: "down N",
"up N" (answered by "ok") or "idle"."""
import socket
import ssl
import sys
import threading

BLOCK = bytes(1 << 18)


def down(tls, size):
    while size:
        size -= tls.send(BLOCK[:size])


def up(tls, size):
    buffer = bytearray(1 << 16)
    while size > 0:
        n = tls.recv_into(buffer)
        if not n:
            return
        size -= n
    tls.sendall(b"ok\n")


def idle(tls, _):
    tls.sendall(b"ok\n")
    tls.recv(1)


def live(sock, context):
    try:
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        with context.wrap_socket(sock, server_side=True) as tls:
            words = b""
            while not words.endswith(b"\n"):
                more = tls.recv(1)
                if not more:
                    return
                words += more
            word, size = words.split()
            {b"down": down, b"up": up, b"idle": idle}[word](tls, int(size))
            tls.unwrap()
    except OSError:
        pass


def listen(address, certificate, key, port, tickets):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    context.num_tickets = tickets
    if not tickets:
        context.options |= ssl.OP_NO_TICKET
    with socket.create_server((address, port), backlog=512) as server:
        while True:
            sock, _ = server.accept()
            threading.Thread(target=live, args=(sock, context),
                             daemon=True).start()


def main():
    address, certificate, key, *ports = sys.argv[1:]
    threading.stack_size(256 << 10)
    threads = [threading.Thread(target=listen, args=(
        address, certificate, key, int(port), int(tickets)))
               for port, tickets in zip(ports[::2], ports[1::2])]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


main()
