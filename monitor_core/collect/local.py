"""Runs the program of a read on this machine."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess

from monitor_core.errors import Unreachable

_SHELL = "/bin/sh"
_LAST_WAIT = 1.0


class LocalTransport:
    """The shell of this machine."""

    def run(self, program: bytes, *, deadline: float, cap: int) -> bytes:
        """Let the shell run the program and return what it printed; see `Transport`."""
        try:
            shell = subprocess.Popen(
                [_SHELL, "-s"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        except OSError as error:
            raise Unreachable(f"{_SHELL} could not be started on this machine: {error.strerror}") from error
        try:
            output, _ = shell.communicate(program, timeout=deadline)
        except subprocess.TimeoutExpired:
            _kill(shell)
            raise Unreachable(f"this machine did not read its logs within {deadline:.3g} s") from None
        if len(output) > cap:
            raise Unreachable(f"the shell of this machine printed more than {cap} bytes")
        return output

    def close(self) -> None:
        """Do nothing: no process outlives its read."""


def _kill(shell: subprocess.Popen[bytes]) -> None:
    """End the shell and all it started; one that hangs in a dead file system is left to the kernel."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(shell.pid, signal.SIGKILL)
    with contextlib.suppress(subprocess.TimeoutExpired):
        shell.communicate(timeout=_LAST_WAIT)
    for pipe in (shell.stdin, shell.stdout):
        if pipe:
            pipe.close()
