"""Buttons and menus: what a press asks for."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from bot import answers, messages
from bot.answers import Answer
from bot.auth import Caller
from bot.commands import Commands
from bot.grammar import Request, Verb

# The buttons of an alert: their value is the incident's number. The alert itself is edited through the outbox.
ON_ALERTS: Mapping[str, Verb] = MappingProxyType(
    {"ack": Verb.ACK, "unack": Verb.UNACK, "mute_1h": Verb.MUTE, "unmute": Verb.UNMUTE}
)
# The buttons of answers: their value is a command, which the presser runs.
_COMMAND_OF: Mapping[str, Callable[[str], str]] = MappingProxyType(
    {"redo": str, "refresh": str, "open_run": lambda run: f"{Verb.RUN} {run}"}
)


@dataclass(frozen=True, slots=True)
class Press:
    """A button that was pressed, or a menu's choice: its kind and what it carries."""

    kind: str
    value: str

    @classmethod
    def read(cls, action: Mapping[str, Any]) -> Press:
        """Return the press that Slack reports. Several buttons of a kind in one message are numbered: `redo_1`."""
        kind, _, number = action["action_id"].rpartition("_")
        chosen = action.get("selected_option") or action
        return cls(kind if number.isdecimal() else action["action_id"], chosen.get("value") or "")


def command_of(press: Press) -> str:
    """Return the command that a press runs; empty if it is none of an answer's buttons."""
    return _COMMAND_OF[press.kind](press.value) if press.kind in _COMMAND_OF else ""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What the presser gets to see; `replace`: in place of the message with the button."""

    answer: Answer
    share: bool = False
    replace: bool = False


def pressed(commands: Commands, press: Press, caller: Caller, workspace: str) -> Outcome | None:
    """Do what a press asks for; None if the edited alert is all that is to be seen."""
    if press.kind in ON_ALERTS:
        request = Request(ON_ALERTS[press.kind], target=press.value)
        answer = commands.carry_out(request, caller, workspace, f"{press.kind} {press.value}")
        return Outcome(answer) if answer.unchanged else None
    if press.kind not in _COMMAND_OF:
        return Outcome(answers.plainly(messages.UNKNOWN_ACTION))
    reply = commands.typed(command_of(press), caller, workspace)
    return Outcome(reply.answer, reply.share, replace=press.kind == "refresh")
