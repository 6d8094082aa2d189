#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Holds this tree to its rules (rules.py), after showing that each of them
finds what it is there for and leaves alone what only looks like it."""
import os
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
SRC = os.path.dirname(os.path.dirname(HERE))
sys.path.insert(0, HERE)
sys.path.insert(0, os.path.join(HERE, "..", "lab"))
import rules  # noqa: E402
from tap import Tap  # noqa: E402

SPDX = "// SPDX-License-Identifier: GPL-2.0-or-later\n"
HEAD = SPDX + "/* Does nothing. */\n"
BEGIN = "-----BEGIN %sPRIVATE" + " KEY-----"  # not to find itself
BODY = "MC4CAQAwBQYDK2VwBCIEIAAA"

# rule: ([what it must find], [what it must not]), each (name, text)
PLANTED = {
    rules.licences: (
        [("agent/a.c", "/* no licence */\n"),
         ("etc/x.conf", "# SPDX-License-Identifier: MIT\n"),
         ("tests/netns/test_x.py", "x" * 600 + SPDX)],
        [("agent/a.c", SPDX), ("tests/unit/conf/bad/1.conf", "x\n"),
         ("etc/x.json", "{}\n")]),
    rules.private_keys: (
        [("etc/key.pem", BEGIN % "" + "\n" + BODY + "\n"),
         ("tests/x.py", 'KEY = """' + BEGIN % "EC " + "\n" + BODY),
         ("agent/a.c", '"' + BEGIN % "RSA " + '\\n"\n"' + BODY + '"'),
         ("tests/fuzz/corpus/x/1", "\0" + BEGIN % "OPENSSH " + "\n" + BODY),
         ("etc/k", BEGIN % "ENCRYPTED " + "\r\n" + BODY)],
        [("agent/a.c", "/* looks for " + BEGIN % "" + " */\n"),
         ("etc/key.pem", "-----BEGIN PUBLIC KEY-----\n" + BODY)]),
    rules.forbidden_calls: (
        [("agent/a.c", "x = %s(y);\n" % call) for call in (
            "strcpy", "strcat", "sprintf", "vsprintf", "atoi", "atol",
            "strtok", "alloca", "system", "popen", "gets")] +
        [("tests/unit/a.c", "{strcpy (a, b);}"),
         ("modules/a/a.h", "/* a */ system(x) /* b */")],
        [("agent/a.c", "/* system(x) */ // gets(y)\n\"atoi(z)\" snprintf(a);"
          "vsnprintf(b); fgets(c); strtok_r(d); my_system(e); atoi;")]),
    rules.directions: (
        [("modules/a/a.c", '#include "modules/b/b.h"\n'),
         ("modules/a/a.c", '#include "agent/agent.h"\n'),
         ("modules/a/a.c", '#include "../b/b.h"\n'),
         ("modules/a/a.h", '# include <modules/b/b.h>\n'),
         ("modules/a/a.c", '#include "tests/lab/x.h"\n'),
         ("agent/lib/a.c", '#include "agent/agent.h"\n'),
         ("agent/lib/a.c", '#include "modules/b/b_proto.h"\n'),
         ("agent/a.c", '#include "modules/b/b_proto.h"\n')],
        [("modules/a/a.c", '#include "modules/b/b_proto.h"\n'
          '#include "modules/a/x.h"\n#include "agent/lib/log.h"\n'
          '#include <sys/types.h>\n'),
         ("agent/lib/a.c", '#include "agent/lib/conf.h"\n'),
         ("agent/a.c", '#include "agent/agent.h"\n'),
         ("tests/unit/a.c", '#include "modules/a/x.h"\n')]),
    rules.wolfssl: (
        [("agent/a.c", "#include <wolfssl/ssl.h>\n"),
         ("modules/a/tls.h", "#include <wolfssl/ssl.h>\n"),
         (("modules/a/tls.c", "modules/a/worker.c"),
          "#include <wolfssl/ssl.h>\n")],
        [("modules/a/tls.c", "#include <wolfssl/ssl.h>\n"),
         ("tests/unit/a.c", "#include <wolfssl/ssl.h>\n")]),
    rules.long_files: (
        [("agent/a.c", "\n" * (rules.LINES_MAX + 1)),
         ("tests/lab/a.py", "\n" * (rules.LINES_MAX + 1))],
        [("agent/a.c", "\n" * rules.LINES_MAX)]),
    rules.heads: (
        [("agent/a.c", SPDX + "#include <x.h>\n/* Late. */\n")],
        [("agent/a.c", HEAD), ("tests/unit/a.c", SPDX)]),
    rules.unformatted: (
        [("agent/a.c", HEAD + "int a ;\n"),
         ("agent/a.h", HEAD + "int a(\n  int b);\n")],
        [("agent/a.c", HEAD + "int a;\n")]),
}


def plant(files):
    """A tree with just these files; its findings come from the rule."""
    folder = tempfile.TemporaryDirectory()
    for names, text in files:
        for name in [names] if isinstance(names, str) else names:
            path = os.path.join(folder.name, name)
            os.makedirs(os.path.dirname(path), exist_ok=True)
            with open(path, "w", encoding="utf-8", newline="") as file:
                file.write(text)
    with open(os.path.join(SRC, ".clang-format"), encoding="ascii") as style:
        with open(os.path.join(folder.name, ".clang-format"), "w",
                  encoding="ascii") as file:
            file.write(style.read())
    return folder


def findings(rule, files):
    with plant(files) as folder:
        return rule(rules.Tree(folder))


def prove(tap, rule):
    bad, good = PLANTED[rule]
    missed = [item for item in bad if not findings(rule, [item])]
    tap.ok(not missed, "planted mistakes are found: " + rule.__doc__,
           "\n".join(map(repr, missed)))
    found = findings(rule, good)
    tap.ok(not found, "nothing else is: " + rule.__doc__, "\n".join(found))


def main():
    tree = rules.Tree(SRC)
    with Tap() as tap:
        tap.ok(len(tree.sources()) > 20, "the tree is found")
        for rule in rules.RULES:
            if rule is rules.unformatted and not rules.formatter():
                tap.skip(rule.__doc__, "clang-format 14 is not installed")
                continue
            prove(tap, rule)
            bad = rule(tree)
            tap.ok(not bad, rule.__doc__, "\n".join(bad))


if __name__ == "__main__":
    main()
