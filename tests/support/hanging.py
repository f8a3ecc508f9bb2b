"""File systems that give no answer, as an NFS whose server is gone."""

from __future__ import annotations

import contextlib
import ctypes
import errno
import fcntl
import os
import signal
from pathlib import Path

_MOUNT_DETACH = 2


class HangingLog:
    """A log that nobody else can open, until `let_go` or for 45 seconds: the kernel lets everybody wait who tries to.

    It is a lease (fcntl(2)), which the one who holds it is asked to give back. What is written meanwhile goes through
    `append`.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._file = os.open(path, os.O_WRONLY | os.O_APPEND)
        self.hang()

    def hang(self) -> None:
        # The request to give it back comes as a signal that is ignored unless somebody wants it.
        fcntl.fcntl(self._file, fcntl.F_SETSIG, signal.SIGURG)
        fcntl.fcntl(self._file, fcntl.F_SETLEASE, fcntl.F_WRLCK)

    def append(self, content: bytes) -> None:
        os.write(self._file, content)

    def let_go(self) -> None:
        with contextlib.suppress(OSError):
            fcntl.fcntl(self._file, fcntl.F_SETLEASE, fcntl.F_UNLCK)

    def close(self) -> None:
        """Let everybody read it; may be called again."""
        if self._file >= 0:
            self.let_go()
            os.close(self._file)
            self._file = -1


class DeadFolder:
    """A mounted file system (FUSE) whose server never answers: whatever touches it waits until it is closed."""

    def __init__(self, path: Path) -> None:
        """Mount it; raise OSError where that is not allowed."""
        path.mkdir()
        self.path = path
        self._libc = ctypes.CDLL(None, use_errno=True)
        self._server = os.open("/dev/fuse", os.O_RDWR)
        options = f"fd={self._server},rootmode=40000,user_id={os.getuid()},group_id={os.getgid()},allow_other"
        if self._libc.mount(b"dead", bytes(path), b"fuse.dead", 0, options.encode()):
            os.close(self._server)
            raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))

    def close(self) -> None:
        """Unmount it; who waits gets an error. May be called again."""
        if self._server >= 0:
            self._libc.umount2(bytes(self.path), _MOUNT_DETACH)
            os.close(self._server)
            self._server = -1


def why_no_dead_folder() -> str:
    """Say why no file system can be mounted here; empty if one can."""
    if os.geteuid():
        return "only root may mount a file system"
    return "" if os.access("/dev/fuse", os.R_OK | os.W_OK) else os.strerror(errno.ENODEV) + ": /dev/fuse"
