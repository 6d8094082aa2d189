# SPDX-License-Identifier: GPL-2.0-or-later
"""Real servers for the lab: mosquitto, nginx, dbus-daemon."""
import os
import socket
import subprocess
import time

from buspolicy import BUS, SYSTEM
from net import entered, family_of
from pki import Pki

SITE = """
  server {{
    listen {listen}{tls};
    server_name _;
    {certificate}
    location / {{
      default_type text/plain;
      return 200 "{text}\\n";
    }}
  }}
"""
OPEN_POLICY = """
  <policy context="default">
    <allow user="*"/>
    <allow own="*"/>
    <allow send_destination="*" eavesdrop="true"/>
    <allow eavesdrop="true"/>
  </policy>
"""
SHIPPED_POLICY = SYSTEM + "  <include>{policy}</include>\n"


class Service:
    """A server of its own process with a log."""

    def __init__(self, process, log_path):
        self.process = process
        self.log_path = log_path

    def log(self):
        with open(self.log_path, encoding="utf-8", errors="replace") as file:
            return file.read()

    def wait_log(self, text, timeout=10):
        end = time.monotonic() + timeout
        while time.monotonic() < end:
            if text in self.log():
                return True
            time.sleep(0.02)
        return False

    def stop(self):
        if self.process.poll() is None:
            self.process.terminate()
        self.process.wait()


class ServicesPart:
    def __init__(self):
        self.pki_made = None
        self.bus_address = None
        self.bus_path = None
        self.bus = None

    def pki(self):
        if self.pki_made is None:
            self.pki_made = Pki(os.path.join(self.dir, "pki"))
        return self.pki_made

    def start(self, name, args, log, env=None):
        log_path = self.path(log)
        with open(log_path, "wb") as file:
            process = self.nodes[name].popen(
                *args, stdout=file, stderr=subprocess.STDOUT, env=env)
        return Service(process, log_path)

    def wait_listening(self, name, ip, port, service, timeout=15):
        end = time.monotonic() + timeout
        while time.monotonic() < end and service.process.poll() is None:
            with entered(self.nodes[name].netns):
                sock = socket.socket(family_of(ip), socket.SOCK_STREAM)
            with sock:
                if sock.connect_ex((ip, port)) == 0:
                    return
            time.sleep(0.02)
        raise RuntimeError("%s:%d never listened:\n%s" % (
            ip, port, service.log()))

    def mosquitto(self, name="cloud", listeners=None, port=8883,
                  log="mosquitto.log", extra=""):
        """
        A TLS-only broker. listeners: {address: kind of certificate};
        the default is the good one on the cloud's first address.
        """
        listeners = listeners or self.both_families(0, "good")
        lines = ["persistence false", "user root", "log_type all",
                 "log_dest stderr", "allow_anonymous true",
                 "per_listener_settings false"]
        for ip, kind in listeners.items():
            cert, key = self.pki().cert(kind)
            lines += ["listener %d %s" % (port, ip),
                      "certfile " + cert, "keyfile " + key]
        config = self.path(log + ".conf")
        with open(config, "w", encoding="ascii") as file:
            file.write("\n".join(lines) + "\n" + extra)
        service = self.start(name, ["mosquitto", "-c", config], log)
        for ip in listeners:
            self.wait_listening(name, ip, port, service)
        return service

    def nginx(self, name="cloud", listeners=None, port=443,
              text="hello from the cloud", log="nginx.log",
              protocols="TLSv1.2 TLSv1.3", tls=True):
        """An HTTPS-only web server; listeners as for mosquitto()."""
        listeners = listeners or self.both_families(0, "good")
        sites = ""
        for ip, kind in listeners.items():
            listen = "[%s]:%d" % (ip, port) if ":" in ip else "%s:%d" % (
                ip, port)
            sites += SITE.format(
                listen=listen, tls=" ssl" if tls else "", text=text,
                certificate="ssl_certificate %s; ssl_certificate_key %s;" % (
                    self.pki().cert(kind)) if tls else "")
        ciphers = "ssl_ciphers ALL:@SECLEVEL=0;" if "1.1" in protocols else ""
        folder = os.path.dirname(self.path("nginx-" + log, "x"))
        config = self.path(log + ".conf")
        with open(config, "w", encoding="ascii") as file:
            file.write(
                "user root; worker_processes 1; daemon off;\n"
                "pid {0}/pid; error_log stderr info;\n"
                "events {{ worker_connections 512; }}\n"
                "http {{ access_log {0}/access.log;\n"
                "  client_body_temp_path {0}/1; proxy_temp_path {0}/2;\n"
                "  fastcgi_temp_path {0}/3; uwsgi_temp_path {0}/4;\n"
                "  scgi_temp_path {0}/5; ssl_protocols {1}; {2}\n"
                "{3}}}\n".format(folder, protocols, ciphers, sites))
        service = self.start(
            name, ["nginx", "-p", folder, "-c", config, "-e", "stderr"], log)
        service.access_path = os.path.join(folder, "access.log")
        for ip in listeners:
            self.wait_listening(name, ip, port, service)
        return service

    def both_families(self, index, kind):
        """{address: kind} of one of the cloud's addresses, v4 and v6."""
        listeners = {self.cloud_ip(index): kind}
        if self.ipv6:
            listeners[self.cloud_ip(index, 6)] = kind
        return listeners

    def dbus(self, shipped_policy=False):
        """A bus of our own, with an open policy or the one we ship."""
        policy = OPEN_POLICY
        if shipped_policy:
            path = os.path.join(
                self.stage, "usr/share/dbus-1/system.d/org.gatehouse1.conf")
            policy = SHIPPED_POLICY.format(policy=path)
        self.bus_path = self.path("bus")
        self.bus_address = "unix:path=" + self.bus_path
        config = self.path("bus.conf")
        with open(config, "w", encoding="ascii") as file:
            file.write(BUS.format(socket=self.bus_path, policy=policy))
        log_path = self.path("bus.log")
        with open(log_path, "wb") as log:
            process = self.track(subprocess.Popen(
                self.with_users() + [
                    "dbus-daemon", "--config-file=" + config, "--nofork",
                    "--nopidfile", "--nosyslog"],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log))
        self.bus = Service(process, log_path)
        end = time.monotonic() + 10
        while not os.path.exists(self.bus_path):
            if process.poll() is not None or time.monotonic() > end:
                raise RuntimeError("no bus:\n" + self.bus.log())
            time.sleep(0.01)
        return self.bus

    def with_users(self):
        """
        A command's prefix: it sees the workers' users and groups by name, as
        if the package were installed. The bus lets nobody in whom it cannot
        look up.
        """
        names = ["gatehouse"] + ["gatehouse-" + n
                                 for n in self.workers_built()]
        binds = ""
        for file, line in (("passwd", "%s:x:%d:%d::/nonexistent:/bin/false"),
                           ("group", "%s:x:%d:")):
            path = self.path("etc-" + file)
            with open("/etc/" + file, encoding="utf-8") as old:
                lines = [x for x in old if not x.startswith("gatehouse")]
            for number, name in enumerate(names):
                ids = (self.uid_base() + number,) * line.count("%d")
                lines.append(line % ((name,) + ids) + "\n")
            with open(path, "w", encoding="utf-8") as new:
                new.writelines(lines)
            binds += "mount --bind %s /etc/%s && " % (path, file)
        return ["unshare", "--mount", "--propagation", "private", "sh", "-c",
                binds + 'exec "$@"', "sh"]
