"""How people are told: why a message is sent, to whom, and how far it has come."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Reason(StrEnum):
    """Why a message is sent: the decision that made its delivery."""

    FIRING = "firing"
    ESCALATED = "escalated"
    RESOLVED = "resolved"
    MUTE_ENDED = "mute_ended"
    CALM = "calm"
    ACKNOWLEDGED = "acknowledged"
    UNACKNOWLEDGED = "unacknowledged"
    MUTED = "muted"
    FALSE_ALARM = "false_alarm"
    FALSE_ALARM_UNDONE = "false_alarm_undone"
    REFRESH = "refresh"

    @property
    def words(self) -> str:
        """Return the reason as people read it: `mute ended`."""
        return self.value.replace("_", " ")

    @property
    def edit(self) -> bool:
        """Whether it only changes a message that was sent: receivers that cannot edit do not get it."""
        marks = {Reason.ACKNOWLEDGED, Reason.UNACKNOWLEDGED, Reason.FALSE_ALARM, Reason.FALSE_ALARM_UNDONE}
        return self in marks | {Reason.MUTED, Reason.REFRESH}


class DeliveryState(StrEnum):
    """Where a delivery is: SENDING is committed before the attempt, SENT after the other side accepted."""

    PENDING = "pending"
    SENDING = "sending"
    SENT = "sent"
    DEAD = "dead"
    SUPERSEDED = "superseded"


@dataclass(frozen=True, slots=True)
class Receiver:
    """Whom to tell: the notifier's name and its own word for the target (a channel id, an address)."""

    notifier: str
    target: str

    def __str__(self) -> str:
        return f"{self.notifier}:{self.target}"


@dataclass(frozen=True, slots=True)
class Delivery:
    """One message to one receiver.

    `key` is unique and fixed when the row is made. `fallback_for` is the receiver, as `notifier:target`, in whose stead
    this one is told if that one cannot be. `ref` is what the notifier returned, in its own form (a Slack ts, a
    Message-ID). `repeat`: an earlier attempt may have been accepted.
    """

    key: str
    incident: int
    receiver: Receiver
    reason: Reason
    state: DeliveryState
    created_at: float
    due_at: float
    number: int = 0
    attempts: int = 0
    last_error: str = ""
    ref: str = ""
    fallback_for: str = ""
    repeat: bool = False
    sent_at: float | None = None
