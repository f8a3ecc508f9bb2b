"""What `control` answers to people: plain values that Slack and the shell lay out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from monitor_core.model.effect import Effect, times
from monitor_core.model.incidents import Incident, Mute, Phase
from monitor_core.model.words import taken_up

LEARNING = "learning"


@dataclass(frozen=True, slots=True)
class RunView:
    """One run as it is known now. Times are seconds since 1970 on our clock; None where it was never seen.

    `state` is the phase, or the ending (`finished`, `failed`, `stopped`), or `unknown`. `learning`: it trains, but has
    not printed enough yet to be judged by. `resumed` is the iteration from which the newest launch went on, and
    `redone` how many it does again; None for a first launch. `seen_at` is when its host last answered for it. `eta` is
    when it will be done at its usual pace. `process` says whether its process is there, where one is configured:
    `alive`, `waiting`, `gone`, `not found` or `not known`, and which it is. `incidents` are firing, worst first.
    """

    name: str
    host: str
    address: str
    owner: str
    state: str
    phase: Phase
    iteration: int | None = None
    total: int | None = None
    loss: float | None = None
    ms_per_iteration: float | None = None
    usual_ms: float | None = None
    eta: float | None = None
    last_line_at: float | None = None
    started_at: float | None = None
    ended_at: float | None = None
    checkpoint: int | None = None
    checkpoint_at: float | None = None
    launches: int = 0
    resumed: int | None = None
    redone: int | None = None
    cause: str = ""
    seen_at: float | None = None
    clock_skew: float | None = None
    learning: bool = False
    process: str = ""
    incidents: tuple[Incident, ...] = ()
    mutes: tuple[Mute, ...] = ()

    @property
    def went_on(self) -> str:
        """Return where the newest launch took up the run, in words; empty for a first launch."""
        return taken_up(self.resumed, self.redone)

    @property
    def doing(self) -> str:
        """Return the state as people are shown it: `learning` while nobody can say that all is well."""
        return LEARNING if self.learning else self.state


@dataclass(frozen=True, slots=True)
class HostView:
    """One host as it is known now: `answers` is False while it cannot be read; `incidents` are firing."""

    name: str
    address: str
    answers: bool
    seen_at: float | None
    runs: tuple[str, ...]
    incidents: tuple[Incident, ...] = ()
    mutes: tuple[Mute, ...] = ()


@dataclass(frozen=True, slots=True)
class Overview:
    """All runs, worst first, at `now`; `incidents` are those of the monitor itself."""

    now: float
    runs: tuple[RunView, ...]
    hosts: tuple[HostView, ...]
    incidents: tuple[Incident, ...] = ()


@dataclass(frozen=True, slots=True)
class ThresholdView:
    """One threshold as it holds for a run (or for all): its value, its source, and what it would be by default.

    `source` is `default`, `preset seed`, `config defaults`, `config host gpu-01`, `config run llama`, `set for all`,
    `set for host gpu-01` or `set for run llama`; `by` and `at` are filled for the last three. Values are as typed.
    `unit` is `ratio`, `duration` or either. `fired` is how often it fired in the last 24 hours, `by_default` what it
    would have done with its default, where that is another value and records can tell.
    """

    name: str
    meaning: str
    value: str
    source: str
    default: str
    allowed: str
    by: str = ""
    at: float | None = None
    unit: str = ""
    fired: int = 0
    by_default: Effect | None = None

    @property
    def lately(self) -> str:
        """Return how often it fired in the last 24 hours: `fired once; by default 3 times`."""
        fired = f"fired {times(self.fired)}" if self.fired else "never fired"
        other = self.by_default
        if other is None or other.nothing:
            return fired
        return f"{fired}; by default {times(other.times)}{f' ({other.rest})' if other.rest else ''}"


@dataclass(frozen=True, slots=True)
class ThresholdChange:
    """What a change of a threshold did: `scope` is `run llama`, `host gpu-01` or `all`.

    `old` and `new` are what held and holds there, `previous` what had been set in that very scope, empty if nothing.
    `effect` is what the new value would have done in the last 24 hours, None if records cannot tell. `tried`: nothing
    was changed.
    """

    name: str
    scope: str
    old: str
    new: str
    source: str
    by: str
    at: float
    previous: str = ""
    effect: Effect | None = None
    tried: bool = False


@dataclass(frozen=True, slots=True)
class MuteAnswer:
    """What a mute or unmute did: the mutes it made or ended, and what is firing in their scope.

    `still` are the mutes that cover, wholly or in part, what was unmuted.
    """

    mutes: tuple[Mute, ...]
    firing: tuple[Incident, ...]
    still: tuple[Mute, ...] = ()


@dataclass(frozen=True, slots=True)
class AckAnswer:
    """What an acknowledge did: the incidents now acknowledged, and those that somebody had acknowledged before."""

    incidents: tuple[Incident, ...]
    already: tuple[Incident, ...] = ()


@dataclass(frozen=True, slots=True)
class FalseAlarmAnswer:
    """What marking an incident as a false alarm did, or undoing that; `changed` is False if it was marked before."""

    incident: Incident
    changed: bool = True


@dataclass(frozen=True, slots=True)
class Verdict:
    """What one look at a run came to; nothing of it is stored.

    `status` is as monitoring plugins have it: 0 ok, 1 warning, 2 critical, 3 unknown. `state` is as in `RunView`.
    `text` says all of it in one line. `line_at` is when the newest progress line was written (our clock, seconds since
    1970). `clock_skew` is how many seconds the host's clock is ahead, None if the host did not answer. `learning` and
    `process` are as in `RunView`.
    """

    run: str
    host: str
    status: int
    state: str
    text: str
    iteration: int | None = None
    total: int | None = None
    line_at: float | None = None
    clock_skew: float | None = None
    learning: bool = False
    process: str = ""


@dataclass(frozen=True, slots=True)
class LogTail:
    """The last lines of a run's newest log, read from its host at `at`; or, in `trouble`, why there are none.

    The lines are clean and redacted; `redacted` counts the secrets that were taken out of them. `written_at` is when
    the file was last written, on our clock.
    """

    run: str
    host: str
    at: float
    path: str = ""
    written_at: float | None = None
    lines: tuple[str, ...] = ()
    redacted: int = 0
    trouble: str = ""


@dataclass(frozen=True, slots=True)
class Link:
    """A standing connection to those who are told: whether it is open, and since when that is so."""

    name: str
    open: bool
    since: float


@dataclass(frozen=True, slots=True)
class Running:
    """What only the running monitor knows of itself; `lags` are the seconds by which each host's poll is late."""

    started_at: float
    lags: Mapping[str, float] = field(default_factory=dict)
    links: tuple[Link, ...] = ()


