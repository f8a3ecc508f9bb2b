"""What an SSH connection can run over besides a socket: a command, or a channel of another SSH connection."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import threading

import paramiko

_LAST_WAIT = 1.0
BROKEN = (paramiko.SSHException, OSError, EOFError)


class Command(socket.socket):
    """A connection to the standard input and output of a command (ProxyCommand), which ends with the connection."""

    process: subprocess.Popen[bytes]

    @classmethod
    def start(cls, command: str) -> Command:
        """Let a shell start the command."""
        ours, theirs = socket.socketpair()
        connection = cls(fileno=ours.detach())
        with theirs:
            end = theirs.fileno()
            connection.process = subprocess.Popen(
                ["/bin/sh", "-c", f"exec {command}"],
                stdin=end,
                stdout=end,
                stderr=subprocess.DEVNULL,
                start_new_session=True,
            )
        return connection

    def shutdown(self, how: int, /) -> None:
        """End the connection, and the command with all that it has started."""
        self._kill()
        super().shutdown(how)

    def close(self) -> None:
        """Let go of the connection and the command."""
        super().close()
        self._kill()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(_LAST_WAIT)

    def _kill(self) -> None:
        # Once it has been waited for, its number may belong to another process.
        if self.process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.process.pid, signal.SIGKILL)


class Tunnel:
    """A channel of a connection to another host, as a socket for paramiko.

    To close a channel is to send a word through the connection that carries it, which may be stuck, or gone.
    """

    def __init__(self, channel: paramiko.Channel) -> None:
        self._channel = channel
        self._closed = False
        self.send, self.recv, self.settimeout = channel.send, channel.recv, channel.settimeout

    def shutdown(self, _how: int) -> None:
        """End the connection, without waiting."""
        self.close()

    def close(self) -> None:
        """End the connection, without waiting."""
        if not self._closed:
            self._closed = True
            threading.Thread(target=self._close, name="closing", daemon=True).start()

    def _close(self) -> None:
        with contextlib.suppress(*BROKEN):
            self._channel.close()
