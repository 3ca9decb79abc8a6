"""Processes that can do less than others, for good: by the system's filter of calls (seccomp).

Linux only, by the system's libseccomp, which knows the numbers of the calls on each processor;
systems without it go on as before. What is forbidden fails with EPERM or EACCES, and no program
that is started has it back.
"""

from __future__ import annotations

import ctypes
import errno
import sys
from collections.abc import Callable, Sequence

_ALLOW, _REFUSE = 0x7FFF0000, 0x00050000 | errno.EPERM
_DENY = 0x00050000 | errno.EACCES
_UNKNOWN = -1
_EQUAL, _GREATER = 4, 6
_AF_NETLINK = 16
_OTHER_FAMILIES = range(2, _AF_NETLINK)
"""Families of sockets by which a process leaves its machine: 2 is IPv4, 10 is IPv6."""
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


class _Comparison(ctypes.Structure):
    """``struct scmp_arg_cmp``: which argument of a call, compared how, with what."""

    _fields_ = (
        ("argument", ctypes.c_uint),
        ("operator", ctypes.c_int),
        ("value", ctypes.c_uint64),
        ("other", ctypes.c_uint64),
    )


def forbid_calls(names: Sequence[str] = FORBIDDEN) -> bool:
    """Forbid this process those system calls from now on; whether the system can.

    Args:
        names: of Linux's system calls; those that a processor does not have are left out.
    """
    return _load_rules(
        lambda library, rules: all(
            library.seccomp_rule_add_array(rules, _REFUSE, number, 0, None) == 0
            for number in _find_numbers(library, names)
        )
    )


def forbid_network() -> bool:
    """Forbid this process sockets but those within the machine; whether the system can.

    Call it before threads are started: those that run keep what they had. Unix sockets stay, and
    netlink, by which programs ask what the machine is. A refused socket is a PermissionError.
    """

    def add_rules(library: ctypes.CDLL, rules: int) -> bool:
        (socket,) = _find_numbers(library, ["socket"])
        wanted = [_Comparison(0, _EQUAL, family) for family in _OTHER_FAMILIES]
        wanted.append(_Comparison(0, _GREATER, _AF_NETLINK))
        rings = _find_numbers(library, ["io_uring_setup"])  # they open sockets past the filter
        return all(
            library.seccomp_rule_add_array(rules, _DENY, socket, 1, ctypes.byref(one)) == 0
            for one in wanted
        ) and all(
            library.seccomp_rule_add_array(rules, _DENY, number, 0, None) == 0 for number in rings
        )

    return _load_rules(add_rules)


def _load_rules(add_rules: Callable[[ctypes.CDLL, int], bool]) -> bool:
    library = _load()
    if library is None:
        return False
    rules = library.seccomp_init(_ALLOW)
    if not rules:
        return False
    try:
        return add_rules(library, rules) and int(library.seccomp_load(rules)) == 0
    finally:
        library.seccomp_release(rules)


def _find_numbers(library: ctypes.CDLL, names: Sequence[str]) -> list[int]:
    """Of the calls that this processor has."""
    found = [library.seccomp_syscall_resolve_name(name.encode("ascii")) for name in names]
    return [number for number in found if number != _UNKNOWN]


def _load() -> ctypes.CDLL | None:
    if sys.platform != "linux":
        return None
    try:
        library = ctypes.CDLL("libseccomp.so.2")
    except OSError:
        return None
    library.seccomp_init.restype = ctypes.c_void_p
    library.seccomp_init.argtypes = [ctypes.c_uint32]
    library.seccomp_rule_add_array.argtypes = [
        ctypes.c_void_p, ctypes.c_uint32, ctypes.c_int, ctypes.c_uint, ctypes.c_void_p,
    ]  # fmt: skip
    library.seccomp_load.argtypes = [ctypes.c_void_p]
    library.seccomp_release.argtypes = [ctypes.c_void_p]
    return library
