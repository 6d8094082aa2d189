#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Interprets every worker's system call filter, for every architecture, with
the numbers of that architecture's own kernel headers."""
import os
import re
import struct
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "lab"))
from tap import Tap

KILL_PROCESS, TRAP, ALLOW = 0x80000000, 0x00030000, 0x7fff0000
ERRNO_EACCES = 0x00050000 | 13
PROT_EXEC = 4

# name: (AUDIT_ARCH, big endian, header folder, gcc flags)
ARCHES = {
    "x86_64": (0xc000003e, False, "x86_64-linux-gnu", []),
    "arm": (0x40000028, False, "arm-linux-gnueabihf", ["-D__ARM_EABI__"]),
    "aarch64": (0xc00000b7, False, "aarch64-linux-gnu", []),
    "mips": (0x00000008, True, "mips-linux-gnu", ["-D_MIPS_SIM=1"]),
    "mipsel": (0x40000008, False, "mips-linux-gnu", ["-D_MIPS_SIM=1"]),
    "riscv64": (0xc00000f3, False, "riscv64-linux-gnu",
                ["-D__riscv_xlen=64", "-D__LP64__"]),
}

# Never, whatever a worker thinks that it needs.
FORBIDDEN = """execve execveat fork vfork clone clone3 ptrace process_vm_readv
process_vm_writev mount umount umount2 move_mount fsopen open_tree pivot_root
chroot unshare setns setuid setuid32 setresuid setresuid32 setgid setgroups
capset bpf perf_event_open keyctl add_key request_key userfaultfd
io_uring_setup io_uring_enter io_uring_register init_module finit_module
delete_module kexec_load kexec_file_load open_by_handle_at name_to_handle_at
reboot swapon iopl ioperm modify_ldt memfd_create kill tkill pidfd_getfd
personality seccomp""".split()

# The same call under other names: who has one needs all of them.
FAMILIES = [line.split() for line in """
clock_gettime clock_gettime64
epoll_wait epoll_pwait
mmap mmap2
fstat fstat64 newfstatat fstatat64
lseek _llseek
futex futex_time64
rt_sigreturn sigreturn
fcntl fcntl64
accept accept4
send sendto
recv recvfrom
recvmmsg recvmmsg_time64
poll ppoll ppoll_time64
select _newselect pselect6 pselect6_time64
clock_nanosleep clock_nanosleep_time64
""".strip().splitlines()]


def numbers(arch):
    """{name: number} from the architecture's kernel headers, or None."""
    _, _, folder, flags = ARCHES[arch]
    places = ["/usr/%s/include" % folder,
              "/usr/include/%s" % folder if arch == "x86_64" else ""]
    place = next((p for p in places if os.path.exists(p + "/asm/unistd.h")),
                 None)
    if not place:
        return None
    undef = [] if arch == "x86_64" else ["-U__x86_64__", "-U__LP64__"]
    text = subprocess.run(
        ["gcc", "-E", "-dM", "-nostdinc"] + undef + flags +
        ["-I", place, "-I", "/usr/include", "-"],
        input="#include <asm/unistd.h>\n", capture_output=True, text=True,
        check=True).stdout
    raw = dict(re.findall(r"#define (__NR\w+) (.+)", text))

    def value(word):
        word = word.strip("() ")
        if "+" in word:
            return sum(value(part) for part in word.split("+"))
        if word.startswith("__NR"):
            return value(raw[word])
        return int(word, 0)
    return {name[5:]: value(word) for name, word in raw.items()
            if name.startswith("__NR_") and not re.match(
                r"__NR_(Linux|syscalls|SYSCALL|OABI|arch_specific|"
                r"N32|64_Linux|O32)", name)}


