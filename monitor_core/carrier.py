"""The thread that drains the outbox of one notifier."""

from __future__ import annotations

import logging
import threading

from monitor_core.complaints import Complaints
from monitor_core.delivery import Outbox
from monitor_core.errors import Retired
from monitor_core.notify.protocol import Notifier
from monitor_core.roster import Roster

log = logging.getLogger(__name__)

# The shell changes the same database: the outbox looks for its deliveries once a second.
_IDLE = 1.0
_AFTER_TROUBLE = 1.0


class Carrier:
    """Sends what one notifier has to carry, from `start` to `stop`."""

    def __init__(self, outbox: Outbox) -> None:
        self._outbox = outbox
        self._complain = Complaints(log)
        self._stopping, self._wake = threading.Event(), threading.Event()
        name = f"outbox-{outbox.notifier.name}"
        self.thread = threading.Thread(target=self._run, name=name, daemon=True)

    def start(self) -> None:
        """Begin; returns at once."""
        self.thread.start()

    def follow(self, roster: Roster, notifier: Notifier) -> None:
        """Send by this roster and through this notifier from now on; what is under way goes on through the old one."""
        self._outbox.roster = roster
        self._outbox.notifier = notifier

    def wake(self) -> None:
        """Look for deliveries now."""
        self._wake.set()

    def stop(self) -> None:
        """Begin no more deliveries; what is under way ends by itself."""
        self._stopping.set()
        self._wake.set()

    def _run(self) -> None:
        while not self._stopping.is_set():
            self._send_until_trouble()
            self._stopping.wait(_AFTER_TROUBLE)

    def _send_until_trouble(self) -> None:
        """Send until the end, or until something breaks: a delivery may then be on its way that has to be recovered."""
        try:
            self._outbox.recover()
            while not self._stopping.is_set():
                if not self._outbox.send_next():
                    self._wake.wait(_IDLE)
                    self._wake.clear()
        except Retired:
            return
        except Exception as error:  # noqa: BLE001 `_complain` logs it
            self._complain(f"notifier={self._outbox.notifier.name} could not be drained, it is tried again", error)
