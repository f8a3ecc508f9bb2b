"""The text of a command → what is asked.

Forgiving about case, unique prefixes of verbs and names, typographic quotes and dashes, extra spaces and `=`.
Whatever cannot be understood is a CommandError whose suggestion is the whole command with the wrong word put right.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from types import MappingProxyType

from bot import messages
from bot.scopes import DRY_RUN, apart, dry_run, options, scope_word
from bot.words import Line, Names, cut, name, nearest, same, starting, target
from monitor_core.errors import CommandError
from monitor_core.model.words import kind_meant, kind_written
from monitor_core.thresholds import CATALOGUE
from monitor_core.units import parse_duration

MOST_LOG_LINES = 30
LONGEST_MUTE = 30 * 86400.0  # seconds; a mute that nobody remembers is a blind spot
_REASON = 200  # characters of a reason that are kept
_DIGITS = 12  # of an incident number


class Verb(StrEnum):
    """What can be asked."""

    STATUS = "status"
    RUN = "run"
    CHECK = "check"
    LOG = "log"
    MUTE = "mute"
    UNMUTE = "unmute"
    MUTES = "mutes"
    THRESHOLD = "threshold"
    THRESHOLD_SET = "threshold set"
    THRESHOLD_RESET = "threshold reset"
    THRESHOLD_TRY = "threshold try"
    ACK = "ack"
    UNACK = "unack"
    HISTORY = "history"
    WHY = "why"
    AUDIT = "audit"
    FALSE_ALARM = "false-alarm"
    FALSE_ALARM_UNDO = "false-alarm undo"
    BOT = "bot"
    HELP = "help"


# What is answered by the host of a run, and not by what is stored.
LOOKING = frozenset({Verb.CHECK, Verb.LOG})
READING = LOOKING | {
    *(Verb.STATUS, Verb.RUN, Verb.MUTES, Verb.THRESHOLD, Verb.THRESHOLD_TRY, Verb.BOT, Verb.HELP),
    *(Verb.HISTORY, Verb.WHY, Verb.AUDIT),
}
_FIRST_WORDS = tuple(verb.value for verb in Verb if " " not in verb)
_UNDO = frozenset({"undo", "--undo"})
_THRESHOLD_VERBS = {"show": Verb.THRESHOLD, "set": Verb.THRESHOLD_SET, "reset": Verb.THRESHOLD_RESET}


@dataclass(frozen=True, slots=True)
class Request:
    """What is asked.

    `target` is a run, a host, `all`, a pattern or an incident number; for help the command. `until` is seconds since
    1970. `name` and `value` are a threshold's; its `scope` is `run NAME`, `host NAME` or `all`. To try one without a
    value is to try its reset. `lines`: how many of a log, 0 where it is not said. `share`: answer in the channel.
    """

    verb: Verb
    target: str = ""
    kind: str = ""
    until: float | None = None
    reason: str = ""
    name: str = ""
    value: str = ""
    scope: str = ""
    lines: int = 0
    share: bool = False


def parse(text: str, *, now: float, names: Names) -> Request:
    """Return what the text asks for; raise CommandError if that is not clear. `now` is seconds since 1970."""
    words = tuple(word for word in cut(text) if word != "--share")
    share = len(words) < len(cut(text))
    verb, used = _verb(words, names)
    request = _READERS[verb](Line(words, words[used:], names, now))
    if share and request.verb not in READING:
        raise CommandError(messages.not_shared(), " ".join(words))
    return replace(request, share=share)


def looks(text: str, *, now: float, names: Names) -> bool:
    """Say whether the text asks for something that takes as long as a host does."""
    try:
        return parse(text, now=now, names=names).verb in LOOKING
    except CommandError:
        return False


def _verb(words: tuple[str, ...], names: Names) -> tuple[str, int]:
    """Return the verb and how many words it took: a run that is named like the start of a verb comes first."""
    if not words:
        return Verb.STATUS, 0
    word = words[0].casefold()
    if word in _FIRST_WORDS:
        return word, 1
    if same(word, names.runs):
        return Verb.RUN, 0
    verbs = starting(word, _FIRST_WORDS)
    if verbs and len(starting(verbs[0], verbs)) == len(verbs):
        return verbs[0], 1
    if starting(word, names.runs):
        return Verb.RUN, 0
    if verbs:
        raise CommandError(messages.ambiguous(words[0], verbs), " ".join((verbs[0], *words[1:])))
    near = nearest(word, (*names.runs, *_FIRST_WORDS))
    raise CommandError(messages.unknown_word(words[0]), " ".join((near, *words[1:])) if near else Verb.HELP)


def _needs(line: Line, verb: Verb) -> None:
    if not line.rest:
        raise CommandError(messages.incomplete(verb), f"{Verb.HELP} {verb.split()[0]}")


def _bare(verb: Verb) -> Callable[[Line], Request]:
    def read(line: Line) -> Request:
        line.end()
        return Request(verb)

    return read


def _of_run(verb: Verb) -> Callable[[Line], Request]:
    def read(line: Line) -> Request:
        _needs(line, verb)
        run = name(line, line.names.runs, "run")
        line.after().end()
        return Request(verb, target=run)

    return read


def _log(line: Line) -> Request:
    _needs(line, Verb.LOG)
    run, line = name(line, line.names.runs, "run"), line.after()
    if line.rest and not (line.first.isdecimal() and 0 < int(line.first[:_DIGITS]) <= MOST_LOG_LINES):
        raise CommandError(messages.not_lines(line.first, MOST_LOG_LINES), line.instead(str(MOST_LOG_LINES)))
    line.after().end()
    return Request(Verb.LOG, target=run, lines=int(line.first or 0))


def _kind(line: Line) -> tuple[str, Line]:
    if meant := kind_meant(line.first):
        raise CommandError(messages.no_kind(line.first), line.instead(meant))
    kind = kind_written(line.first)
    return (kind, line.after()) if kind else ("", line)


def _mute(line: Line) -> Request:
    _needs(line, Verb.MUTE)
    subject = target(line)
    kind, line = _kind(line.after())
    until, line = _until(line)
    reason = " ".join(line.rest)
    if len(reason) > _REASON:
        reason = reason[: _REASON - 1] + "…"
    return Request(Verb.MUTE, target=subject, kind=kind, until=until, reason=reason)


def _unmute(line: Line) -> Request:
    _needs(line, Verb.UNMUTE)
    subject = target(line)
    kind, line = _kind(line.after())
    line.end()
    return Request(Verb.UNMUTE, target=subject, kind=kind)


def _until(line: Line) -> tuple[float | None, Line]:
    """Return the end of a mute, None if it is not said."""
    if line.first.casefold() == "until":
        return _moment(line.after())
    seconds, line = _durations(line.after() if line.first.casefold() == "for" else line)
    if seconds > LONGEST_MUTE:
        raise CommandError(messages.mute_too_long())
    return (line.now + seconds if seconds else None), line


def _durations(line: Line) -> tuple[float, Line]:
    seconds = 0.0
    while line.first[:1].isdigit():
        try:
            seconds += parse_duration(line.first)
        except ValueError:
            if seconds:
                break
            raise CommandError(messages.not_a_duration(line.first), _with_unit(line)) from None
        line = line.after()
    return seconds, line


_UNIT = re.compile(r"(s|m|h|d)(ec|second|in|inute|our|r|ay|econd)?s?")


def _with_unit(line: Line) -> str:
    """Return the command with `20` written as `20m` and `2 hours` as `2h`; empty if the word is no number."""
    if not line.first.isdecimal():
        return ""
    unit = _UNIT.fullmatch(line.after().first.casefold())
    return line.instead(line.first + unit[1], count=2) if unit else line.instead(f"{line.first}m")


_CLOCK = re.compile(r"([01]?\d|2[0-3]):([0-5]\d)(?:utc|z)?", re.ASCII | re.IGNORECASE)


def _moment(line: Line) -> tuple[float, Line]:
    """Return the next moment at which the clock shows that time in UTC."""
    match = _CLOCK.fullmatch(line.first)
    if not match:
        raise CommandError(messages.not_a_time(line.first), line.instead("09:00"))
    now = datetime.fromtimestamp(line.now, UTC)
    moment = now.replace(hour=int(match[1]), minute=int(match[2]), second=0, microsecond=0)
    if moment <= now:
        moment += timedelta(days=1)
    line = line.after()
    return moment.timestamp(), line.after() if line.first.casefold() == "utc" else line


def _incident(verb: Verb) -> Callable[[Line], Request]:
    def read(line: Line) -> Request:
        _needs(line, verb)
        number = line.first.removeprefix("#")
        subject = number[:_DIGITS] if number.isdecimal() else target(line)
        line.after().end()
        return Request(verb, target=subject)

    return read


def _help(line: Line) -> Request:
    command = name(line, _FIRST_WORDS, "command") if line.rest else ""
    return Request(Verb.HELP, target=command)


def _threshold(line: Line) -> Request:
    trying, line = dry_run(apart(line))
    scope, line = options(line)
    verb = _THRESHOLD_VERBS.get(line.first.casefold())
    line = line.after() if verb else line
    scope, line = (scope, line) if scope else scope_word(line)
    threshold = name(line, CATALOGUE, "threshold") if line.rest else ""
    line = line.after()
    value = "".join(line.rest)
    verb = verb or (Verb.THRESHOLD_SET if value else Verb.THRESHOLD)
    _complete(line, verb, threshold, value)
    if trying and verb is Verb.THRESHOLD:
        raise CommandError(messages.left_over(DRY_RUN), f"{Verb.HELP} {Verb.THRESHOLD}")
    verb = Verb.THRESHOLD_TRY if trying else verb
    return Request(verb, target=scope.split()[-1], name=threshold, value=value, scope=scope)


def _complete(line: Line, verb: Verb, threshold: str, value: str) -> None:
    needed = {Verb.THRESHOLD_SET: value, Verb.THRESHOLD_RESET: threshold}
    if not needed.get(verb, "nothing"):
        raise CommandError(messages.incomplete(verb), f"{Verb.HELP} {Verb.THRESHOLD}")
    if verb is not Verb.THRESHOLD_SET:
        line.end()


def _history(line: Line) -> Request:
    about = name(line, line.names.all, "run or host") if line.rest else ""
    line.after().end()
    return Request(Verb.HISTORY, target=about)


def _why(line: Line) -> Request:
    return Request(Verb.WHY, target=_number(line, Verb.WHY))


def _audit(line: Line) -> Request:
    line.end()
    return Request(Verb.AUDIT)


def _false_alarm(line: Line) -> Request:
    if line.first.casefold() == "alarm":
        line = line.after()
    undo = tuple(word for word in line.rest if word.casefold() in _UNDO)
    rest = tuple(word for word in line.rest if word not in undo)
    verb = Verb.FALSE_ALARM_UNDO if undo else Verb.FALSE_ALARM
    return Request(verb, target=_number(replace(line, words=(verb, *rest), rest=rest), verb))


def _number(line: Line, verb: Verb) -> str:
    """Return the one number of an incident that is left."""
    _needs(line, verb)
    number = line.first.removeprefix("#")
    if not number.isdecimal():
        raise CommandError(messages.no_number(line.first), Verb.HISTORY)
    line.after().end()
    return number[:_DIGITS]


_READERS: Mapping[str, Callable[[Line], Request]] = MappingProxyType(
    {
        Verb.STATUS: _bare(Verb.STATUS),
        Verb.RUN: _of_run(Verb.RUN),
        Verb.CHECK: _of_run(Verb.CHECK),
        Verb.LOG: _log,
        Verb.MUTE: _mute,
        Verb.UNMUTE: _unmute,
        Verb.MUTES: _bare(Verb.MUTES),
        Verb.THRESHOLD: _threshold,
        Verb.ACK: _incident(Verb.ACK),
        Verb.UNACK: _incident(Verb.UNACK),
        Verb.HISTORY: _history,
        Verb.WHY: _why,
        Verb.AUDIT: _audit,
        Verb.FALSE_ALARM: _false_alarm,
        Verb.BOT: _bare(Verb.BOT),
        Verb.HELP: _help,
    }
)
