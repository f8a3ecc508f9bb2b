"""What is judged: findings, incidents, mutes and deliveries."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

Number = int | float | str | bool | None


class Severity(StrEnum):
    """How bad an incident is; critical mentions people, info never asks anything of them."""

    INFO = "info"
    WARNING = "warning"
    CRITICAL = "critical"

    @property
    def rank(self) -> int:
        """Return the place in the order info < warning < critical."""
        return list(Severity).index(self)


class Phase(StrEnum):
    """What a run is doing; ENDED is shown as its ending (finished, failed, stopped)."""

    STARTING = "starting"
    TRAINING = "training"
    CHECKPOINTING = "checkpointing"
    EVALUATING = "evaluating"
    ENDING = "ending"
    ENDED = "ended"
    UNKNOWN = "unknown"


class SubjectKind(StrEnum):
    """What an incident is about."""

    RUN = "run"
    HOST = "host"
    SELF = "self"


@dataclass(frozen=True, slots=True)
class Subject:
    """What an incident is about: a run, a host, or the monitor itself (`name` is empty then)."""

    kind: SubjectKind
    name: str

    def __str__(self) -> str:
        return f"{self.kind}:{self.name}"

    @classmethod
    def parse(cls, text: str) -> Subject:
        """Return the subject that `str(subject)` wrote."""
        kind, _, name = text.partition(":")
        return cls(SubjectKind(kind), name)


SELF = Subject(SubjectKind.SELF, "")


class Kind(StrEnum):
    """The kinds of incident."""

    STUCK = "stuck"
    SLOW = "slow"
    FINISHED = "finished"
    STOPPED = "stopped"
    FAILED = "failed"
    UNREACHABLE = "unreachable"
    HOST_KEY = "host_key"
    LOG_MISSING = "log_missing"
    LOG_UNREADABLE = "log_unreadable"
    MONITOR_ERROR = "monitor_error"
    TEST = "test"


@dataclass(frozen=True, slots=True)
class KindSpec:
    """How incidents of one kind behave.

    `word`: what people see, in capitals. `once`: told once, without a resolve message. `ends`: kinds of the same
    subject that this one closes. `inhibits`: kinds that are neither opened nor judged while this one holds.
    """

    word: str
    once: bool = False
    ends: frozenset[Kind] = frozenset()
    inhibits: frozenset[Kind] = frozenset()


_TRAINING = frozenset({Kind.STUCK, Kind.SLOW})
KINDS: Mapping[Kind, KindSpec] = {
    Kind.STUCK: KindSpec("STUCK", inhibits=frozenset({Kind.SLOW})),
    Kind.SLOW: KindSpec("SLOW"),
    Kind.FINISHED: KindSpec("FINISHED", once=True, ends=_TRAINING),
    Kind.STOPPED: KindSpec("STOPPED EARLY", once=True, ends=_TRAINING),
    Kind.FAILED: KindSpec("FAILED", once=True, ends=_TRAINING),
    Kind.UNREACHABLE: KindSpec("UNREACHABLE"),
    Kind.HOST_KEY: KindSpec("HOST KEY CHANGED"),
    Kind.LOG_MISSING: KindSpec("UNKNOWN"),
    Kind.LOG_UNREADABLE: KindSpec("UNKNOWN"),
    Kind.MONITOR_ERROR: KindSpec("MONITOR ERROR"),
    Kind.TEST: KindSpec("TEST", once=True),
}
ENDINGS = frozenset({Kind.FINISHED, Kind.STOPPED, Kind.FAILED})
UNSEEN = frozenset({Kind.UNREACHABLE, Kind.HOST_KEY, Kind.LOG_MISSING, Kind.LOG_UNREADABLE})


@dataclass(frozen=True, slots=True)
class Finding:
    """What a detector sees now: a trouble of this kind holds since `since` (seconds since 1970, our clock).

    `facts` are the numbers of the judgement, by name; they are what messages are made of. `detail` tells apart several
    incidents of one kind and subject. `grace` is how many seconds the finding must hold before anybody is told.
    """

    kind: Kind
    severity: Severity
    since: float
    facts: Mapping[str, Number] = field(default_factory=dict)
    detail: str = ""
    grace: float = 0.0


class IncidentState(StrEnum):
    """Where an incident is in its life."""

    PENDING = "pending"
    FIRING = "firing"
    RESOLVED = "resolved"


@dataclass(frozen=True, slots=True)
class Incident:
    """One trouble from its beginning to its end. Times are seconds since 1970 on our clock.

    `number` is 0 until it is stored. `starts_at` is the true onset, `fired_at` when it was decided that people are to
    be told, `ends_at` the true end. `muted` is the mute that holds its messages back now, 0 for none. `told_for` is the
    duration that the last message showed, in seconds. `acknowledged_by` and `false_alarm_by` are people
    (`slack:U012`, `shell:alice`), empty for nobody.
    """

    subject: Subject
    kind: Kind
    severity: Severity
    state: IncidentState
    starts_at: float
    facts: Mapping[str, Number] = field(default_factory=dict)
    detail: str = ""
    number: int = 0
    fired_at: float | None = None
    ends_at: float | None = None
    acknowledged_by: str = ""
    acknowledged_at: float | None = None
    muted: int = 0
    told_for: float = 0.0
    false_alarm_by: str = ""
    false_alarm_at: float | None = None

    @property
    def taken_by(self) -> str:
        """Return who has marked it as a false alarm, or else is on it; empty while it needs somebody."""
        return self.false_alarm_by or self.acknowledged_by

    @property
    def active(self) -> bool:
        """Whether the trouble still holds."""
        return self.state is not IncidentState.RESOLVED

    @property
    def ended_at(self) -> float:
        """Return when it ended; its beginning while it holds."""
        return self.starts_at if self.ends_at is None else self.ends_at

    def said(self, name: str) -> str:
        """Return one of its facts as text; empty if it is not known."""
        value = self.facts.get(name)
        return "" if value is None else str(value)

    def figure(self, name: str) -> float | None:
        """Return one of its facts as a number; None if it is not known or no number."""
        value = self.facts.get(name)
        return float(value) if value is not None and not isinstance(value, str) else None

    def counter(self, name: str) -> int | None:
        """Return one of its facts as a whole number; None if it is not known or no number."""
        value = self.figure(name)
        return None if value is None else int(value)


@dataclass(frozen=True, slots=True)
class Mute:
    """A promise of silence: no messages about `subject` (all runs and hosts if None) until `until`.

    `kind` limits it to one kind of incident. The mute ends at `until`, or at `ended_at` if somebody ended it before.
    """

    number: int
    subject: Subject | None
    kind: Kind | None
    until: float
    by: str
    created_at: float
    reason: str = ""
    ended_at: float | None = None

    def holds(self, now: float) -> bool:
        """Return whether the mute is in force."""
        return self.ended_at is None and now < self.until


@dataclass(frozen=True, slots=True)
class Setting:
    """A threshold that a person has set; `scope` is `all`, `host NAME` or `run NAME`, `value` is as typed."""

    scope: str
    name: str
    value: str
    by: str
    at: float


class Reason(StrEnum):
    """Why a message is sent: the decision that made its delivery."""

    FIRING = "firing"
    ESCALATED = "escalated"
    RESOLVED = "resolved"
    MUTE_ENDED = "mute_ended"
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
