# SPDX-License-Identifier: GPL-2.0-or-later
"""Rules about a source tree. Each takes a Tree and lists what breaks it."""
import os
import re
import shutil
import subprocess

FOLDERS = ["agent", "modules", "etc", "packaging", "tests", ".ci"]
TOP = ["configure.ac", "Makefile.am", "autogen.sh", "README.md",
       "SECURITY.md", "HACKING.md", "NEWS"]
LINES_MAX = 700

# Files that hold no comment, or are data that a comment would change.
NO_COMMENTS = ("COPYING", "VERSION", "debian/changelog", "debian/copyright",
               "source/format")
NO_COMMENTS_ENDINGS = (".json", ".xml.in", ".expected", ".install", ".dirs",
                       ".docs", ".pem", ".png")
DATA = ("tests/unit/conf/", "tests/data/", "tests/fuzz/corpus/")

FORBIDDEN = re.compile(
    r"\b(strcpy|strcat|stpcpy|sprintf|vsprintf|atoi|atol|atoll|strtok"
    r"|alloca|system|popen|gets)\s*\(")
KEY = re.compile(  # the head and a body, also inside a string of C or Python
    r"-----BEGIN[A-Z ]* PRIVATE KEY-----(?:\\n|[\s\"'+,])*"
    r"[A-Za-z0-9+/=:\- ]{10}")
INCLUDE = re.compile(r'^\s*#\s*include\s+["<]([^">]+)[">]', re.M)
HEAD = re.compile(r"/\* SPDX[^\n]*\*/\n/\*|// SPDX[^\n]*\n/\*")


class Tree:
    """A folder and the names of its files; what was read is kept."""

    def __init__(self, root):
        self.root = root
        self.names = sorted(set(self.in_git() or self.in_folders()))
        self.kept = {}

    def in_git(self):
        """What is or could be committed; None when this is no checkout."""
        if not os.path.exists(os.path.join(self.root, ".git")):
            return None
        done = subprocess.run(
            ["git", "-C", self.root, "-c", "safe.directory=*", "ls-files",
             "-z", "--cached", "--others", "--exclude-standard"],
            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=False)
        names = done.stdout.decode("utf-8", "replace").split("\0")
        return [n for n in names
                if os.path.isfile(os.path.join(self.root, n))]

    def in_folders(self):
        for name in TOP:
            if os.path.exists(os.path.join(self.root, name)):
                yield name
        for folder in FOLDERS:
            for where, folders, names in os.walk(
                    os.path.join(self.root, folder)):
                folders[:] = [f for f in folders if f != "__pycache__"]
                for name in names:
                    yield os.path.relpath(os.path.join(where, name),
                                          self.root)

    def read(self, name):
        if name not in self.kept:
            with open(os.path.join(self.root, name), "rb") as file:
                self.kept[name] = file.read().decode("utf-8", "replace")
        return self.kept[name]

    def sources(self, tests=True):
        return [n for n in self.names if n.endswith((".c", ".h")) and
                (tests or not n.startswith("tests/"))]


def without_comments(text):
    """C without comments and the contents of strings; keeps the lines."""
    def blank(match):
        word = match.group(0)
        return '""' if word[0] == '"' else "\n" * word.count("\n")
    return re.sub(r'/\*.*?\*/|//[^\n]*|"(?:\\.|[^"\\\n])*"', blank, text,
                  flags=re.S)


def licences(tree):
    """every file names its licence"""
    return [n for n in tree.names if not n.startswith(DATA) and
            not n.endswith(NO_COMMENTS + NO_COMMENTS_ENDINGS) and
            "SPDX-License-Identifier: GPL-2.0-or-later"
            not in tree.read(n)[:500]]


def private_keys(tree):
    """no private key anywhere"""
    return [n for n in tree.names if KEY.search(tree.read(n))]


def forbidden_calls(tree):
    """no call that the style rules out"""
    return ["%s: %s()" % (name, word) for name in tree.sources()
            for word in FORBIDDEN.findall(without_comments(tree.read(name)))]


def may_include(name, path):
    """A module sees agent/lib and, of another module, its *_proto.h."""
    here, there = name.split("/"), path.split("/")
    if ".." in there:
        return False
    if len(there) == 1 or there[0] not in ("agent", "modules", "tests"):
        return True  # of the same folder, or not ours
    if here[0] == "modules":
        return there[:2] == ["agent", "lib"] or there[:2] == here[:2] or (
            there[0] == "modules" and path.endswith("_proto.h"))
    if here[:2] == ["agent", "lib"]:
        return there[:2] == ["agent", "lib"]
    return there[0] == "agent"


def directions(tree):
    """dependencies point one way"""
    return ["%s includes %s" % (name, path)
            for name in tree.sources(tests=False)
            for path in INCLUDE.findall(tree.read(name))
            if not may_include(name, path)]


def wolfssl(tree):
    """one file of a module knows wolfSSL, and nobody else does"""
    bad, found = [], {}
    for name in tree.sources(tests=False):
        if any(path.startswith("wolfssl/")
               for path in INCLUDE.findall(tree.read(name))):
            found.setdefault(os.path.dirname(name), []).append(name)
    for folder, names in found.items():
        if len(names) > 1 or not folder.startswith("modules/") or \
                names[0].endswith(".h"):
            bad += names
    return bad


def long_files(tree):
    """no file of over 700 lines"""
    return ["%s: %d lines" % (n, tree.read(n).count("\n"))
            for n in tree.names
            if n.endswith((".c", ".h", ".py")) and
            tree.read(n).count("\n") > LINES_MAX]


def heads(tree):
    """every source file says first what it does"""
    return [n for n in tree.sources(tests=False)
            if n.endswith(".c") and not HEAD.match(tree.read(n))]


def formatter():
    """clang-format 14, which the tree is formatted with, or None."""
    for name in ("clang-format-14", "clang-format"):
        path = shutil.which(name)
        if not path:
            continue
        said = subprocess.run([path, "--version"], stdout=subprocess.PIPE,
                              text=True, check=False).stdout
        if re.search(r"version 14\.", said):
            return path
    return None


def unformatted(tree):
    """clang-format finds nothing"""
    sources = tree.sources()
    if not sources:
        return []
    done = subprocess.run(
        [formatter(), "--dry-run", "-Werror"] + sources, cwd=tree.root,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        check=False)
    return sorted({line.split(":")[0] for line in done.stdout.splitlines()
                   if "error:" in line})


RULES = [licences, private_keys, forbidden_calls, directions, wolfssl,
         long_files, heads, unformatted]
