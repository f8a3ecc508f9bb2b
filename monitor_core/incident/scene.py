"""What is known around an incident when a message about it is written."""

from __future__ import annotations

from dataclasses import dataclass

from monitor_core.model.incidents import Incident, Mute


@dataclass(frozen=True, slots=True)
class Scene:
    """The run or host of an incident as it is now. Times are seconds since 1970 on our clock.

    `usual_ms` is the usual time per iteration. `resumed` is the iteration from which the newest launch went on,
    `redone` how many it does again, and `launched_at` when it began.
    `prefix` is what people type before a command: `/trainstatus` in Slack, `trainstatus` in a shell. `tail` are the
    last log lines. `owners` are the owners of the runs that it is about, with how many of them. Of a host, `runs` are
    those that cannot be seen without it, with where they were last seen, `behind` the hosts that are reached through
    it, `others` how many of how many other hosts answer. Of the monitor, `fine` is with how many runs nothing is or was
    wrong, `passed` are the incidents that fired while it did not look, `unseen` says what it cannot see now, with how
    many runs that are.
    """

    host: str = ""
    address: str = ""
    owners: tuple[tuple[str, int], ...] = ()
    iteration: int | None = None
    total: int | None = None
    loss: float | None = None
    ms: float | None = None
    usual_ms: float | None = None
    line_at: float | None = None
    resumed: int | None = None
    redone: int | None = None
    launched_at: float | None = None
    seen_at: float | None = None
    checkpoint: int | None = None
    checkpoint_at: float | None = None
    tail: tuple[str, ...] = ()
    runs: tuple[tuple[str, int | None, int | None], ...] = ()
    behind: tuple[str, ...] = ()
    others: tuple[int, int] | None = None
    fine: int = 0
    passed: tuple[Incident, ...] = ()
    unseen: tuple[tuple[str, int], ...] = ()
    mute: Mute | None = None
    prefix: str = "trainstatus"
