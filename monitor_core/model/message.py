"""What people are told, without a layout: Slack blocks, mail and console only lay a `Message` out."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class TimeStyle(StrEnum):
    """How exactly a point in time is shown."""

    SECONDS = "seconds"
    MINUTES = "minutes"


@dataclass(frozen=True, slots=True)
class Time:
    """A point in time (seconds since 1970, UTC): each layout shows it in the reader's zone or names UTC."""

    epoch: float
    style: TimeStyle = TimeStyle.SECONDS


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody: a Slack id (`U012ALICE`, `S012ONCALL`) or a plain name. `mention`: they are to be notified."""

    id: str
    mention: bool = False


@dataclass(frozen=True, slots=True)
class Strong:
    """Words that carry the sentence; may hold points in time."""

    spans: tuple[str | Time | Person, ...]


Text = tuple[str | Time | Person | Strong, ...]


class Look(StrEnum):
    """The one mark of a message: it decides emoji and colour."""

    CRITICAL = "critical"
    WARNING = "warning"
    INFO = "info"
    UNKNOWN = "unknown"
    ACKNOWLEDGED = "acknowledged"
    MUTED = "muted"
    RESOLVED = "resolved"
    FINISHED = "finished"
    FLAPPING = "flapping"


class Action(StrEnum):
    """What a reader can do about a message, in the order in which it is offered."""

    ACKNOWLEDGE = "ack"
    UNACKNOWLEDGE = "unack"
    UNMUTE = "unmute"
    MUTE_1H = "mute_1h"


@dataclass(frozen=True, slots=True)
class Fact:
    """One labelled line: most useful first, people last."""

    label: str
    value: Text
    person: bool = False


@dataclass(frozen=True, slots=True)
class Message:
    """One set of facts for all layouts.

    `headline` is `run STATE measure · severity`, without an emoji. `subject` names the incident in a mail's subject
    and is the same through the incident's life: `moe-16x3b STUCK on gpu-07 (incident 4127)`. `late` is the line about
    a late or repeated delivery. `members` are the runs of a group, by name. `excerpt` are log lines, raw but redacted.
    `fallback` is the whole alert as one sentence of plain text. `state` is firing, acknowledged, muted, resolved,
    finished or test. `note` is what a reply under the message says (resolve, escalation), empty for none.
    """

    incident: int
    run: str
    look: Look
    headline: str
    sentence: Text
    fallback: Text
    subject: str
    state: str
    severity: str = ""
    members_title: str = ""
    members: tuple[Fact, ...] = ()
    facts: tuple[Fact, ...] = ()
    excerpt_title: str = ""
    excerpt: tuple[str, ...] = ()
    hint: str = ""
    note: Text = ()
    late: Text = ()
    actions: tuple[Action, ...] = ()
    context: Text = ()
    first: bool = True
    repeat: bool = False
    commands: tuple[tuple[str, str], ...] = ()
