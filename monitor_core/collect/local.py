"""Runs the program of a read on this machine."""

from __future__ import annotations

import contextlib
import os
import select
import signal
import subprocess
import tempfile
from collections.abc import Iterator

from monitor_core.collect.transport import Deadline
from monitor_core.errors import Unreachable

_SHELL = "/bin/sh"
_PIECE = 128 * 1024
_LAST_WAIT = 1.0


class LocalTransport:
    """The shell of this machine."""

    def __init__(self) -> None:
        self._seconds = 0.0
        self._calls: set[LocalCall] = set()

    @contextlib.contextmanager
    def watch(self, deadline: Deadline) -> Iterator[None]:
        """Note the deadline; no call of this machine waits longer than it is told to."""
        self._seconds = deadline.seconds
        yield

    def start(self, program: bytes) -> LocalCall:
        """Let the shell run the program; see `Transport`."""
        self._calls = {call for call in self._calls if not call.is_over}
        call = LocalCall(program)
        self._calls.add(call)
        return call

    def silent(self) -> Unreachable:
        """Return what is said of a shell that did not answer; see `Transport`."""
        return Unreachable(f"this machine did not read its logs within {self._seconds:.3g} s")

    def close(self) -> None:
        """Kill what still runs; whoever listens to it hears its end."""
        for call in tuple(self._calls):
            call.kill()


class LocalCall:
    """A shell that runs a program, with all the processes that it starts."""

    lost = False

    def __init__(self, program: bytes) -> None:
        self._shell = _shell(program)
        assert self._shell.stdout is not None
        self._output = self._shell.stdout
        self._ready = select.poll()
        self._ready.register(self._output, select.POLLIN)

    @property
    def is_over(self) -> bool:
        """Say whether no process of it is left."""
        return self._output.closed and self._shell.poll() is not None

    @property
    def stirs(self) -> bool:
        """Say whether it printed something or ended; see `Call`."""
        return self._output.closed or bool(self._ready.poll(0))

    def listen(self, seconds: float) -> bytes | None:
        """Return what it printed; see `ProgramCall`."""
        if not self._ready.poll(seconds * 1000):
            return None
        return os.read(self._output.fileno(), _PIECE)

    def end(self) -> None:
        """Kill it and let go of its output; what hangs in a dead file system is left to the kernel."""
        self.kill()
        self._output.close()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._shell.wait(_LAST_WAIT)

    def kill(self) -> None:
        """Kill the shell and all it started."""
        if self._shell.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._shell.pid, signal.SIGKILL)


def _shell(program: bytes) -> subprocess.Popen[bytes]:
    pipe, both = subprocess.PIPE, subprocess.STDOUT
    try:
        # A pipe would have to be filled while the shell reads it; a file is there at once.
        with tempfile.TemporaryFile() as source:
            source.write(program)
            source.seek(0)
            return subprocess.Popen([_SHELL, "-s"], stdin=source, stdout=pipe, stderr=both, start_new_session=True)
    except OSError as error:
        raise Unreachable(f"{_SHELL} could not be started on this machine: {error.strerror}") from error
