"""What is known of all runs → the overview, worst first (pure)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from bot import messages
from bot.answers import DAY, Answer, answer, said
from bot.blocks import (
    EMOJI,
    LABEL,
    Block,
    actions,
    button,
    context,
    escape,
    header,
    plain,
    section,
    short_name,
)
from monitor_core.model.incidents import KINDS, UNSURE, Incident, Kind, Mute, Severity, SubjectKind
from monitor_core.model.message import Look, Strong, Text, Time
from monitor_core.model.views import HostView, Overview, RunView
from monitor_core.units import count, duration, ratio, significant

_LINES = 20  # of the overview
_PER_BLOCK = 10
_MENU = 25  # runs in the menu; more would make the message too long, and are typed
_SHARE = "status --share"
_NAMED = 3  # runs in the text for pushes
ENDED = frozenset({"finished", "stopped", "failed"})
STATE_WORDS = {"training": "running", "checkpointing": "saving", "stopped": "stopped early"}
RUNNING = ":large_green_circle:"


class Group(StrEnum):
    """Where a run stands in the overview, worst first."""

    NEEDS = "Needs someone"
    ACKNOWLEDGED = "Acknowledged"
    UNKNOWN = "Unknown, not stuck"
    RUNNING = "Running"
    ENDED = "Finished in the last 24h"
    LONG_ENDED = "Ended before"


_COUNTED = {
    Group.ACKNOWLEDGED: "acknowledged",
    Group.UNKNOWN: "unknown",
    Group.RUNNING: "running",
    Group.ENDED: "finished",
    Group.LONG_ENDED: "ended before",
}


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the overview; `rank` is its place in its group, `plain` what the text for pushes says of it."""

    group: Group
    spans: Text
    plain: str = ""
    rank: int = 0


def overview(view: Overview) -> Answer:
    """Lay out all runs in groups; more than 20 lines are counted, not shown."""
    lines = sorted(_lines(view), key=lambda line: (list(Group).index(line.group), line.rank))
    title = _title(len(view.runs), sum(line.group is Group.NEEDS for line in lines))
    summary = escape(_plain(len(view.runs), lines))
    return answer(summary, header(title), *_groups(lines, view.now), _buttons(view), _footer(view))


def _title(runs: int, needing: int) -> str:
    total = f"{runs} run{'' if runs == 1 else 's'}"
    if not needing:
        return f"{total}: none needs someone" if runs else "No runs are configured"
    return f"{total}: {needing} need{'s' if needing == 1 else ''} someone"


def _plain(runs: int, lines: Sequence[Line]) -> str:
    needing = [line.plain for line in lines if line.group is Group.NEEDS]
    more = f" and {len(needing) - _NAMED} more" if len(needing) > _NAMED else ""
    counted = {group: sum(line.group is group for line in lines) for group in _COUNTED}
    return (
        ", ".join(
            (
                _title(runs, len(needing)) + (f" ({', '.join(needing[:_NAMED])}{more})" if needing else ""),
                *(f"{number} {_COUNTED[group]}" for group, number in counted.items() if number),
            )
        )
        + "."
    )


def _groups(lines: Sequence[Line], now: float) -> Iterable[Block]:
    room = _LINES
    for group in Group:
        members = [line for line in lines if line.group is group]
        shown = [] if group is Group.LONG_ENDED else members[:room]
        room -= len(shown)
        yield from _group(group, [said(line.spans, now) for line in shown], len(members) - len(shown))


def _group(group: Group, lines: list[str], hidden: int) -> Iterable[Block]:
    if hidden:
        lines.append(f"and {hidden} more" if lines else f"{hidden} not shown")
    for start in range(0, len(lines), _PER_BLOCK):
        title = "" if start else f"*{group}*\n"
        yield section(title + "\n".join(lines[start : start + _PER_BLOCK]))


def _buttons(view: Overview) -> Block:
    names = [run.name for run in view.runs if len(run.name) <= LABEL][:_MENU]
    menu = [_menu(names)] if names else []
    return actions("overview", [*menu, button("Refresh", "refresh", "status"), button("Share here", "redo", _SHARE)])


def _menu(names: Sequence[str]) -> Block:
    options = [{"text": plain(name, LABEL), "value": name} for name in names]
    placeholder = plain("Show a run", LABEL)
    return {"type": "static_select", "action_id": "open_run", "placeholder": placeholder, "options": options}


def _footer(view: Overview) -> Block:
    answering = [host for host in view.hosts if host.answers]
    oldest = min((host.seen_at for host in answering if host.seen_at is not None), default=None)
    age = messages.data_age(oldest, view.now)
    at = said(("At ", Time(view.now)), view.now)
    return context(f"{at} · {age} · {len(answering)} of {len(view.hosts)} hosts answer")


# Lines


def _lines(view: Overview) -> Iterable[Line]:
    for incident in open_incidents(view.incidents):
        yield _wrong("trainstatus", incident, view.now, "the monitor itself", ())
    for host in view.hosts:
        for incident in open_incidents(host.incidents)[:1]:
            yield _wrong(host.name, incident, view.now, _runs_of(host), host.mutes)
    for run in view.runs:
        yield _run(run, view.now)


