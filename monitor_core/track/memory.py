"""Run states as text, for the store; a state written by an older version is read with defaults for what it lacks."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BeforeValidator, TypeAdapter

from monitor_core.track.state import RunState

# What an older version kept beside each other has a group of its own now, where it may have another name.
_MOVED = {
    "gaps": ("silence", "gaps"),
    "usual_gap": ("silence", "usual_gap"),
    "lags": ("silence", "lags"),
    "longest": ("silence", "longest"),
    "odd_gap": ("silence", "odd_gap"),
    "covers_pause": ("silence", "covers_pause"),
    "ending": ("end", "kind"),
    "ended_at": ("end", "at"),
    "ending_text": ("end", "text"),
    "exit_code": ("end", "exit_code"),
}


def _regrouped(stored: dict[str, Any]) -> dict[str, Any]:
    """Return a stored state with everything where it is kept now."""
    groups: dict[str, dict[str, Any]] = {}
    for old, (group, name) in _MOVED.items():
        if old in stored:
            groups.setdefault(group, {})[name] = stored[old]
    return groups | stored


_WRITTEN = TypeAdapter(RunState)
_STORED = TypeAdapter(Annotated[RunState, BeforeValidator(_regrouped)])


def dump(state: RunState) -> str:
    """Return the state as JSON."""
    return _WRITTEN.dump_json(state).decode()


def load(text: str) -> RunState:
    """Return the state that `dump` wrote, now or in an older version."""
    return _STORED.validate_json(text)
