"""How the program of a read gets to a shell: over SSH, or on this machine."""

from __future__ import annotations

from typing import Protocol


class Transport(Protocol):
    """A way to the shell of one host."""

    def run(self, program: bytes, *, deadline: float, cap: int) -> bytes:
        """Let `/bin/sh` run the program and return all that was printed.

        Raises Unreachable if it does not end within `deadline` seconds or prints more than `cap` bytes, and
        HostKeyChanged. The next call begins anew.
        """

    def close(self) -> None:
        """Let go of connections; a call under way ends."""
