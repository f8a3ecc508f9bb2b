"""What the core asks of whatever carries a message to people."""

from __future__ import annotations

from typing import Protocol

from monitor_core.model.message import Message


class Notifier(Protocol):
    """Carries messages to targets of one kind (mail addresses, Slack channels, a terminal)."""

    @property
    def name(self) -> str:
        """Return the word before the colon of a receiver: `email`, `slack`, `console`."""

    @property
    def edits(self) -> bool:
        """Return whether a message that was sent can be changed; if not, there are no deliveries that only edit."""

    def check_target(self, target: str) -> str:
        """Return what is wrong with the target, for people; empty if it can be used."""

    def send(self, target: str, message: Message, *, key: str, previous: str) -> str:
        """Deliver one message and return its reference; raise NotifyError if it was not accepted.

        `key` identifies the delivery and is the same in each attempt. `previous` is the reference of the message that
        this receiver got before about the same incident, empty if none: edit it, or thread under it.
        """

    def close(self) -> None:
        """Let go of connections."""
