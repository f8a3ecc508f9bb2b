"""Run states as text, for the store; a state written by an older version is read with defaults for what it lacks."""

from __future__ import annotations

from pydantic import TypeAdapter

from monitor_core.track.state import RunState

_STATE = TypeAdapter(RunState)


def dump(state: RunState) -> str:
    """Return the state as JSON."""
    return _STATE.dump_json(state).decode()


def load(text: str) -> RunState:
    """Return the state that `dump` wrote."""
    return _STATE.validate_json(text)