@dataclass(frozen=True, slots=True)
class ReceiverHealth:
    """How it stands with one receiver: what waits for it since when, the last success, and the last error."""

    notifier: str
    target: str
    waiting: int = 0
    oldest_at: float | None = None
    sent_at: float | None = None
    failed_at: float | None = None
    error: str = ""


@dataclass(frozen=True, slots=True)
class HostHealth:
    """Whether a host answers, when it last did, and what it said instead."""

    name: str
    answers: bool
    seen_at: float | None = None
    error: str = ""


@dataclass(frozen=True, slots=True)
class Health:
    """How the monitor itself does, at `now`.

    `running` is known to the monitor alone, None in a shell. `holder` has the lease until `lease_until`; empty if
    nobody ever had. `seen_at` is the age of the newest data. `incidents` are those of the monitor itself.
    """

    now: float
    version: str
    running: Running | None = None
    holder: str = ""
    lease_until: float | None = None
    hosts: tuple[HostHealth, ...] = ()
    receivers: tuple[ReceiverHealth, ...] = ()
    incidents: tuple[Incident, ...] = ()
    seen_at: float | None = None
    database_bytes: int = 0

    @property
    def on_duty(self) -> bool:
        """Return whether somebody holds the lease now."""
        return self.lease_until is not None and self.now < self.lease_until


@dataclass(frozen=True, slots=True)
class AlertResult:
    """What became of a test alert for one receiver: `sent`, `failed`, or `waiting` for an answer; `error` says why."""

    receiver: str
    state: str
    error: str = ""
    attempts: int = 0


class State(StrEnum):
    """What one check of the set-up came to: a warning keeps nothing from working."""

    OK = "ok"
    WARN = "warn"
    FAIL = "FAIL"


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """One check of the set-up: which part, what was found, and, where something is wrong, what to do."""

    part: str
    state: State
    what: str
    fix: str = ""
