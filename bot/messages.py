"""Every sentence of a command's answer (those of the help are in `manual`).

The first sentence says what happened or did not. Errors are plain text, since they travel in a CommandError; the rest
is `Text`, whose points in time each reader sees in their own zone.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from bot.manual import COMMAND, HELP
from monitor_core.model.effect import UNTRIED, Effect
from monitor_core.model.incidents import KINDS, Incident, Mute, SubjectKind
from monitor_core.model.message import Fact, Person, Strong, Text, Time, TimeStyle
from monitor_core.model.views import ThresholdChange, ThresholdView
from monitor_core.units import DURATION_EXAMPLES, compact_duration, duration

UNCHANGED = "Nothing was changed."
_EXACT = 600.0  # seconds; shorter spans are told to the second


# Errors


def unknown_word(word: str) -> str:
    """Say that the first word is neither a run nor a command."""
    return f"No run or command is named {word}."


def no_such(kind: str, word: str) -> str:
    """Say that nothing of that kind has this name."""
    return f"No {kind} is named {word}."


def no_kind(word: str) -> str:
    """Say that a word looks like a kind of incident and is none."""
    return f"No kind of incident is named {word}. If it begins the reason, say how long before it."


def no_number(word: str) -> str:
    """Say that an incident is named by its number."""
    return f"{word} is not the number of an incident, such as 12. The history lists them."


def ambiguous(word: str, names: Sequence[str]) -> str:
    """Say which names a prefix could mean."""
    shown = 6
    more = f" and {len(names) - shown} more" if len(names) > shown else ""
    return f"{word} could be {', '.join(names[:shown])}{more}. Write more of the name."


def incomplete(verb: str) -> str:
    """Say how an unfinished command is written."""
    return f"{verb} needs more words. It is written: {HELP[verb.split(maxsplit=1)[0]].usage}"


def left_over(text: str) -> str:
    """Say that these words mean nothing here."""
    return f"{text} means nothing here."


def not_shared() -> str:
    """Say that only reading can be shared."""
    return "Only answers that change nothing can be shared. Leave --share out."


def not_a_duration(word: str) -> str:
    """Say how a duration is written."""
    return f"{word} is not a duration. Write it as in {DURATION_EXAMPLES}."


def not_a_time(word: str) -> str:
    """Say how the end of a mute is written."""
    return f"{word or 'Nothing'} is not a time of day. Write it as in until 09:00; it is UTC."


def not_lines(word: str, most: int) -> str:
    """Say how many lines of a log can be shown."""
    return f"{word} is not a number of lines from 1 to {most}."


def mute_too_long() -> str:
    """Say how long a mute may be."""
    return "A mute may last 30 days at most. Mute again when it ends."


FAILED = f"Something went wrong here. {UNCHANGED} The log of trainstatus says what; try again."
BUSY = f"Too many commands at the same time. {UNCHANGED} Try again in a moment."
UNKNOWN_ACTION = f"This button is not known here, it may be of another version. {UNCHANGED}"
LOOKS_BUSY = "Too many looks at hosts at the same time. Try again in a few seconds."
NOT_READY = f"trainstatus is just starting. {UNCHANGED} Try again in a moment."


def did_you_mean(command: str) -> Text:
    """Ask for the nearest command that would work."""
    return ("Did you mean ", Strong((command,)), "?")


def unknown_command(command: str) -> str:
    """Say which command is answered here."""
    return f"{command} is not answered here. Type {COMMAND} help. {UNCHANGED}"


# Refusals


def outsider() -> Text:
    """Refuse somebody of another workspace."""
    return (Strong(("Only people of the workspace that trainstatus belongs to may ask.",)), f" {UNCHANGED}")


def app_refused() -> Text:
    """Refuse an app."""
    return (Strong(("An app may not change anything, only a person.",)), f" {UNCHANGED}")


def groups_unknown(group: str) -> str:
    """Say that membership could not be asked for."""
    return f"Slack did not say who is in the group {group}, so nobody knows whether you may. Try again in a moment."


def target_name(target: str) -> str:
    """Name what a command is about: `all` are all runs, a number is an incident."""
    if target == "all":
        return "all runs"
    return f"incident {target}" if target.isdecimal() else target


def not_allowed(doing: str, may: Text) -> Text:
    """Refuse, and name who may."""
    return (Strong((f"You may not {doing}.",)), " ", *may, f"\n{UNCHANGED} The attempt is in the audit log.")


def who_may(owners: Iterable[str], operators: Iterable[str], *, in_channel: bool) -> Text:
    """Name those who may; `in_channel`: so may everybody who is in the alert channel."""
    channel: Text = ("whoever types it in the alert channel",) if in_channel else ()
    named = [group for group in (_people("owner ", owners), _people("operators ", operators), channel) if group]
    spans = [span for group in named or [("only operators, and none is configured",)] for span in ("; ", *group)]
    return ("Who may: ", *spans[1:], ".")


def _people(title: str, ids: Iterable[str]) -> Text:
    spans = [span for one in sorted(ids) for span in (", ", person(one))]
    return (title, *spans[1:]) if spans else ()


def person(actor: str) -> Person:
    """Return the person behind an id (`U012`) or an actor of the audit log (`slack:U012`, `shell:alice`)."""
    return Person(actor.rpartition(":")[2], mention=True)


# What was done


def subject_name(mute: Mute) -> str:
    """Name what a mute is about."""
    if mute.subject is None:
        return "everything"
    return mute.subject.name or "the monitor itself"


def muted(mutes: Sequence[Mute], now: float) -> Text:
    """Say what is silent, for how long and until when."""
    first = mutes[0]
    names = joined([subject_name(mute) for mute in mutes])
    # A mute until a moment is a little shorter than asked by the time it is told: the nearest round number is meant.
    left = first.until - now
    unit = 60 if left >= _EXACT else 1
    span = compact_duration(unit * round(left / unit))
    return (f"{names} muted for {span}, until ", minute(first.until), _only(first))


def _only(mute: Mute) -> str:
    return f", only {mute.kind.upper()}" if mute.kind else ""


def covers(mute: Mute) -> str:
    """Say what a mute covers."""
    what = "all kinds" if mute.kind is None else f"only {mute.kind}"
    if mute.subject is None:
        return f"all runs and hosts, {what}, all receivers"
    scope = "this host and its runs" if mute.subject.kind is SubjectKind.HOST else "this run"
    return f"{scope}, {what}, all receivers"


MEANWHILE = "still watched, and shown as muted"
AT_THE_END = "one message if it is still wrong"


def unmuted(mutes: Sequence[Mute], still: Sequence[Mute]) -> Text:
    """Say what speaks again, or what still keeps it silent."""
    done = f"{joined([subject_name(mute) for mute in mutes])} unmuted{_only(mutes[0])}."
    if not still:
        return (f"{done} Messages come again.",)
    return (f"{done} Still covered by the mute of {joined([subject_name(mute) for mute in still])}.",)


NO_MUTES: Text = (Strong(("Nothing is muted.",)),)


def mute_line(mute: Mute) -> Text:
    """Describe one mute in a list."""
    reason = f" · {mute.reason}" if mute.reason else ""
    return (
        Strong((subject_name(mute),)),
        _only(mute),
        " until ",
        minute(mute.until),
        " · by ",
        person(mute.by),
        reason,
    )


def threshold_title(change: ThresholdChange) -> Text:
    """Say what a threshold was and is."""
    if change.old == change.new:
        return (f"{change.name} of {scope_name(change.scope)} stays at {change.new}",)
    return (f"{change.name} of {scope_name(change.scope)}: {change.old} → {change.new}",)


def threshold_trial(change: ThresholdChange) -> Text:
    """Say what a threshold is and would be."""
    return (f"{change.name} of {scope_name(change.scope)}: {change.old} → {change.new}, not changed yet",)


def threshold_effect(effect: Effect | None) -> tuple[Fact, ...]:
    """Say what the new value of a threshold would have done, or why nobody knows."""
    if effect is None or effect.nothing:
        return (Fact("Not tried", (effect.nothing if effect else UNTRIED,)),)
    return (Fact(f"Tried on {effect.over}", (effect.fired,)), Fact("Missed", (effect.missed,)))


def scope_name(scope: str) -> str:
    """Name the scope of a threshold: `run llama` is `llama`."""
    return "all runs" if scope == "all" else scope.split(maxsplit=1)[-1]


def scope_covers(scope: str) -> str:
    """Say what a threshold covers."""
    kind = scope.split(maxsplit=1)[0]
    return {"run": "this run only", "host": "the runs of this host"}.get(kind, "all runs") + ", from the next check"


SOURCE_ORDER = "Order of sources: default, preset, configuration, set for all, host, run; the last one counts"


def threshold_line(view: ThresholdView) -> Text:
    """Describe one threshold in a list."""
    by: Text = (" by ", person(view.by)) if view.by else ()
    at: Text = (", ", minute(view.at)) if view.at is not None else ()
    default = f"Default: {view.default}. " if view.default != view.value else ""
    title: Text = (Strong((view.name,)), f"  {view.value} · {view.source}", *by, *at)
    return (*title, f"\n{view.meaning} {default}Allowed: {view.allowed}. Last 24h: {view.lately}.")


def acknowledged(incidents: Sequence[Incident], *, undone: bool = False) -> Text:
    """Say that somebody is on it, or no longer."""
    what = joined([f"{incident_name(incident)} (incident {incident.number})" for incident in incidents])
    return (f"Nobody is on {what} any more." if undone else f"You are on {what}.",)


ACK_EFFECT = "Its alert shows your name. Another alert comes only if it gets worse, and when it is resolved."
UNACK_EFFECT = "Its alert shows it as firing again."


FALSE_ALARM_EFFECT = (
    "Its alert says so, and nobody is reminded. It is still told when it gets worse, and when it is over."
)
FALSE_ALARM_UNDONE_EFFECT = "Its alert shows it as before."
NOTHING_HAPPENED: Text = (Strong(("Nothing has happened.",)),)
NOBODY_DID: Text = (Strong(("Nobody has done anything yet.",)),)


def false_alarm(incident: Incident) -> Text:
    """Say that an incident is marked as a false alarm, or no longer."""
    what = f"{incident_name(incident)} (incident {incident.number})"
    return (f"{what} is {'marked as a false alarm' if incident.false_alarm_by else 'no false alarm any more'}.",)


def already_marked(incident: Incident) -> Text:
    """Say that somebody else has marked it."""
    at = (" at ", minute(incident.false_alarm_at)) if incident.false_alarm_at is not None else ()
    by = (" by ", person(incident.false_alarm_by))
    return (Strong(("Already marked as a false alarm", *by, *at, ".")), f" It is {incident_name(incident)}.")


def already(incident: Incident) -> Text:
    """Say that somebody else was quicker."""
    who = (" by ", person(incident.acknowledged_by)) if incident.acknowledged_by else ()
    at = (" at ", minute(incident.acknowledged_at)) if incident.acknowledged_at is not None else ()
    return (Strong(("Already acknowledged", *who, *at, ".")), f" It is {incident_name(incident)}.")


def incident_name(incident: Incident) -> str:
    """Name an incident by what it is and what it is about: `STUCK of llama-70b`."""
    subject = incident.subject.name or "the monitor itself"
    return f"{KINDS[incident.kind].word} of {subject}"


def secrets_redacted(number: int) -> str:
    """Say how many secrets were taken out of log lines; nothing if none were."""
    return f"{number} secret{'s' if number > 1 else ''} redacted" if number else ""


def minute(epoch: float) -> Time:
    """Return a point in time that is shown to the minute."""
    return Time(epoch, TimeStyle.MINUTES)


def joined(parts: Sequence[str], shown: int = 5) -> str:
    """Write a list as people say it: `a, b and c`; a long one with how many more there are."""
    if len(parts) > shown:
        return f"{', '.join(parts[:shown])} and {len(parts) - shown} more"
    return " and ".join(filter(None, (", ".join(parts[:-1]), *parts[-1:])))


def data_age(seen_at: float | None, now: float) -> str:
    """Say how old stored data is."""
    return "no data yet" if seen_at is None else f"data {duration(now - seen_at)} old"
