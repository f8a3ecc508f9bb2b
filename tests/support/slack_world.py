"""What the test Slack knows: people, channels, messages, views, trigger ids and response URLs; and their rules."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass, field
from typing import Any

from tests.support import slack_rules

BOT_USER, BOT_ID, TEAM, APP = "U0TRAINBOT", "B0TRAINBOT", "T0TRAIN", "A0TRAIN"
TRIGGER_SECONDS, URL_SECONDS, URL_USES = 3.0, 30 * 60.0, 5


class Refusal(Exception):  # noqa: N818 it is an answer, not a fault of ours
    """Slack says no: `code` is its error, `more` further fields of the answer, `status` the HTTP status."""

    def __init__(self, code: str, *, status: int = 200, retry_after: int | None = None, **more: Any) -> None:
        self.code, self.status, self.retry_after, self.more = code, status, retry_after, more
        super().__init__(code)


@dataclass
class Posted:
    """A message as people see it now. `only` is the one person who sees it, empty if all do."""

    channel: str
    ts: str
    user: str
    text: str
    blocks: list[dict[str, Any]] = field(default_factory=list)
    metadata: dict[str, Any] = field(default_factory=dict)
    thread_ts: str = ""
    broadcast: bool = False
    edits: int = 0
    only: str = ""
    replies: list[Posted] = field(default_factory=list)

    @property
    def buttons(self) -> dict[str, dict[str, Any]]:
        """Return the interactive elements by action id."""
        elements = [e for b in self.blocks for e in [*b.get("elements", []), b.get("accessory", {})]]
        return {e["action_id"]: e for e in elements if "action_id" in e}

    @property
    def shown(self) -> str:
        """Return every text of the message, one a line: what a person reads (the fallback if it has no blocks)."""
        return "\n".join(t["text"] for t in slack_rules.texts(self.blocks)) or self.text


@dataclass
class Channel:
    id: str
    name: str
    members: set[str]
    archived: bool = False


@dataclass
class ResponseUrl:
    made: float
    channel: str
    user: str
    original: Posted | None
    uses: int = 0
    answers: list[dict[str, Any]] = field(default_factory=list)
    posted: list[Posted] = field(default_factory=list)


class World:
    """A workspace. `now` is its clock; `shift` (seconds) moves that clock forward, for what expires."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self.clock = clock
        self.shift = 0.0
        self.lock = threading.RLock()
        self.numbers = itertools.count(1)
        self.channels: dict[str, Channel] = {}
        self.people: dict[str, str] = {}
        self.groups: dict[str, list[str]] = {}
        self.posted: list[Posted] = []
        self.views: dict[str, dict[str, Any]] = {}
        self.homes: dict[str, dict[str, Any]] = {}
        self.triggers: dict[str, tuple[float, bool]] = {}
        self.urls: dict[str, ResponseUrl] = {}
        self.one_per_second = False
        self.last_post: dict[str, float] = {}

    def now(self) -> float:
        return self.clock() + self.shift

    def new_id(self, letter: str) -> str:
        return f"{letter}0{next(self.numbers):08d}"

    def new_ts(self) -> str:
        return f"{int(self.now())}.{next(self.numbers):06d}"

    # Channels and messages.

    def channel(self, channel: str) -> Channel:
        """Return a channel that the bot may post to; refuse names, strangers and archives as Slack does."""
        found = self.channels.get(channel)
        if found is None:
            raise Refusal("channel_not_found")
        if BOT_USER not in found.members:
            raise Refusal("not_in_channel")
        if found.archived:
            raise Refusal("is_archived")
        return found

    def check_content(self, text: Any, blocks: Any) -> tuple[str, list[dict[str, Any]]]:
        """Return text and blocks if Slack would take them."""
        text, blocks = text or "", blocks or []
        if not isinstance(text, str) or not (text.strip() or blocks):
            raise Refusal("no_text")
        if len(text) > slack_rules.TEXT_CHARACTERS:
            raise Refusal("msg_too_long")
        if problems := slack_rules.check_blocks(blocks):
            raise Refusal("invalid_blocks", errors=problems, response_metadata={"messages": problems})
        if slack_rules.size(blocks) > slack_rules.MESSAGE_CHARACTERS:
            raise Refusal("msg_blocks_too_long")
        return text, blocks

    def check_rate(self, channel: str) -> None:
        """Refuse a second message to a channel within a second, if that limit is on."""
        now = self.now()
        if self.one_per_second and now - self.last_post.get(channel, float("-inf")) < 1:
            raise Refusal("ratelimited", status=429, retry_after=1)
        self.last_post[channel] = now

    def find(self, channel: str, ts: str) -> Posted:
        for message in self.posted:
            if (message.channel, message.ts) == (channel, ts):
                return message
        raise Refusal("message_not_found")

    def messages(self, channel: str, only: str = "") -> list[Posted]:
        """Return copies of the messages in a channel (those only one person sees, if named), replies below theirs."""
        with self.lock:
            here = [deepcopy(m) for m in self.posted if m.channel == channel and m.only == only]
        for message in here:
            message.replies = [m for m in here if m.thread_ts == message.ts]
        return [m for m in here if not m.thread_ts or m.broadcast]

    # What a click or a command allows for a while.

    def new_trigger(self) -> str:
        trigger = f"{next(self.numbers)}.{TEAM}.trigger"
        self.triggers[trigger] = (self.now(), False)
        return trigger

    def use_trigger(self, trigger: str) -> None:
        """Refuse a trigger id that is unknown, used, or older than three seconds."""
        if trigger not in self.triggers:
            raise Refusal("invalid_trigger_id")
        made, used = self.triggers[trigger]
        if used:
            raise Refusal("exchanged_trigger_id")
        if self.now() - made > TRIGGER_SECONDS:
            raise Refusal("expired_trigger_id")
        self.triggers[trigger] = (made, True)

    def new_url(self, channel: str, user: str, original: Posted | None = None) -> str:
        name = self.new_id("R")
        self.urls[name] = ResponseUrl(self.now(), channel, user, original)
        return name

    def respond(self, name: str, body: dict[str, Any]) -> None:
        """Take what was posted to a response URL; refuse a sixth use, or one after half an hour."""
        url = self.urls.get(name)
        if url is None or url.uses >= URL_USES:
            raise Refusal("used_url", status=404)
        if self.now() - url.made > URL_SECONDS:
            raise Refusal("expired_url", status=404)
        url.uses += 1
        self.show(url, body)

    def show(self, url: ResponseUrl, body: dict[str, Any]) -> None:
        """Show an answer where Slack would: to the one person or to all, anew or in place of the original."""
        url.answers.append(body)
        if body.get("delete_original") and url.original:
            self.posted.remove(url.original)
            return
        text, blocks = self.check_content(body.get("text"), body.get("blocks"))
        if body.get("replace_original") and url.original:
            url.original.text, url.original.blocks = text, blocks
            url.original.edits += 1
            return
        only = "" if body.get("response_type") == "in_channel" else url.user
        answer = Posted(url.channel, self.new_ts(), BOT_USER, text, blocks, only=only)
        url.posted.append(answer)
        self.posted.append(answer)
