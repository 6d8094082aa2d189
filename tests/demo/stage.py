# SPDX-License-Identifier: GPL-2.0-or-later
"""How the demo speaks: what is tried, what came of it, whether it is right."""
import sys
import textwrap
import time

WIDTH = 78


class Stage:
    def __init__(self, out=sys.stdout):
        self.out = out
        self.color = out.isatty()
        self.steps = 0
        self.wrong = []
        self.started = time.monotonic()
        self.title = ""

    def say(self, text=""):
        print(text, file=self.out, flush=True)

    def paint(self, code, text):
        return "\033[%sm%s\033[0m" % (code, text) if self.color else text

    def step(self, title):
        self.steps += 1
        self.title = title
        self.say()
        self.say(self.paint("1", "%2d. %s" % (self.steps, title)))

    def tell(self, label, text):
        """A labelled paragraph; long lines wrap, lines of output stay."""
        indent = " " * 12
        lines = []
        for line in str(text).rstrip("\n").splitlines() or [""]:
            lines += textwrap.wrap(line, WIDTH - 12) or [""]
        self.say("    %-7s %s" % (label, lines[0]))
        for line in lines[1:]:
            self.say(indent + line)

    def tried(self, text):
        self.tell("tried:", text)

    def came(self, text):
        self.tell("came:", text)

    def show(self, text):
        """Output of a command, as it is."""
        for line in text.rstrip("\n").splitlines():
            self.say("    | " + line)

    def verdict(self, good, what, why=""):
        """Closes one attempt."""
        if good:
            self.say("    %s %s" % (self.paint("32", "ok:    "), what))
            return True
        self.wrong.append("%d. %s: %s" % (
            self.steps, self.title, str(what).splitlines()[0]))
        self.say("    %s %s" % (
            self.paint("1;31", "NOT AS IT SHOULD BE:"), what))
        if why:
            self.show(str(why))
        return False

    def close(self):
        """The last words; the exit status."""
        seconds = time.monotonic() - self.started
        self.say()
        if self.wrong:
            self.say(self.paint("1;31", "%d thing%s NOT as it should be:" % (
                len(self.wrong), "" if len(self.wrong) == 1 else "s")))
            for line in self.wrong:
                self.say("    " + line)
        else:
            self.say(self.paint("1;32", "Everything is as it should be."))
        self.say("%d steps in %d seconds." % (self.steps, seconds))
        return 1 if self.wrong else 0
