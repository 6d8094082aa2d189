# SPDX-License-Identifier: GPL-2.0-or-later
"""Says what a test found, in TAP.

    with Tap() as tap:
        tap.ok(camera.reaches(cloud), "the camera reaches the cloud")
        tap.equal(got, expected, "what came back")
        tap.skip("Landlock", "this kernel has none")

An exception fails the running program, with its trace as a comment.
"""
import sys
import traceback


class Tap:
    def __init__(self):
        self.count = 0
        self.failed = 0

    def __enter__(self):
        return self

    def __exit__(self, kind, error, trace):
        if kind is not None and not issubclass(kind, SystemExit):
            self.ok(False, "runs to its end: %s" % error)
            self.note("".join(traceback.format_exception(kind, error, trace)))
        print("1..%d" % self.count, flush=True)
        if kind is None or not issubclass(kind, SystemExit):
            sys.exit(1 if self.failed else 0)

    def ok(self, good, what, note=""):
        """Records one result; the note is shown when it is bad."""
        self.count += 1
        what = str(what).replace("#", "").replace("\n", " ")
        print("%s %d - %s" % ("ok" if good else "not ok", self.count, what),
              flush=True)
        if not good:
            self.failed += 1
            if note:
                self.note(note)
        return bool(good)

    def equal(self, got, expected, what):
        return self.ok(got == expected, what,
                       "got      %r\nexpected %r" % (got, expected))

    def contains(self, text, part, what):
        return self.ok(part in text, what,
                       "looked for %r in:\n%s" % (part, text))

    def skip(self, what, why):
        self.count += 1
        print("ok %d - %s # SKIP %s" % (self.count, what, why), flush=True)

    def note(self, text):
        for line in str(text).splitlines():
            print("# " + line, flush=True)
