"""The verbs of people: status, mute, unmute, mutes, threshold, ack, unack. The same `control` as in Slack."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from monitor_core.cli import text
from monitor_core.cli.asking import actor, answer
from monitor_core.control import Control
from monitor_core.errors import CommandError
from monitor_core.model.words import kind_meant, kind_written
from monitor_core.units import DURATION_EXAMPLES, parse_duration

_CLOCK = "%H:%M"
# How many words may follow each verb; with the larger number the first of them is a run, a host or `all`.
_TUNING = {"show": (0, 1), "set": (2, 3), "reset": (1, 2)}


def status(arguments: argparse.Namespace, _extension: object) -> int:
    """Show all runs, or one, or the monitor itself."""
    if arguments.own:
        return answer(arguments, lambda control: control.health(), text.health)
    if arguments.run:
        return answer(arguments, lambda control: control.run(arguments.run), text.run)
    return answer(arguments, lambda control: control.overview(), text.overview)


def mute(arguments: argparse.Namespace, _extension: object) -> int:
    """Hold messages back."""

    def act(control: Control) -> Any:
        kind, until, reason = mute_words(arguments.words, control.clock())
        return control.mute(actor(), arguments.target, kind=kind, until=until, reason=reason)

    return answer(arguments, act, text.muted)


def unmute(arguments: argparse.Namespace, _extension: object) -> int:
    """End a mute."""
    return answer(
        arguments, lambda control: control.unmute(actor(), arguments.target, kind=arguments.kind), text.unmuted
    )


def mutes(arguments: argparse.Namespace, _extension: object) -> int:
    """List the mutes in force."""
    return answer(arguments, lambda control: control.mutes(), text.mutes)


def threshold(arguments: argparse.Namespace, _extension: object) -> int:
    """Show, set, undo or try thresholds: `[show] [TARGET]`, `[set] [TARGET] NAME VALUE`, `reset [TARGET] NAME`."""
    words = list(arguments.words)
    verb = words.pop(0) if words and words[0] in _TUNING else ("set" if len(words) > 1 else "show")
    if len(words) not in _TUNING[verb]:
        raise CommandError(
            "Type `threshold [show] [RUN]`, `threshold [set] [RUN] NAME VALUE` or `threshold reset [RUN] NAME`, "
            "with --run, --host or --all for the scope."
        )
    targeted = len(words) == _TUNING[verb][-1]
    if targeted and (arguments.run or arguments.host or arguments.all):
        raise CommandError(f"The scope is named twice: leave out {words[0]}, or --run, --host and --all.")
    if arguments.dry_run and verb == "show":
        raise CommandError("--dry-run tries what `threshold set` or `threshold reset` would do.")

    def act(control: Control) -> Any:
        scope = control.targets.scope_of(words.pop(0)) if targeted else _scope(arguments)
        if verb == "show":
            return control.thresholds(scope.rpartition(" ")[2])
        change = control.set_threshold if verb == "set" else control.reset_threshold
        return change(actor(), *words, scope=scope, dry_run=arguments.dry_run)

    return answer(arguments, act, text.thresholds if verb == "show" else text.changed)


def ack(arguments: argparse.Namespace, _extension: object) -> int:
    """Take incidents."""
    return answer(arguments, lambda control: control.ack(actor(), arguments.target), text.acknowledged)


def unack(arguments: argparse.Namespace, _extension: object) -> int:
    """Give incidents back."""
    return answer(arguments, lambda control: control.unack(actor(), arguments.target), text.given_back)


def mute_words(words: Sequence[str], now: float) -> tuple[str, float | None, str]:
    """Return kind, end (seconds since 1970, None: the default) and reason of `[KIND] [2h|until HH:MM] [REASON]`."""
    rest, until = list(words), None
    kind = _kind(rest[0]) if rest else ""
    if kind:
        rest.pop(0)
    if rest and rest[0] == "until":
        if len(rest) == 1:
            raise CommandError("`until` wants a time such as 09:00 (UTC).")
        until = _next_time(rest[1], now)
        rest = rest[2:]
    elif rest and rest[0][:1].isdigit():
        try:
            until = now + parse_duration(rest.pop(0))
        except ValueError as error:
            raise CommandError(f"{error}.") from error
    return kind, until, " ".join(rest)


def _kind(word: str) -> str:
    """Only the full word: in `mute llama host moved` the second one begins a reason, not host_key."""
    if meant := kind_meant(word):
        raise CommandError(
            f"No kind of incident is named {word}. Did you mean {meant}? "
            "If it begins the reason, say how long before it."
        )
    return kind_written(word) or ""


def _next_time(word: str, now: float) -> float:
    try:
        clock = datetime.strptime(word, _CLOCK).replace(tzinfo=UTC)
    except ValueError as error:
        raise CommandError(
            f"{word!r} is no time of day (example: 09:00, UTC); or give a duration ({DURATION_EXAMPLES})."
        ) from error
    today = datetime.fromtimestamp(now, UTC)
    moment = today.replace(hour=clock.hour, minute=clock.minute, second=0, microsecond=0)
    return (moment if moment > today else moment + timedelta(days=1)).timestamp()


def _scope(arguments: argparse.Namespace) -> str:
    if arguments.run:
        return f"run {arguments.run}"
    return f"host {arguments.host}" if arguments.host else "all"
