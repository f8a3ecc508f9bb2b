"""Judges a run: one file a judgement, and here the table of which judgements belong to a preset."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from monitor_core.detect import ending, exiting, limits, loss, nan, seed, skipping, slow, stuck
from monitor_core.model.incidents import Finding
from monitor_core.thresholds import Preset, Values
from monitor_core.track.state import RunState

Observe = Callable[[RunState, Values, float], Finding | None]
Deadline = Callable[[RunState, Values, float], float | None]
Follow = Callable[[RunState, Values, float], None]
Patience = Callable[[Values], float]
Learning = Callable[[RunState, Values], bool]


@dataclass(frozen=True, slots=True)
class Rules:
    """The judgements of a preset.

    `follow` are called after each progress line with its time. `observers` are asked for their finding now (our clock).
    `deadline` says when a verdict can change without a new line; not before so many seconds of silence as `patience`
    says, which is cheaper to ask. `learning` says whether the lines so far are too few
    for the observers to judge by: then it means nothing that they find nothing.
    """

    follow: tuple[Follow, ...]
    observers: tuple[Observe, ...]
    deadline: Deadline
    patience: Patience
    learning: Learning


_OBSERVERS = (
    ending.observe,
    exiting.observe,
    stuck.observe,
    slow.observe,
    nan.observe,
    loss.spike,
    loss.diverged,
    loss.flat,
    skipping.observe,
)
RULES = {
    Preset.DEFAULT: Rules((limits.follow, slow.follow), _OBSERVERS, stuck.deadline, limits.patience, slow.learning),
    Preset.SEED: Rules(
        (seed.follow,),
        (ending.observe, exiting.observe, seed.stuck, seed.slow),
        seed.stuck_deadline,
        seed.patience,
        seed.learning,
    ),
}


def follow(rules: Rules, state: RunState, values: Values, at: float) -> None:
    """Let the judgements of a preset take the last progress line, written at `at`, into account."""
    for each in rules.follow:
        each(state, values, at)


def findings(rules: Rules, state: RunState, values: Values, now: float) -> list[Finding]:
    """Return what all judgements of a preset say now."""
    seen = (observe(state, values, now) for observe in rules.observers)
    return [finding for finding in seen if finding is not None]
