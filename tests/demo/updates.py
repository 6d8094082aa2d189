# SPDX-License-Identifier: GPL-2.0-or-later
"""The demo's updates: in a disposable root, with a systemd of its own."""


class Updates:
    def prepare(self):
        pass

    def show(self, stage):
        pass

    def close(self):
        pass
