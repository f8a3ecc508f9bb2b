"""How people tune thresholds: what holds and why, and what a change does."""

from __future__ import annotations

from sqlalchemy import Connection

from monitor_core.errors import CommandError
from monitor_core.model.incidents import Setting
from monitor_core.model.views import ThresholdChange, ThresholdView
from monitor_core.roster import Roster, Sourced
from monitor_core.store import queries
from monitor_core.thresholds import CATALOGUE, Threshold


def views(connection: Connection, roster: Roster, scope: str) -> tuple[ThresholdView, ...]:
    """Return the thresholds that hold in a scope, each with its source and with what it would be by configuration."""
    held, defaults = roster.thresholds(scope, queries.load_settings(connection)), roster.thresholds(scope, ())
    return tuple(_view(CATALOGUE[name], sourced, defaults[name]) for name, sourced in held.items())


def change(
    connection: Connection, roster: Roster, actor: str, threshold: Threshold, scope: str, value: str | None, now: float
) -> ThresholdChange:
    """Set a threshold in a scope, or with None undo what was set there, and write down who did it."""
    before = _set(connection, scope, threshold)
    old = _held(connection, roster, scope, threshold)
    if value is None:
        if before is None:
            raise CommandError(f"Nobody has set {threshold.name} for {scope}.", f"threshold show {_name(scope)}")
        queries.drop_setting(connection, scope, threshold.name)
    else:
        queries.save_setting(connection, Setting(scope, threshold.name, value, actor, now))
    new = _held(connection, roster, scope, threshold)
    queries.add_audit(
        connection,
        at=now,
        actor=actor,
        verb="threshold reset" if value is None else "threshold set",
        subject=f"{threshold.name} for {scope}",
        old=_text(old),
        new=_text(new),
    )
    previous = "" if before is None else before.value
    return ThresholdChange(threshold.name, scope, _text(old), _text(new), new.source, actor, now, previous)


def _set(connection: Connection, scope: str, threshold: Threshold) -> Setting | None:
    settings = queries.load_settings(connection)
    return next((s for s in settings if (s.scope, s.name) == (scope, threshold.name)), None)


def _held(connection: Connection, roster: Roster, scope: str, threshold: Threshold) -> Sourced:
    return roster.thresholds(scope, queries.load_settings(connection))[threshold.name]


def _view(threshold: Threshold, sourced: Sourced, default: Sourced) -> ThresholdView:
    return ThresholdView(
        name=threshold.name,
        meaning=threshold.meaning,
        value=_text(sourced),
        source=sourced.source,
        default=_text(default),
        allowed=threshold.allowed,
        by=sourced.by,
        at=sourced.at,
    )


def _text(sourced: Sourced) -> str:
    return "off" if sourced.value is None else sourced.value.text


def _name(scope: str) -> str:
    return scope.partition(" ")[2] or scope
