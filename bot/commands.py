"""The table of commands: what right each needs, what it asks of control, and the answer; authorised in one place."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from bot import answers, grammar, messages, past
from bot.answers import Answer, Offer
from bot.auth import Caller, Covered, Right, Verdict, judge
from bot.detail import run_page
from bot.grammar import Request, Verb
from bot.groups import Groups
from bot.health import health_page
from bot.looks import WIDTH, check_page, log_page
from bot.overview import overview
from bot.words import Names
from monitor_core.control import LOG_LINES, Control
from monitor_core.errors import CommandError

_AUDITED = 300  # characters of a refused command that are written down


@dataclass(frozen=True, slots=True)
class Asked:
    """One request with what is needed to carry it out; `now` is seconds since 1970."""

    control: Control
    caller: Caller
    request: Request
    now: float

    @property
    def actor(self) -> str:
        """Return who asks, as the audit log names them."""
        return self.caller.actor


@dataclass(frozen=True, slots=True)
class Command:
    """What a verb needs and does; `doing` completes "You may not …"."""

    right: Right
    run: Callable[[Asked], Answer]
    doing: str = ""


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer, and whether the channel is to see it."""

    answer: Answer
    share: bool = False


class Commands:
    """Answers what people type and press; one door for all of it.

    `operators` are ids of people who may do all, besides the members of `groups`.
    """

    def __init__(self, control: Control, operators: frozenset[str], groups: Groups) -> None:
        self._control = control
        self._operators = operators
        self._groups = groups

    def looks(self, text: str) -> bool:
        """Say whether a command asks a host, which may take a while."""
        return grammar.looks(text, now=self._control.clock(), names=self._names())

    def typed(self, text: str, caller: Caller, workspace: str) -> Reply:
        """Answer a command; `workspace` is the team that the bot belongs to."""
        try:
            # Names are suggested only to those who may read.
            if judge(caller, Right.READ, workspace=workspace, operators=frozenset()) is Verdict.OUTSIDER:
                return Reply(self.carry_out(Request(Verb.STATUS), caller, workspace, text))
            request = grammar.parse(text, now=self._control.clock(), names=self._names())
        except CommandError as trouble:
            return Reply(answers.error(trouble))
        return Reply(self.carry_out(request, caller, workspace, text), request.share)

    def carry_out(self, request: Request, caller: Caller, workspace: str, text: str) -> Answer:
        """Do what is asked if the caller may; `text` is how the audit log tells of a refusal."""
        command = COMMANDS[request.verb]
        try:
            refusal = self._refusal(request, command, caller, workspace)
            if refusal:
                self._control.refused(caller.actor, text[:_AUDITED], refusal.verdict)
                return refusal.answer
            return command.run(Asked(self._control, caller, request, self._control.clock()))
        except CommandError as trouble:
            return answers.error(trouble)

    def _names(self) -> Names:
        return Names(*self._control.names())

    def _refusal(self, request: Request, command: Command, caller: Caller, workspace: str) -> _Refusal | None:
        covered = [] if command.right is Right.READ else self._covered(request.target)
        operators = self._operators
        verdict = judge(caller, command.right, workspace=workspace, operators=operators, covered=covered)
        if verdict in {Verdict.NOT_THEIRS, Verdict.NOT_TUNER}:
            operators |= self._groups.members()
            verdict = judge(caller, command.right, workspace=workspace, operators=operators, covered=covered)
        return (
            None if verdict is Verdict.ALLOWED else _Refusal(verdict, self._say_no(verdict, request, command, covered))
        )

    def _covered(self, target: str) -> list[Covered]:
        control = self._control
        runs = [Covered(control.owners_of(run), control.channels_of(run)) for run in control.runs_of(target)]
        return runs or [Covered(frozenset(), control.channels_of(target))]

    def _say_no(self, verdict: Verdict, request: Request, command: Command, covered: list[Covered]) -> Answer:
        if verdict is Verdict.OUTSIDER:
            return answers.refusal(messages.outsider())
        if verdict is Verdict.APP:
            return answers.refusal(messages.app_refused())
        owners = frozenset().union(*(run.owners for run in covered))
        may = messages.who_may(owners, self._operators | self._groups.ids, in_channel=command.right is Right.ACT)
        doing = command.doing.format(target=messages.target_name(request.target))
        return answers.refusal(messages.not_allowed(doing, may), Offer("All runs", "status"))


@dataclass(frozen=True, slots=True)
class _Refusal:
    verdict: Verdict
    answer: Answer


def _status(asked: Asked) -> Answer:
    return overview(asked.control.overview())


def _run(asked: Asked) -> Answer:
    return run_page(asked.control.run(asked.request.target), asked.now)


def _check(asked: Asked) -> Answer:
    return check_page(asked.control.check(asked.request.target))


