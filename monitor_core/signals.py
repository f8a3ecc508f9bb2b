"""The signals that a monitor obeys: SIGTERM and SIGINT end it, SIGHUP lets it read its configuration anew."""

from __future__ import annotations

import signal
import socket
from typing import Self

RELOAD = signal.SIGHUP
_ENDS = (signal.SIGTERM, signal.SIGINT)


class Signals:
    """Takes signals while it is entered, which is before anything that takes time.

    Until `listen`, there is nothing to be stopped in order: what ends a monitor ends the process at once, with exit
    status 0. After it, and a reload always, signals wait until they are asked for with `next`.
    """

    def __init__(self) -> None:
        # A signal may be delivered to any thread; only what is written here wakes the one that waits for it.
        self._came, self._wakes = socket.socketpair()
        self._wakes.settimeout(0)
        self._listening = False

    def __enter__(self) -> Self:
        self._before = signal.set_wakeup_fd(self._wakes.fileno())
        self._handlers = {number: signal.signal(number, self._take) for number in (*_ENDS, RELOAD)}
        return self

    def __exit__(self, trouble: type[BaseException] | None, *_: object) -> None:
        # A monitor that was told to end ends: a second signal must not cut it off on its last steps.
        for number, handler in self._handlers.items() if trouble else ():
            signal.signal(number, handler)
        signal.set_wakeup_fd(self._before)
        self._came.close()
        self._wakes.close()

    def listen(self) -> None:
        """From now on let every signal wait."""
        self._listening = True

    def next(self) -> int:
        """Wait for a signal and return it, in the order in which they came."""
        return self._came.recv(1)[0]

    def _take(self, number: int, _frame: object) -> None:
        if number in _ENDS and not self._listening:
            raise SystemExit(0)
