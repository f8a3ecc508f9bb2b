"""What `control` answers to people: plain values that Slack and the shell lay out."""

from __future__ import annotations

from dataclasses import dataclass

from monitor_core.model.incidents import Incident, Mute, Phase


@dataclass(frozen=True, slots=True)
class RunView:
    """One run as it is known now. Times are seconds since 1970 on our clock; None where it was never seen.

    `state` is the phase, or the ending (`finished`, `failed`, `stopped`), or `unknown`. `seen_at` is when its host last
    answered for it. `eta` is when it will be done at its usual pace. `incidents` are firing, worst first.
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
    cause: str = ""
    seen_at: float | None = None
    clock_skew: float | None = None
    incidents: tuple[Incident, ...] = ()
    mutes: tuple[Mute, ...] = ()


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
    """

    name: str
    meaning: str
    value: str
    source: str
    default: str
    allowed: str
    by: str = ""
    at: float | None = None


@dataclass(frozen=True, slots=True)
class ThresholdChange:
    """What a change of a threshold did: `scope` is `run llama`, `host gpu-01` or `all`.

    `old` and `new` are what held and holds there, `previous` what had been set in that very scope, empty if nothing.
    """

    name: str
    scope: str
    old: str
    new: str
    source: str
    by: str
    at: float
    previous: str = ""


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