def _runs_of(host: HostView) -> str:
    return f"{len(host.runs)} run{'' if len(host.runs) == 1 else 's'}"


def open_incidents(incidents: Sequence[Incident]) -> list[Incident]:
    """Return what is wrong, that which nobody is on first."""
    wrong = [incident for incident in incidents if incident.severity is not Severity.INFO]
    return sorted(wrong, key=lambda incident: bool(incident.taken_by))


def state_words(incident: Incident, now: float) -> str:
    """Name an incident with its measure: `STUCK 23m`, `SLOW 1.62x 34m`, `FAILED`."""
    spec, factor = KINDS[incident.kind], incident.facts.get("factor")
    measure = [ratio(factor)] if isinstance(factor, float) else []
    lasts = [] if spec.once else [duration(now - incident.starts_at)]
    return " ".join((spec.word, *measure, *lasts))


def mark(incident: Incident) -> str:
    """Return the emoji of an incident."""
    if incident.taken_by:
        return EMOJI[Look.ACKNOWLEDGED]
    if incident.kind in UNSURE:
        return EMOJI[Look.UNKNOWN]
    if incident.kind is Kind.FLAPPING:
        return EMOJI[Look.FLAPPING]
    return EMOJI[Look.CRITICAL if incident.severity is Severity.CRITICAL else Look.WARNING]


def _wrong(name: str, incident: Incident, now: float, where: str, mutes: Sequence[Mute]) -> Line:
    words = state_words(incident, now)
    false = "false alarm, " if incident.false_alarm_by else ""
    person: Text = (false, messages.person(incident.taken_by)) if incident.taken_by else (where,)
    group = Group.ACKNOWLEDGED if incident.taken_by else Group.NEEDS
    spans = (*_name(mark(incident), name), words, " · ", *person, *_until(mutes))
    return Line(group, spans, f"{name} {words}", _rank(incident))


def _rank(incident: Incident) -> int:
    """Order what is wrong: critical, warning, then what cannot be seen, then what comes and goes."""
    if incident.kind is Kind.FLAPPING:
        return len(Severity) + 1
    return len(Severity) if incident.kind in UNSURE else -incident.severity.rank


def _name(emoji: str, name: str) -> Text:
    return (f"{emoji} ", Strong((short_name(name),)), "  ")


def _until(mutes: Sequence[Mute]) -> Text:
    if not mutes:
        return ()
    return (f" · {EMOJI[Look.MUTED]} until ", messages.minute(max(mute.until for mute in mutes)))


def _run(run: RunView, now: float) -> Line:
    wrong = [i for i in open_incidents(run.incidents) if i.subject.kind is SubjectKind.RUN]  # the host has its own line
    if wrong:
        return _wrong(run.name, wrong[0], now, run.host, run.mutes)
    group = _group_of(run, now)
    if group is Group.UNKNOWN:
        return Line(group, (*_name(run_mark(run), run.name), _unknown(run), *_until(_own(run.mutes))))
    spans = _running(run) if group is Group.RUNNING else _ended(run)
    return Line(group, (*_name(run_mark(run), run.name), *spans, *_until(run.mutes)))


def _own(mutes: Sequence[Mute]) -> list[Mute]:
    """Return the mutes of a run itself; the line of its host shows those of the host."""
    return [mute for mute in mutes if mute.subject is not None and mute.subject.kind is SubjectKind.RUN]


def _group_of(run: RunView, now: float) -> Group:
    if run.state in ENDED:
        return Group.LONG_ENDED if run.ended_at is not None and now - run.ended_at > DAY else Group.ENDED
    return Group.UNKNOWN if run.state == "unknown" else Group.RUNNING


def run_mark(run: RunView) -> str:
    """Return the emoji of a run with which nothing is wrong now."""
    looks = {"finished": Look.FINISHED, "failed": Look.CRITICAL, "stopped": Look.WARNING, "unknown": Look.UNKNOWN}
    return EMOJI[looks[run.state]] if run.state in looks else RUNNING


def run_state(run: RunView) -> str:
    """Return the word for what a run does."""
    return STATE_WORDS.get(run.doing, run.doing)


def _unknown(run: RunView) -> str:
    seen = "not seen yet" if run.seen_at is None else f"{_percent(run)} when last seen"
    return f"{seen} · {run.host}"


def _running(run: RunView) -> Text:
    state = "" if run.doing == "training" else f" · {run_state(run)}"
    eta: Text = (" · ETA ", messages.minute(run.eta)) if run.eta is not None else ()
    return (_percent(run) + state, *eta, f" · {run.host}")


def _percent(run: RunView) -> str:
    if run.iteration is None:
        return "no iteration yet"
    return f"{100 * run.iteration / run.total:.1f}%" if run.total else f"iteration {count(run.iteration)}"


def _ended(run: RunView) -> Text:
    state = "" if run.state == "finished" else f"{run_state(run)} · "
    loss = f"loss {significant(run.loss)} · " if run.loss is not None else ""
    ended: Text = ("ended ", messages.minute(run.ended_at)) if run.ended_at is not None else ("ended",)
    return (state + loss, *ended)
