"""What the verbs of people print: one function for each answer."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from monitor_core.incident.wording import measure
from monitor_core.model.effect import sentence
from monitor_core.model.incidents import KINDS, Incident, Mute
from monitor_core.model.views import (
    AckAnswer,
    Health,
    LogTail,
    MuteAnswer,
    Overview,
    RunView,
    ThresholdChange,
    ThresholdView,
    Verdict,
)
from monitor_core.units import duration, progress, seconds_per_iteration, significant, utc_date, utc_time

_STATUS_WORDS = ("OK", "WARNING", "CRITICAL", "UNKNOWN")


def overview(view: Overview, now: float) -> str:
    """Return a table of all runs, worst first, and what is wrong with hosts and with the monitor itself."""
    rows = [("RUN", "STATE", "PROGRESS", "ETA", "HOST", "SEEN")]
    rows += [
        (
            run.name,
            _state(run, now),
            "-" if run.iteration is None else progress(run.iteration, run.total),
            "-" if run.eta is None else moment(run.eta, now),
            run.host,
            "never" if run.seen_at is None else f"{duration(now - run.seen_at)} ago",
        )
        for run in view.runs
    ]
    trouble = [*view.incidents, *(incident for host in view.hosts for incident in host.incidents)]
    return "\n".join([*table(rows), *(_incident(incident, now) for incident in trouble)])


def run(view: RunView, now: float) -> str:
    """Return what is known of one run."""
    pace = view.usual_ms
    facts = [
        ("State", _state(view, now)),
        ("Iteration", "" if view.iteration is None else progress(view.iteration, view.total)),
        ("Loss", "" if view.loss is None else significant(view.loss)),
        ("Speed", "" if pace is None else f"{seconds_per_iteration(pace)} s per iteration"),
        ("ETA", "" if view.eta is None else moment(view.eta, now)),
        ("Checkpoint", "" if view.checkpoint is None else f"{view.checkpoint:,}"),
        ("Host", f"{view.host} ({view.address})" if view.address not in {"", view.host} else view.host),
        ("Started", "" if view.started_at is None else f"{moment(view.started_at, now)}, launch {view.launches}"),
        (f"Launch {view.launches}", view.went_on),
        ("Last line", "" if view.last_line_at is None else moment(view.last_line_at, now)),
        ("Process", view.process),
        ("Ended", "" if view.ended_at is None else moment(view.ended_at, now)),
        ("Cause", view.cause),
        ("Owner", view.owner),
        ("Muted", "; ".join(_mute(mute, now) for mute in view.mutes)),
        ("Seen", "never" if view.seen_at is None else f"{duration(now - view.seen_at)} ago{_skew(view)}"),
    ]
    lines = [f"{label + ':':12} {value}" for label, value in facts if value]
    return "\n".join([view.name, *lines, *(_incident(incident, now) for incident in view.incidents)])


def verdicts(found: Sequence[Verdict]) -> list[str]:
    """Return a line for each run; what is wrong with a host is said once."""
    said: dict[str, str] = {}
    lines = []
    for verdict in found:
        first = said.setdefault(verdict.text, verdict.run) if verdict.state == "unknown" else verdict.run
        shown = verdict.text if first == verdict.run else f"the same as {first}"
        lines.append(f"{_STATUS_WORDS[verdict.status]} {verdict.run}: {shown}")
    return lines


def log(tail: LogTail) -> str:
    """Return the last lines of a log, and which it is."""
    written = "" if tail.written_at is None else f", written {duration(tail.at - tail.written_at)} ago"
    secrets = f", {tail.redacted} secret{'s' if tail.redacted > 1 else ''} redacted" if tail.redacted else ""
    return "\n".join((f"==> {tail.host}:{tail.path}{written}{secrets} <==", *(tail.lines or ("(empty)",))))


def health(view: Health, now: float) -> str:
    """Return how the monitor itself does."""
    answering = sum(host.answers for host in view.hosts)
    facts = [
        ("Version", view.version),
        ("On duty", _duty(view)),
        ("Hosts", f"{answering} of {len(view.hosts)} answer"),
        ("Seen", "never" if view.seen_at is None else f"{duration(now - view.seen_at)} ago"),
        ("Database", f"{view.database_bytes / 2**20:.1f} MiB"),
    ]
    silent = [
        f"{host.name} does not answer: {host.error or 'never looked at'}" for host in view.hosts if not host.answers
    ]
    rows = [("RECEIVER", "WAITING", "SENT", "FAILED")]
    rows += [
        (
            f"{each.notifier}:{each.target}",
            f"{each.waiting} since {moment(each.oldest_at, now)}" if each.oldest_at is not None else "-",
            "never" if each.sent_at is None else moment(each.sent_at, now),
            "-" if each.failed_at is None else f"{moment(each.failed_at, now)}: {each.error}",
        )
        for each in view.receivers
    ]
    lines = [f"{label + ':':12} {value}" for label, value in facts]
    return "\n".join([*lines, *silent, *table(rows), *(_incident(incident, now) for incident in view.incidents)])


def _duty(view: Health) -> str:
    if view.lease_until is None:
        return "nobody ever was"
    if view.on_duty:
        return view.holder
    return f"nobody since {moment(view.lease_until, view.now)}, last {view.holder}"


def muted(answer: MuteAnswer, now: float) -> str:
    """Return what a mute did."""
    lines = [
        f"Muted {_mute(mute, now)}. Still watched; one message at the end if it is still wrong."
        for mute in answer.mutes
    ]
    return "\n".join([*lines, _firing(answer, now)])


def unmuted(answer: MuteAnswer, now: float) -> str:
    """Return what an unmute did."""
    lines = [f"No longer muted: {_muted(mute)}." for mute in answer.mutes]
    still = [f"Still covered by the mute of {_mute(mute, now)}." for mute in answer.still]
    return "\n".join([*lines, *still, _firing(answer, now)])


def mutes(answer: Sequence[Mute], now: float) -> str:
    """Return the mutes in force."""
    return "\n".join(_mute(mute, now) for mute in answer) or "Nothing is muted."


def thresholds(answer: Sequence[ThresholdView], now: float) -> str:
    """Return a table of thresholds with their sources."""
    rows = [("THRESHOLD", "VALUE", "SOURCE", "DEFAULT", "ALLOWED", "LAST 24H")]
    rows += [(view.name, view.value, _source(view, now), view.default, view.allowed, view.lately) for view in answer]
    return "\n".join(table(rows))


def changed(answer: ThresholdChange, now: float) -> str:
    """Return what a change of a threshold did, or would do, and would have done."""
    when = "not changed yet" if answer.tried else "from the next look on"
    change = f"{answer.name} for {answer.scope}: {answer.old} to {answer.new}, {when} ({answer.source})."
    return f"{change}\n{sentence(answer.effect)}"


def acknowledged(answer: AckAnswer, now: float) -> str:
    """Return what an acknowledge did."""
    lines = [f"Acknowledged: {_incident(incident, now)}" for incident in answer.incidents]
    lines += [f"Already acknowledged by {who(i.acknowledged_by)}: {_incident(i, now)}" for i in answer.already]
    return "\n".join(lines)


def given_back(answer: AckAnswer, now: float) -> str:
    """Return what an unack did."""
    return "\n".join(f"No longer acknowledged: {_incident(incident, now)}" for incident in answer.incidents)


def who(actor: str) -> str:
    """Return who did something, from the actor `slack:U012ALICE` or `shell:alice`."""
    return actor.partition(":")[2] or actor


def moment(at: float, now: float) -> str:
    """Return a point in time; the day only where it is another."""
    day = "" if utc_date(at) == utc_date(now) else f" ({utc_date(at)})"
    return f"{utc_time(at, seconds=False)}{day}"


def table(rows: Iterable[Sequence[str]]) -> list[str]:
    """Return rows with their columns aligned."""
    cells = [list(row) for row in rows]
    widths = [max(len(row[column]) for row in cells) for column in range(len(cells[0]))]
    return ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in cells]


def _state(view: RunView, now: float) -> str:
    if view.incidents:
        worst = view.incidents[0]
        word = " ".join(part for part in (KINDS[worst.kind].word, measure(worst, now)) if part)
        taken = ", false alarm" if worst.false_alarm_by else f", {who(worst.acknowledged_by)}" if worst.taken_by else ""
        return f"{word} ({worst.severity}{taken})" + (", muted" if view.mutes else "")
    return view.doing + (", muted" if view.mutes else "")


def _incident(incident: Incident, now: float) -> str:
    word = " ".join(part for part in (KINDS[incident.kind].word, measure(incident, now)) if part)
    since = moment(incident.starts_at, now)
    what = incident.facts.get("what") or incident.facts.get("text") or ""
    return f"incident {incident.number}: {incident.subject.name or 'trainstatus'} {word} since {since}" + (
        f": {what}" if what else ""
    )


def _mute(mute: Mute, now: float) -> str:
    reason = f": {mute.reason}" if mute.reason else ""
    return f"{_muted(mute)} until {moment(mute.until, now)} by {who(mute.by)}{reason}"


def _muted(mute: Mute) -> str:
    return _subject(mute) + (f" {KINDS[mute.kind].word}" if mute.kind is not None else "")


def _subject(mute: Mute) -> str:
    return "all" if mute.subject is None else mute.subject.name


def _firing(answer: MuteAnswer, now: float) -> str:
    if answer.firing:
        return "Firing now: " + "; ".join(_incident(incident, now) for incident in answer.firing)
    kinds = [mute.kind for mute in answer.mutes]
    named = dict.fromkeys(KINDS[kind].word for kind in kinds if kind is not None)
    return f"No {' or '.join(named)} fires there now." if None not in kinds else "Nothing fires there now."


def _source(view: ThresholdView, now: float) -> str:
    if view.at is None:
        return view.source
    return f"{view.source} by {who(view.by)}, {moment(view.at, now)}"


def _skew(view: RunView) -> str:
    if view.clock_skew is None or abs(view.clock_skew) < 1:
        return ""
    return f", its clock is off by {duration(abs(view.clock_skew))}"
