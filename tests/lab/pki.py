# SPDX-License-Identifier: GPL-2.0-or-later
"""Certificates made on the spot by openssl, good ones and bad ones.

    pki = Pki(folder)
    pki.ca            the authority to trust (a PEM file)
    pki.cert("good")  -> (certificate, key), files
"""
import os
import subprocess

NAMES = ["broker.example", "www.example", "cloud.example"]
NOW = ("20260101000000Z", "20360101000000Z")
PAST = ("20200101000000Z", "20210101000000Z")
FUTURE = ("20400101000000Z", "20410101000000Z")
KINDS = {
    # kind: (signed by, names, not before and not after)
    "good": ("ca", NAMES, NOW),
    "wrong-name": ("ca", ["other.example"], NOW),
    "expired": ("ca", NAMES, PAST),
    "not-yet-valid": ("ca", NAMES, FUTURE),
    "untrusted": ("other-ca", NAMES, NOW),
    "self-signed": (None, NAMES, NOW),
}
CONFIG = """
[ca]
default_ca = lab
[lab]
database = {dir}/index.txt
rand_serial = yes
new_certs_dir = {dir}
default_md = sha256
policy = any
x509_extensions = leaf
unique_subject = no
[any]
commonName = supplied
[req]
distinguished_name = name
prompt = no
[name]
commonName = {cn}
[leaf]
basicConstraints = critical,CA:FALSE
keyUsage = critical,digitalSignature
extendedKeyUsage = serverAuth
subjectAltName = {san}
[authority]
basicConstraints = critical,CA:TRUE
keyUsage = critical,keyCertSign,cRLSign
subjectKeyIdentifier = hash
"""


class Pki:
    def __init__(self, folder):
        self.dir = folder
        os.makedirs(folder, exist_ok=True)
        os.chmod(folder, 0o755)
        self.authority("ca")
        self.authority("other-ca")
        self.ca = self.file("ca.crt")
        for kind in KINDS:
            self.make(kind)

    def file(self, name):
        return os.path.join(self.dir, name)

    def cert(self, kind):
        return self.file(kind + ".crt"), self.file(kind + ".key")

    def openssl(self, *args):
        done = subprocess.run(
            ("openssl",) + args, stdin=subprocess.DEVNULL, check=False,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        if done.returncode:
            raise RuntimeError("openssl %s:\n%s" % (
                " ".join(args), done.stdout))

    def configure(self, name, common_name, names=("none.example",)):
        path = self.file(name + ".cnf")
        with open(path, "w", encoding="ascii") as file:
            file.write(CONFIG.format(
                dir=self.dir, cn=common_name,
                san=",".join("DNS:" + n for n in names)))
        open(self.file("index.txt"), "w", encoding="ascii").close()
        return path

    def request(self, name, config):
        self.openssl(
            "req", "-new", "-newkey", "ec", "-pkeyopt",
            "ec_paramgen_curve:prime256v1", "-nodes", "-config", config,
            "-keyout", self.file(name + ".key"),
            "-out", self.file(name + ".csr"))

    def sign(self, name, config, issuer, times, extensions):
        own = issuer is None
        key = self.file((name if own else issuer) + ".key")
        who = ["-selfsign"] if own else ["-cert", self.file(issuer + ".crt")]
        self.openssl(
            "ca", "-batch", "-notext", "-config", config, "-keyfile", key,
            *who, "-startdate", times[0], "-enddate", times[1],
            "-extensions", extensions, "-in", self.file(name + ".csr"),
            "-out", self.file(name + ".crt"))

    def authority(self, name):
        config = self.configure(name, "gatehouse lab " + name)
        self.request(name, config)
        self.sign(name, config, None, NOW, "authority")

    def make(self, kind):
        issuer, names, times = KINDS[kind]
        config = self.configure(kind, names[0], names)
        self.request(kind, config)
        self.sign(kind, config, issuer, times, "leaf")
