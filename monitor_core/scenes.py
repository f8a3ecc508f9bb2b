"""Looks up what surrounds an incident when a message about it is written."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace

from sqlalchemy import Connection

from monitor_core.incident.scene import Scene
from monitor_core.model.incidents import Incident, Kind, Subject, SubjectKind
from monitor_core.roster import Roster
from monitor_core.store import episodes, queries


def scene(connection: Connection, roster: Roster, incident: Incident) -> Scene:
    """Return what is known around an incident now."""
    mute = queries.load_mute(connection, incident.muted) if incident.muted else None
    prefix = "/trainstatus" if roster.config.slack is not None and "slack" in roster.notifiers else "trainstatus"
    if incident.subject.kind is SubjectKind.SELF:
        around = Scene(mute=mute, prefix=prefix)
        return _of_blindness(connection, roster, incident, around) if incident.kind is Kind.BLIND else around
    host = roster.host_of(incident.subject)
    address = roster.config.hosts[host].address if host in roster.config.hosts else ""
    around = Scene(host=host, address=address, mute=mute, prefix=prefix)
    look_up = _of_host if incident.subject.kind is SubjectKind.HOST else _of_run
    return look_up(connection, roster, incident.subject.name, around)


def _of_host(connection: Connection, roster: Roster, host: str, around: Scene) -> Scene:
    runs = roster.runs_of(Subject(SubjectKind.HOST, host))
    row = queries.load_hosts(connection).get(host)
    return replace(
        around,
        seen_at=row.seen_at if row is not None and row.failures == 0 else None,
        owners=_owners(roster, runs),
        runs=tuple(_last_seen(connection, name) for name in runs),
        behind=tuple(name for name in roster.behind(host) if roster.runs_on(name)),
        others=_others(connection, roster, host),
    )


def _owners(roster: Roster, runs: Sequence[str]) -> tuple[tuple[str, int], ...]:
    """Return the owners of runs with how many of them are theirs, who has most first."""
    counted = Counter(roster.run(name).owner for name in runs)
    return tuple((owner, number) for owner, number in counted.most_common() if owner)


def _others(connection: Connection, roster: Roster, host: str) -> tuple[int, int] | None:
    """Return how many of how many other hosts answer; None where there is no other. Those behind it do not count."""
    no_other = {host, *roster.behind(host)}
    rows = [
        row for name, row in queries.load_hosts(connection).items() if name not in no_other and roster.runs_on(name)
    ]
    return (sum(row.failures == 0 for row in rows), len(rows)) if rows else None


def _of_blindness(connection: Connection, roster: Roster, incident: Incident, around: Scene) -> Scene:
    passed = episodes.fired_between(connection, incident.starts_at, incident.ended_at)
    unseen = list(_unseen(connection, roster))
    wrong = {other.subject.name for other in (*passed, *queries.active_incidents(connection))}
    hidden = {run for _, runs in unseen for run in runs}
    return replace(
        around,
        fine=len(roster.config.runs.keys() - wrong - hidden),
        passed=tuple(passed),
        unseen=tuple((what, len(runs)) for what, runs in unseen),
    )


def _unseen(connection: Connection, roster: Roster) -> Iterator[tuple[str, list[str]]]:
    """Say what cannot be seen now, each with the runs that are hidden by it."""
    rows, hosts = queries.load_runs(connection), queries.load_hosts(connection)
    silent = [name for name, row in hosts.items() if row.failures and roster.runs_on(name)]
    yield from ((f"{name} does not answer", roster.runs_on(name)) for name in silent)
    for name in roster.config.runs:
        row = rows.get(name)
        state = row.known() if row is not None else None
        if roster.run(name).host not in silent and (state is None or state.missing_since is not None):
            yield f"{name}: its log cannot be read", [name]


def _of_run(connection: Connection, roster: Roster, run: str, around: Scene) -> Scene:
    owner = roster.run(run).owner if run in roster.config.runs else ""
    around = replace(around, owners=((owner, 1),) if owner else ())
    row = queries.load_run(connection, run)
    if row is None:
        return around
    # A run that is no longer configured was on this host when it was looked at last.
    around, state = replace(around, host=around.host or row.host), row.known()
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
        resumed=state.relaunch.resumed,
        redone=state.relaunch.redone,
        launched_at=state.started_at,
        seen_at=row.seen_at,
        checkpoint=state.checkpoint,
        checkpoint_at=state.checkpoint_at,
        tail=tuple(state.tail),
    )


def _last_seen(connection: Connection, run: str) -> tuple[str, int | None, int | None]:
    row = queries.load_run(connection, run)
    state = row.known() if row is not None else None
    return (run, None, None) if state is None else (run, state.iteration, state.total)