def _log(asked: Asked) -> Answer:
    lines = asked.request.lines or LOG_LINES
    return log_page(asked.control.log(asked.request.target, lines, width=WIDTH), lines)


def _bot(asked: Asked) -> Answer:
    return health_page(asked.control.health())


def _mute(asked: Asked) -> Answer:
    request = asked.request
    done = asked.control.mute(
        asked.actor, request.target, kind=request.kind, until=request.until, reason=request.reason
    )
    return answers.muted(done, request.target, asked.now)


def _unmute(asked: Asked) -> Answer:
    done = asked.control.unmute(asked.actor, asked.request.target, kind=asked.request.kind)
    return answers.unmuted(done, asked.request.target, asked.now)


def _mutes(asked: Asked) -> Answer:
    return answers.mutes(asked.control.mutes(), asked.now)


def _thresholds(asked: Asked) -> Answer:
    views = asked.control.thresholds(asked.request.target)
    return answers.thresholds([v for v in views if asked.request.name in {"", v.name}], asked.request.scope, asked.now)


def _set_threshold(asked: Asked) -> Answer:
    request = asked.request
    change = asked.control.set_threshold(asked.actor, request.name, request.value, scope=request.scope)
    return answers.threshold_changed(change, _tuning(request, change.previous))


def _reset_threshold(asked: Asked) -> Answer:
    request = asked.request
    change = asked.control.reset_threshold(asked.actor, request.name, scope=request.scope)
    return answers.threshold_changed(change, _tuning(request, change.previous))


def _try_threshold(asked: Asked) -> Answer:
    request, control = asked.request, asked.control
    if request.value:
        change = control.set_threshold(asked.actor, request.name, request.value, scope=request.scope, dry_run=True)
    else:
        change = control.reset_threshold(asked.actor, request.name, scope=request.scope, dry_run=True)
    return answers.threshold_tried(change, _tuning(request, request.value))


def _tuning(request: Request, value: str) -> str:
    """Return the command that sets a value, or without one resets it: with that of before it undoes a change."""
    verb = Verb.THRESHOLD_SET if value else Verb.THRESHOLD_RESET
    return " ".join(filter(None, (verb, request.name, value, f"--{request.scope}")))


def _ack(asked: Asked) -> Answer:
    return answers.acknowledged(asked.control.ack(asked.actor, asked.request.target), asked.now)


def _unack(asked: Asked) -> Answer:
    return answers.acknowledged(asked.control.unack(asked.actor, asked.request.target), asked.now, undone=True)


def _history(asked: Asked) -> Answer:
    return past.history(asked.control.history(asked.request.target), asked.request.target)


def _why(asked: Asked) -> Answer:
    return past.why(asked.control.why(asked.request.target))


def _audit(asked: Asked) -> Answer:
    return past.audit(asked.control.audit())


def _false_alarm(asked: Asked) -> Answer:
    return past.false_alarm(asked.control.false_alarm(asked.actor, asked.request.target), asked.now)


def _false_alarm_undo(asked: Asked) -> Answer:
    return past.false_alarm(asked.control.false_alarm(asked.actor, asked.request.target, undo=True), asked.now)


def _help(asked: Asked) -> Answer:
    return answers.help_one(asked.request.target) if asked.request.target else answers.help_all()


COMMANDS: Mapping[Verb, Command] = MappingProxyType(
    {
        Verb.STATUS: Command(Right.READ, _status),
        Verb.RUN: Command(Right.READ, _run),
        Verb.CHECK: Command(Right.READ, _check),
        Verb.LOG: Command(Right.READ, _log),
        Verb.MUTES: Command(Right.READ, _mutes),
        Verb.THRESHOLD: Command(Right.READ, _thresholds),
        Verb.THRESHOLD_TRY: Command(Right.READ, _try_threshold),
        Verb.HISTORY: Command(Right.READ, _history),
        Verb.WHY: Command(Right.READ, _why),
        Verb.AUDIT: Command(Right.READ, _audit),
        Verb.BOT: Command(Right.READ, _bot),
        Verb.HELP: Command(Right.READ, _help),
        Verb.ACK: Command(Right.ACT, _ack, "acknowledge {target}"),
        Verb.UNACK: Command(Right.ACT, _unack, "unacknowledge {target}"),
        Verb.MUTE: Command(Right.ACT, _mute, "mute {target}"),
        Verb.UNMUTE: Command(Right.ACT, _unmute, "unmute {target}"),
        Verb.THRESHOLD_SET: Command(Right.TUNE, _set_threshold, "change thresholds of {target}"),
        Verb.THRESHOLD_RESET: Command(Right.TUNE, _reset_threshold, "change thresholds of {target}"),
        Verb.FALSE_ALARM: Command(Right.TUNE, _false_alarm, "mark {target} as a false alarm"),
        Verb.FALSE_ALARM_UNDO: Command(Right.TUNE, _false_alarm_undo, "unmark {target} as a false alarm"),
    }
)
