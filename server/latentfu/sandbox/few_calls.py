"""A process that can start no program, open no connection and touch no other process (seccomp).

Linux only, by the system's libseccomp, which knows the numbers of the calls on each processor;
systems without it go on as before. What is forbidden fails with EPERM, for good: no program that
could be started would have it back.
"""

from __future__ import annotations

import ctypes
import errno
import sys
from collections.abc import Sequence

_ALLOW, _REFUSE = 0x7FFF0000, 0x00050000 | errno.EPERM
_UNKNOWN = -1
FORBIDDEN: Sequence[str] = (
    # other programs and processes
    "execve", "execveat", "fork", "vfork", "clone", "clone3", "kill", "tkill", "ptrace",
    "process_vm_readv", "process_vm_writev", "pidfd_open", "pidfd_getfd", "pidfd_send_signal",
    # the network, and other programs on this machine
    "socket", "socketpair", "connect", "bind", "listen", "accept", "accept4", "sendto", "sendmsg",
    "sendmmsg", "io_uring_setup",
    # the system itself
    "mount", "umount2", "pivot_root", "chroot", "unshare", "setns", "open_by_handle_at",
    "init_module", "finit_module", "delete_module", "kexec_load", "kexec_file_load", "bpf",
    "perf_event_open", "userfaultfd", "keyctl", "add_key", "request_key", "reboot", "swapon",
    "swapoff", "settimeofday", "clock_settime", "clock_adjtime", "adjtimex", "personality",
    "setuid", "setgid", "setreuid", "setregid", "setresuid", "setresgid", "setgroups",
)  # fmt: skip
"""What a reader of files never needs once it has started."""


def forbid_calls(names: Sequence[str] = FORBIDDEN) -> bool:
    """Forbid this process those system calls from now on; whether the system can.

    Args:
        names: of Linux's system calls; those that a processor does not have are left out.
    """
    library = _load()
    if library is None:
        return False
    rules = library.seccomp_init(_ALLOW)
    if not rules:
        return False
    try:
        for name in names:
            number = library.seccomp_syscall_resolve_name(name.encode("ascii"))
            if number == _UNKNOWN:
                continue
            if library.seccomp_rule_add(rules, _REFUSE, number, 0) < 0:
                return False
        return int(library.seccomp_load(rules)) == 0
    finally:
        library.seccomp_release(rules)


def _load() -> ctypes.CDLL | None:
    if sys.platform != "linux":
        return None
    try:
        library = ctypes.CDLL("libseccomp.so.2")
    except OSError:
        return None
    library.seccomp_init.restype = ctypes.c_void_p
    library.seccomp_init.argtypes = [ctypes.c_uint32]
    library.seccomp_rule_add.argtypes = [
        ctypes.c_void_p, ctypes.c_uint32, ctypes.c_int, ctypes.c_uint,
    ]  # fmt: skip
    library.seccomp_load.argtypes = [ctypes.c_void_p]
    library.seccomp_release.argtypes = [ctypes.c_void_p]
    return library
