"""What is written down as it happens: by what an incident was judged, who was told or not and why, each attempt."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from monitor_core.model.deliveries import Reason
from monitor_core.model.incidents import Number, Severity

# Of the attempts of one delivery that are kept: how the trouble began, and how it is now.
FIRST_KEPT, LAST_KEPT = 3, 20


class Outcome(StrEnum):
    """What became of a reason to tell, for one receiver or for all.

    ENQUEUED: there is a delivery. FOLDED: a delivery that waits will tell it. SUPERSEDED: a delivery that waited is not
    needed any more. MUTED: a mute holds it back. INHIBITED: another incident does. RECORDED: it was over before anybody
    could be told. UNWANTED: this receiver wants no such message. UNTOLD: this receiver was not told of the incident.
    """

    ENQUEUED = "enqueued"
    FOLDED = "folded"
    SUPERSEDED = "superseded"
    MUTED = "muted"
    INHIBITED = "inhibited"
    RECORDED = "recorded"
    UNWANTED = "unwanted"
    UNTOLD = "untold"


def place(receiver: str) -> str:
    """Return a receiver `slack:C0123` as people read it: `slack C0123`."""
    return receiver.replace(":", " ", 1)


@dataclass(frozen=True, slots=True)
class Decision:
    """What was decided about one incident at `at` (seconds since 1970).

    `reason` is why people were to be told, None where nothing was to be told. `receiver` is `notifier:target`, empty if
    it is about all of them. `why` completes the outcome. `by` is the person behind it, `delivery` the number of the
    delivery; empty and 0 for none.
    """

    incident: int
    at: float
    reason: Reason | None
    outcome: Outcome
    receiver: str = ""
    why: str = ""
    by: str = ""
    delivery: int = 0


@dataclass(frozen=True, slots=True)
class HeldThreshold:
    """A threshold as it held when an incident was judged; `by` is who had set it, empty if nobody had."""

    name: str
    value: str
    source: str
    by: str = ""


@dataclass(frozen=True, slots=True)
class Judgement:
    """By what an incident was opened, or got worse: the numbers and the thresholds of that moment, the decisive first.

    `severity` is what it came to.
    """

    incident: int
    at: float
    severity: Severity
    facts: Mapping[str, Number] = field(default_factory=dict)
    thresholds: tuple[HeldThreshold, ...] = ()


@dataclass(frozen=True, slots=True)
class Attempt:
    """One try of a delivery and its answer at `at`: taken if `error` is empty.

    `retry_at` is when it was to be tried again, None if it was not.
    """

    at: float
    error: str = ""
    retry_at: float | None = None
