"""Locks on open files that the system lets go of when their holder dies."""

from __future__ import annotations


def lock_or_fail(descriptor: int) -> None:
    """Hold the lock of an open file until it is closed; OSError when another holds it."""
    try:
        import fcntl
    except ImportError:
        import msvcrt

        msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)  # type: ignore[attr-defined, unused-ignore]
    else:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