class Filter:
    def __init__(self, code, big):
        self.big = big
        # libseccomp exports in the byte order of the filter's machine.
        self.steps = list(struct.iter_unpack(
            ">HBBI" if big else "<HBBI", code))

    def run(self, arch, number, args=(0,) * 6):
        order = ">" if self.big else "<"
        data = struct.pack(order + "iIQ6Q", number, arch, 0, *args)
        a = x = at = 0
        mem = [0] * 16
        while True:
            code, jt, jf, k = self.steps[at]
            at += 1
            if code == 0x20:
                a = struct.unpack_from(order + "I", data, k)[0]
            elif code == 0x00:
                a = k
            elif code == 0x06:
                return k
            elif code == 0x05:
                at += k
            elif code == 0x15:
                at += jt if a == k else jf
            elif code == 0x25:
                at += jt if a > k else jf
            elif code == 0x35:
                at += jt if a >= k else jf
            elif code == 0x45:
                at += jt if a & k else jf
            elif code == 0x54:
                a &= k
            elif code == 0x02:
                mem[k] = a
            elif code == 0x60:
                a = mem[k]
            elif code == 0x07:
                x = a
            elif code == 0x87:
                a = x
            else:
                raise ValueError("BPF code %#x" % code)


def worker_says(path, *args):
    return subprocess.run([path, "--sandbox", *args], capture_output=True,
                          check=True).stdout


def judge(tap, name, path, arch, known):
    audit, big, _, _ = ARCHES[arch]
    lines = [l.split() for l in worker_says(path).decode().splitlines()]
    allowed = {n for verb, n in lines if verb == "allow"}
    refused = {n for verb, n in lines if verb == "refuse"} - allowed
    seen = Filter(worker_says(path, arch), big)
    wrong = []
    for call, number in known.items():
        got = seen.run(audit, number)
        want = ALLOW if call in allowed else (
            ERRNO_EACCES if call in refused else TRAP)
        if got != want:
            wrong.append("%s (%d): %#x" % (call, number, got))
    tap.ok(not wrong, "%s on %s: each call as listed" % (name, arch),
           "\n".join(wrong))
    taken = set(known.values())
    base = 4000 if arch.startswith("mips") else 0
    loose = [n for n in range(base, base + 1200) if n not in taken and
             seen.run(audit, n) == ALLOW]
    tap.ok(not loose, "%s on %s: no other number passes" % (name, arch),
           str(loose))
    foreign = [a for a, row in ARCHES.items() if row[0] != audit and
               seen.run(row[0], known["read"]) != KILL_PROCESS]
    tap.ok(not foreign, "%s on %s: other architectures are killed" %
           (name, arch), str(foreign))
    for call in ("mmap", "mmap2", "mprotect"):
        if call in known:
            got = seen.run(audit, known[call], (0, 0, PROT_EXEC, 0, 0, 0))
            tap.ok(got == TRAP, "%s on %s: %s of executable memory is trapped"
                   % (name, arch, call), hex(got))
    part = [f for f in FAMILIES
            if 0 < len([c for c in f if c in allowed and c in known]) <
            len([c for c in f if c in known])]
    tap.ok(not part, "%s on %s: every variant of a call, or none" %
           (name, arch), str(part))


def main():
    stage = os.environ["GATEHOUSE_STAGE"]
    folder = os.path.join(stage, "usr/libexec/gatehouse")
    workers = sorted(n for n in os.listdir(folder)
                     if n != "gatehouse-install")
    with Tap() as tap:
        tap.ok(workers, "there are workers")
        for name in workers:
            path = os.path.join(folder, name)
            bad = {n.split()[1] for n in worker_says(path).decode().splitlines()
                   if n.startswith("allow")} & set(FORBIDDEN)
            tap.ok(not bad, "%s may do nothing that is forbidden to all" % name,
                   str(bad))
        for arch in ARCHES:
            known = numbers(arch)
            if not known:
                tap.skip("filters on " + arch, "its kernel headers "
                         "(linux-libc-dev-*-cross) are not installed")
                continue
            for name in workers:
                judge(tap, name, os.path.join(folder, name), arch, known)


main()
