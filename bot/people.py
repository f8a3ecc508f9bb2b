"""Says who people are: alerts name them, and mention them only where they are to be notified."""

from __future__ import annotations

import logging
import re
import time
from collections.abc import Callable
from dataclasses import replace

from slack_sdk import WebClient
from slack_sdk.errors import SlackClientError

from monitor_core.model.message import Message, Person, Strong, Text, Time

_USER = re.compile(r"[UW][A-Z0-9]+")
# Names change rarely; who cannot be looked up is asked for again sooner.
_KEEP, _ASK_AGAIN = 3600.0, 300.0
log = logging.getLogger(__name__)


class Directory:
    """The names of Slack's people, asked for once an hour (scope users:read)."""

    def __init__(self, client: WebClient) -> None:
        self._client = client
        self._known: dict[str, tuple[float, str]] = {}

    def name(self, person: str) -> str:
        """Return the display name behind an id; the id itself while Slack does not tell."""
        if not _USER.fullmatch(person):
            return person
        until, name = self._known.get(person, (0.0, person))
        if time.monotonic() >= until:
            name, kept = self._ask(person, name)
            self._known[person] = (time.monotonic() + kept, name)
        return name

    def _ask(self, person: str, before: str) -> tuple[str, float]:
        try:
            user = self._client.users_info(user=person).get("user") or {}
        except (SlackClientError, OSError, ValueError) as error:
            log.warning("the name of %s is not known: %s", person, type(error).__name__)
            return before, _ASK_AGAIN
        profile = user.get("profile") or {}
        names = (profile.get("display_name"), profile.get("real_name"), user.get("name"), person)
        return next(str(name) for name in names if name), _KEEP


def named(message: Message, name: Callable[[str], str]) -> Message:
    """Return the message with names in place of the ids of those who are not to be notified."""
    return _with_people(message, lambda who: who if who.mention else Person(name(who.id)))


def mentioned(message: Message) -> Message:
    """Return the message with everybody mentioned: in an edit that notifies nobody, and Slack shows the name."""
    return _with_people(message, lambda who: Person(who.id, mention=True))


def _with_people(message: Message, change: Callable[[Person], Person]) -> Message:
    def rewritten(text: Text) -> Text:
        return tuple(_span(span, change) for span in text)

    return replace(
        message,
        sentence=rewritten(message.sentence),
        fallback=rewritten(message.fallback),
        note=rewritten(message.note),
        context=rewritten(message.context),
        facts=tuple(replace(fact, value=rewritten(fact.value)) for fact in message.facts),
    )


def _span(span: str | Time | Person | Strong, change: Callable[[Person], Person]) -> str | Time | Person | Strong:
    match span:
        case Person():
            return change(span)
        case Strong():
            return Strong(tuple(change(inner) if isinstance(inner, Person) else inner for inner in span.spans))
    return span
