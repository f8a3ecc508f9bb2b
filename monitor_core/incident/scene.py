"""What is known around an incident when a message about it is written."""

from __future__ import annotations

from dataclasses import dataclass

from monitor_core.model.incidents import Mute


@dataclass(frozen=True, slots=True)
class Scene:
    """The run or host of an incident as it is now. Times are seconds since 1970 on our clock.

    `usual_ms` is the usual time per iteration. `resumed` is the iteration from which the newest launch went on. `runs`
    are the runs of a host with where they were last seen. `prefix` is what people type before a command: `/trainstatus`
    in Slack, `trainstatus` in a shell. `tail` are the last log lines. `error` is the sentence of the last failure of a
    host or a receiver.
    """

    host: str = ""
    address: str = ""
    owner: str = ""
    iteration: int | None = None
    total: int | None = None
    loss: float | None = None
    ms: float | None = None
    usual_ms: float | None = None
    line_at: float | None = None
    resumed: int | None = None
    seen_at: float | None = None
    checkpoint: int | None = None
    checkpoint_at: float | None = None
    tail: tuple[str, ...] = ()
    runs: tuple[tuple[str, int | None, int | None], ...] = ()
    mute: Mute | None = None
    prefix: str = "trainstatus"
    error: str = ""
