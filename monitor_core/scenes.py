"""Looks up what surrounds an incident when a message about it is written."""

from __future__ import annotations

from dataclasses import replace

from sqlalchemy import Connection

from monitor_core.incident.scene import Scene
from monitor_core.model.incidents import Incident, SubjectKind
from monitor_core.roster import Roster
from monitor_core.store import queries


def scene(connection: Connection, roster: Roster, incident: Incident) -> Scene:
    """Return what is known around an incident now."""
    mute = queries.load_mute(connection, incident.muted) if incident.muted else None
    prefix = "/trainstatus" if roster.config.slack is not None and "slack" in roster.notifiers else "trainstatus"
    if incident.subject.kind is SubjectKind.SELF:
        return Scene(mute=mute, prefix=prefix)
    host = roster.host_of(incident.subject)
    address = roster.config.hosts[host].address if host in roster.config.hosts else ""
    around = Scene(host=host, address=address, mute=mute, prefix=prefix)
    look_up = _of_host if incident.subject.kind is SubjectKind.HOST else _of_run
    return look_up(connection, roster, incident.subject.name, around)


def _of_host(connection: Connection, roster: Roster, host: str, around: Scene) -> Scene:
    row = queries.load_hosts(connection).get(host)
    runs = roster.runs_on(host)
    owners = {roster.run(name).owner for name in runs} - {""}
    return replace(
        around,
        owner=owners.pop() if len(owners) == 1 else "",
        runs=tuple(_last_seen(connection, name) for name in runs),
        error=row.error if row is not None else "",
    )


def _of_run(connection: Connection, roster: Roster, run: str, around: Scene) -> Scene:
    owner = roster.run(run).owner if run in roster.config.runs else ""
    row = queries.load_run(connection, run)
    if row is None:
        return replace(around, owner=owner)
    # A run that is no longer configured was on this host when it was looked at last.
    around, state = replace(around, owner=owner, host=around.host or row.host), row.known()
    if state is None:
        return around
    return replace(
        around,
        iteration=state.iteration,
        total=state.total,
        loss=state.loss,
        ms=state.ms,
        usual_ms=state.pace.usual or state.ms,
        line_at=state.line_at,
        resumed=state.resumed,
        seen_at=row.seen_at,
        checkpoint=state.checkpoint,
        checkpoint_at=state.checkpoint_at,
        tail=tuple(state.tail),
    )


def _last_seen(connection: Connection, run: str) -> tuple[str, int | None, int | None]:
    row = queries.load_run(connection, run)
    state = row.known() if row is not None else None
    return (run, None, None) if state is None else (run, state.iteration, state.total)
