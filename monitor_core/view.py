"""Runs and hosts as people are shown them: from what is stored to the values that Slack and the shell lay out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from monitor_core.detect.ending import learns, verdict
from monitor_core.incident.mutes import covers
from monitor_core.model.incidents import UNSEEN, Incident, Mute, Phase, Subject, SubjectKind
from monitor_core.model.views import HostView, RunView
from monitor_core.parse.signatures import EXIT_CODE, describe
from monitor_core.roster import Roster
from monitor_core.store.queries import HostRow, RunRow
from monitor_core.track.state import RunState


def run_view(
    roster: Roster, name: str, row: RunRow | None, incidents: Sequence[Incident], mutes: Sequence[Mute], now: float
) -> RunView:
    """Return a run as it is known now."""
    config, host = roster.run(name), roster.run(name).host
    subject = Subject(SubjectKind.RUN, name)
    about = {subject, *(Subject(SubjectKind.HOST, each) for each in roster.way(host))}
    own = tuple(sorted((i for i in incidents if i.subject in about), key=lambda i: (-i.severity.rank, i.number)))
    unseen = RunView(
        name=name,
        host=host,
        address=roster.host(host).address,
        owner=config.owner,
        state=str(Phase.UNKNOWN),
        phase=Phase.UNKNOWN,
        incidents=own,
        mutes=tuple(mute for mute in mutes if covers(mute, subject, host)),
    )
    state = row.known() if row is not None else None
    if row is None or state is None:
        return unseen
    known = _known(unseen, row, state)
    if any(incident.kind in UNSEEN for incident in own):
        return known
    return replace(known, state=_state(state), phase=state.phase, learning=learns(state))


def _known(view: RunView, row: RunRow, state: RunState) -> RunView:
    return replace(
        view,
        iteration=state.iteration,
        total=state.total,
        loss=state.loss,
        ms_per_iteration=state.ms,
        usual_ms=state.pace.usual or state.ms,
        eta=_eta(state),
        last_line_at=state.line_at,
        started_at=state.started_at,
        ended_at=_ended_at(state),
        checkpoint=state.checkpoint,
        checkpoint_at=state.checkpoint_at,
        launches=state.launches,
        resumed=state.relaunch.resumed,
        redone=state.relaunch.redone,
        cause=_cause(state),
        seen_at=row.seen_at,
        clock_skew=row.clock_skew,
        process=state.process.text,
    )


def host_view(
    roster: Roster, name: str, row: HostRow | None, incidents: Sequence[Incident], mutes: Sequence[Mute], now: float
) -> HostView:
    """Return a host as it is known now."""
    subject = Subject(SubjectKind.HOST, name)
    return HostView(
        name=name,
        address=roster.host(name).address,
        answers=row is not None and row.failures == 0,
        seen_at=row.seen_at if row is not None else None,
        runs=tuple(roster.runs_of(subject)),
        incidents=tuple(i for i in incidents if i.subject == subject),
        mutes=tuple(mute for mute in mutes if covers(mute, subject, name)),
    )


def worst_first(run: RunView) -> tuple[int, float, str]:
    """Order runs: what fires and nobody has taken, then what is taken, then what runs, then what has ended."""
    free = [incident for incident in run.incidents if not incident.taken_by]
    if free:
        return (-max(i.severity.rank for i in free) - 10, min(i.starts_at for i in free), run.name)
    if run.incidents:
        return (-5, min(i.starts_at for i in run.incidents), run.name)
    if run.ended_at is not None:
        return (5, -run.ended_at, run.name)
    return (0, run.eta or float("inf"), run.name)


def _state(state: RunState) -> str:
    kind = verdict(state)
    return str(kind) if kind is not None else str(state.phase)


def _ended_at(state: RunState) -> float | None:
    if verdict(state) is None:
        return None
    return state.end.at if state.end.at is not None or state.failure is None else state.failure.at


def _cause(state: RunState) -> str:
    if state.failure is None or state.failure.resumed:
        return describe(EXIT_CODE, state.end.exit_code) if state.end.exit_code else ""
    return describe(state.failure.failure.signature)


def _eta(state: RunState) -> float | None:
    usual = state.pace.usual or state.ms
    if None in (state.total, state.iteration, state.line_at) or usual is None or verdict(state) is not None:
        return None
    left = max(0, (state.total or 0) - (state.iteration or 0))
    return (state.line_at or 0.0) + left * usual / 1000
