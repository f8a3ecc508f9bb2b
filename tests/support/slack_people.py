"""What people do in the test Slack, as the payloads that Slack would send, and what they get back."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass, field
from typing import Any

from tests.support.slack_world import APP, TEAM, Posted, ResponseUrl, World

Payload = dict[str, Any]


def wait_until(condition: Callable[[], Any], what: str = "the condition", timeout: float = 60.0) -> Any:
    """Return the first true value of the condition; fail the test if there is none before the deadline (seconds)."""
    deadline = time.monotonic() + timeout
    while not (value := condition()):
        if time.monotonic() > deadline:
            raise AssertionError(f"{what} did not come true within {timeout:g} s")
        time.sleep(0.005)
    return value


@dataclass
class Interaction:
    """One thing that a person did. `delivered` is False if no socket was there to take it.

    `ack_seconds` is how long the bot took to acknowledge, None while it has not (or never did); `ack` is what the
    acknowledgement carried.
    """

    envelope: str
    world: World
    url: ResponseUrl | None
    delivered: bool = False
    ack: Any = None
    ack_seconds: float | None = None
    sent_at: float = field(default_factory=time.monotonic)
    acked: threading.Event = field(default_factory=threading.Event)

    @property
    def answers(self) -> list[Payload]:
        """Return what was posted to the response URL, oldest first (an answer in the acknowledgement included)."""
        return list(self.url.answers) if self.url else []

    @property
    def shown(self) -> list[Posted]:
        """Return the messages that the answers made, as they are now."""
        return deepcopy(self.url.posted) if self.url else []

    def wait_for_answer(self, number: int = 1, timeout: float = 60.0) -> Payload:
        """Return the answer of this number (from 1) as soon as it is there."""
        wait_until(lambda: len(self.answers) >= number, f"answer {number}", timeout)
        return self.answers[number - 1]

    def take_ack(self, payload: Any) -> None:
        """Note the acknowledgement; what it carries for a command is an answer."""
        self.ack_seconds, self.ack = time.monotonic() - self.sent_at, payload
        if self.url and payload and payload.keys() & {"text", "blocks"}:
            with self.world.lock:
                self.world.show(self.url, payload)
        self.acked.set()


def who(world: World, user: str) -> Payload:
    return {"id": user, "username": world.people[user], "name": world.people[user], "team_id": TEAM}


def slash(world: World, command: str, text: str, user: str, channel: str) -> Payload:
    """Return the payload of a slash command."""
    name = world.channels[channel].name if channel in world.channels else "directmessage"
    place = {"team_id": TEAM, "team_domain": "test", "channel_id": channel, "channel_name": name}
    person = {"user_id": user, "user_name": world.people[user]}
    return {"token": "legacy", "command": command, "text": text, "api_app_id": APP} | {
        **place,
        **person,
        "is_enterprise_install": "false",
        "trigger_id": world.new_trigger(),
    }


def click(world: World, message: Posted, action_id: str, user: str, value: str) -> Payload:
    """Return the payload of a press on a button, or of a choice in a menu, that the message shows."""
    place = {"type": "message", "message_ts": message.ts, "channel_id": message.channel}
    shown = {"type": "message", "user": message.user, "ts": message.ts, "text": message.text, "blocks": message.blocks}
    channel = {"id": message.channel, "name": world.channels[message.channel].name}
    return {"type": "block_actions", "api_app_id": APP, "token": "legacy", "state": {"values": {}}} | {
        "user": who(world, user),
        "team": {"id": TEAM, "domain": "test"},
        "container": {**place, "is_ephemeral": bool(message.only)},
        "channel": channel,
        "message": shown,
        "is_enterprise_install": False,
        "trigger_id": world.new_trigger(),
        "actions": [_action(world, message, action_id, value)],
    }


def _action(world: World, message: Posted, action_id: str, value: str) -> Payload:
    if action_id not in message.buttons:
        raise AssertionError(f"the message shows no {action_id!r}, only {sorted(message.buttons)}")
    element = message.buttons[action_id]
    block = next(b for b in message.blocks if element in [*b.get("elements", []), b.get("accessory")])
    action = {"type": element["type"], "action_id": action_id, "block_id": block.get("block_id", world.new_id("K"))}
    action["action_ts"] = world.new_ts()
    if element["type"] == "button":
        return {**action, "text": element["text"], "value": element.get("value", "")}
    chosen = next((option for option in element["options"] if option["value"] == value), None)
    if chosen is None:
        raise AssertionError(f"{action_id!r} offers no {value!r}, only {[o['value'] for o in element['options']]}")
    return {**action, "selected_option": chosen}


def submission(world: World, view_id: str, values: Payload, user: str) -> Payload:
    """Return the payload of a submitted modal; `values` is Slack's state: block id, action id, then the value."""
    view = {**world.views[view_id], "state": {"values": values}}
    return {"type": "view_submission", "api_app_id": APP, "token": "legacy", "view": view} | {
        "user": who(world, user),
        "team": {"id": TEAM, "domain": "test"},
        "trigger_id": world.new_trigger(),
        "response_urls": [],
        "is_enterprise_install": False,
    }


def callback(world: World, event: Payload) -> Payload:
    """Return the payload that wraps an event."""
    return {"type": "event_callback", "token": "legacy", "team_id": TEAM, "api_app_id": APP} | {
        "event": {"event_ts": world.new_ts(), **event},
        "event_id": world.new_id("Ev"),
        "event_time": int(world.now()),
        "authorizations": [{"team_id": TEAM, "is_bot": True}],
    }
