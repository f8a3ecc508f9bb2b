"""What is judged: findings, incidents, and what people have set about them."""

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
    LOSS_NAN = "loss_nan"
    LOSS_SPIKE = "loss_spike"
    DIVERGED = "diverged"
    LOSS_FLAT = "loss_flat"
    SKIPPING = "skipping"
    FINISHED = "finished"
    STOPPED = "stopped"
    FAILED = "failed"
    NOT_EXITING = "not_exiting"
    COMM_GROUP = "comm_group"
    FLAPPING = "flapping"
    LOG_MISSING = "log_missing"
    LOG_UNREADABLE = "log_unreadable"
    UNREACHABLE = "unreachable"
    HOST_KEY = "host_key"
    GPU_LOST = "gpu_lost"
    GPU_IDLE = "gpu_idle"
    GPU_SPIN = "gpu_spin"
    GPU_THROTTLE = "gpu_throttle"
    GPU_ECC = "gpu_ecc"
    GPU_IMBALANCE = "gpu_imbalance"
    GPU_XID = "gpu_xid"
    DISK_LOW = "disk_low"
    BLIND = "blind"
    MONITOR_ERROR = "monitor_error"
    TEST = "test"


@dataclass(frozen=True, slots=True)
class KindSpec:
    """How incidents of one kind behave.

    `word`: what people see, in capitals. `subject`: what they are about. `severities`: those that they may have.
    `closes`: when they are over, in words. `once`: told once, without a resolve message. `ends`: kinds of the same
    subject that this one closes. `inhibits`: kinds that are neither opened nor judged while this one holds. `part_of`:
    the kind without which this one does not hold.
    """

    word: str
    subject: SubjectKind
    severities: tuple[Severity, ...]
    closes: str
    once: bool = False
    ends: frozenset[Kind] = frozenset()
    inhibits: frozenset[Kind] = frozenset()
    part_of: Kind | None = None


_RUN, _HOST, _SELF = SubjectKind.RUN, SubjectKind.HOST, SubjectKind.SELF
_INFO, _WARNING, _CRITICAL = (Severity.INFO,), (Severity.WARNING,), (Severity.CRITICAL,)
_WORSE = (Severity.WARNING, Severity.CRITICAL)
_LOSSES = frozenset({Kind.LOSS_SPIKE, Kind.DIVERGED, Kind.LOSS_FLAT, Kind.SKIPPING})
_TRAINING = frozenset({Kind.STUCK, Kind.COMM_GROUP, Kind.SLOW, Kind.LOSS_NAN}) | _LOSSES
_NEXT_LAUNCH, _GOOD_READ, _OVER = "at the next launch", "at the first good read", "when it is over"
KINDS: Mapping[Kind, KindSpec] = {
    Kind.STUCK: KindSpec("STUCK", _RUN, _WORSE, "at the next progress line", inhibits=frozenset({Kind.SLOW})),
    Kind.SLOW: KindSpec("SLOW", _RUN, _WORSE, "when the last 20 lines are back below the midpoint of 1 and `slow`"),
    Kind.LOSS_NAN: KindSpec(
        "NaN LOSS", _RUN, _CRITICAL, "when the loss is a number again", once=True, inhibits=_LOSSES
    ),
    Kind.LOSS_SPIKE: KindSpec("LOSS SPIKE", _RUN, _WARNING, "when the loss has come back"),
    Kind.DIVERGED: KindSpec(
        "DIVERGED", _RUN, _CRITICAL, "when the loss has come back", inhibits=frozenset({Kind.LOSS_SPIKE})
    ),
    Kind.LOSS_FLAT: KindSpec("FLAT LOSS", _RUN, _WARNING, "when the loss changes again"),
    Kind.SKIPPING: KindSpec("SKIPPING", _RUN, _WARNING, "when few iterations are skipped and the loss scale is back"),
    Kind.FINISHED: KindSpec("FINISHED", _RUN, _INFO, _NEXT_LAUNCH, once=True, ends=_TRAINING),
    Kind.STOPPED: KindSpec("STOPPED EARLY", _RUN, _WARNING, _NEXT_LAUNCH, once=True, ends=_TRAINING),
    Kind.FAILED: KindSpec("FAILED", _RUN, _CRITICAL, _NEXT_LAUNCH, once=True, ends=_TRAINING),
    Kind.NOT_EXITING: KindSpec("NOT EXITING", _RUN, _WARNING, "when its processes are gone"),
    Kind.COMM_GROUP: KindSpec("COMM HANG", _RUN, _CRITICAL, "with `stuck`", part_of=Kind.STUCK),
    Kind.FLAPPING: KindSpec("FLAPPING", _RUN, _WARNING, "when the kind has neither fired nor resolved for a while"),
    Kind.LOG_MISSING: KindSpec("UNKNOWN", _RUN, _WARNING, _GOOD_READ),
    Kind.LOG_UNREADABLE: KindSpec("UNKNOWN", _RUN, _WARNING, _GOOD_READ),
    Kind.UNREACHABLE: KindSpec("UNREACHABLE", _HOST, _WARNING, _GOOD_READ),
    Kind.HOST_KEY: KindSpec("HOST KEY CHANGED", _HOST, _CRITICAL, _GOOD_READ),
    Kind.GPU_LOST: KindSpec("GPU LOST", _HOST, _CRITICAL, "when all GPUs are there again"),
    Kind.GPU_IDLE: KindSpec("GPU IDLE", _HOST, _WORSE, _OVER),
    Kind.GPU_SPIN: KindSpec("GPU SPINNING", _HOST, _WORSE, _OVER),
    Kind.GPU_THROTTLE: KindSpec("GPU THROTTLED", _HOST, _WORSE, _OVER),
    Kind.GPU_ECC: KindSpec("GPU ECC", _HOST, _WORSE, "when no new error has come for a while"),
    Kind.GPU_IMBALANCE: KindSpec("GPU IMBALANCE", _HOST, _WARNING, _OVER),
    Kind.GPU_XID: KindSpec("GPU XID", _HOST, _WORSE, "when no new one has come for a while"),
    Kind.DISK_LOW: KindSpec("DISK LOW", _HOST, _WARNING, _OVER),
    Kind.BLIND: KindSpec("BLIND", _SELF, _WARNING, "by itself: it is told when it looks again", once=True),
    Kind.MONITOR_ERROR: KindSpec("MONITOR ERROR", _SELF, _WARNING, "when it works again"),
    Kind.TEST: KindSpec("TEST", _SELF, _INFO, "when it has been delivered", once=True),
}
ENDINGS = frozenset({Kind.FINISHED, Kind.STOPPED, Kind.FAILED})
# What keeps from seeing a run: nothing is known of it meanwhile.
UNSEEN = frozenset({Kind.UNREACHABLE, Kind.HOST_KEY, Kind.LOG_MISSING, Kind.LOG_UNREADABLE})
# What is said of somebody who does not see, whatever its severity.
UNSURE = UNSEEN | {Kind.BLIND, Kind.MONITOR_ERROR}


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
    be told, `ends_at` the true end. `muted` is the mute that holds its messages back now, `held` the flapping incident
    that does, 0 for none. `told_for` is the duration that the last message showed, in seconds: 0 if no look found it
    firing. `acknowledged_by` and `false_alarm_by` are people (`slack:U012`, `shell:alice`), empty for nobody.
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
    held: int = 0
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
    def over(self) -> bool:
        """Whether it was resolved, and that is worth telling: what is told once stays as it was told."""
        return not self.active and not KINDS[self.kind].once

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
