"""A Slack to test against: the Web API over HTTP and Socket Mode, as strict as Slack and with faults on demand.

    with SlackServer() as slack:
        slack.api_url, slack.bot_token, slack.app_token          # what a configuration needs
        slack.channel, slack.alice, slack.bob                    # ids; the bot is in the channel, bob is in ONCALL
        slack.add_person("U0CAROL99", "carol"); slack.add_channel("C0QUIET01", "quiet", bot=False)

        slack.messages(slack.channel)    # [Posted]: what all see now: .shown .text .blocks .buttons .replies
        slack.messages(slack.channel, only=slack.alice)          # what alice alone sees (ephemeral answers)
        slack.calls, slack.calls_of("chat.update")               # [Call]: each call with arguments, answer and time
        slack.views, slack.homes                                 # modals by view id, App Homes by user

        slack.wait_connected()                                   # a socket of the bot is there
        done = slack.command("mute moe-16x3b 2h", user=slack.alice)      # types "/trainstatus mute moe-16x3b 2h"
        done.ack_seconds, done.wait_for_answer()["text"], done.answers, done.shown
        slack.press(slack.messages(slack.channel)[0], "ack", user=slack.bob)     # an old copy makes a stale press
        slack.submit(view_id, {"block": {"action": {"type": "plain_text_input", "value": "2h"}}}, user=slack.alice)
        slack.event({"type": "app_home_opened", "user": slack.alice, "tab": "home"})

        slack.fail("chat.postMessage", RATE_LIMITED)             # the next call of the method; times=3, "*" for any,
        slack.fail("respond", refused("used_url"))               # "respond" for response URLs
        slack.one_per_second(True)                               # Slack's limit: 1 message per second and channel
        with slack.away(): ...                                   # answers nothing and cuts all sockets
        slack.refresh(); slack.drop_sockets()                    # Slack asks a socket to go; all sockets break
        slack.archive(id); slack.kick(id); slack.delete(message); slack.scopes = frozenset(...)
        slack.say(slack.channel, slack.bob, "hello")             # a message that is not the bot's
        slack.advance(31 * 60)                                   # Slack's clock: for what expires

`command`, `press`, `submit` and `event` return once the bot has acknowledged, or after `timeout` seconds with
`ack_seconds` None; answers may come later: `wait_for_answer`. Trigger ids are good once, for 3 s; a response URL 5
times in 30 min. `SlackServer(clock=…)` takes another clock than the system's for all times that Slack gives.
"""

from __future__ import annotations

import contextlib
import json
import threading
import time
from collections import defaultdict, deque
from collections.abc import Callable, Iterator
from typing import Any, Self

from tests.support import slack_people
from tests.support.slack_http import Call, Fault, WebServer
from tests.support.slack_people import Interaction, wait_until
from tests.support.slack_socket import Sockets
from tests.support.slack_web import APP_TOKEN, BOT_TOKEN, METHODS, SCOPES, check_token
from tests.support.slack_world import BOT_USER, Channel, Posted, Refusal, World


def refused(error: str) -> Fault:
    """Slack answers with this error and does nothing."""
    return Fault(error=error)


def status(code: int) -> Fault:
    """An HTTP status with a page instead of JSON, as gateways answer."""
    return Fault(status=code, page="<html>upstream trouble</html>")


def rate_limited(seconds: int) -> Fault:
    """Slack asks to wait."""
    return Fault(status=429, error="ratelimited", retry_after=seconds)


RATE_LIMITED = rate_limited(1)
DROP_BEFORE = Fault(wire="before")  # the connection breaks, nothing was done
DROP_AFTER = Fault(wire="after")  # it was done, the answer is lost
HALF_ANSWER = Fault(wire="half")  # it was done, half of the answer arrives
HANG = Fault(wire="hang")  # no answer until the server closes


class SlackServer:
    """See the module's first lines."""

    bot_token, app_token, bot_user = BOT_TOKEN, APP_TOKEN, BOT_USER
    channel, alice, bob, group = "C0TRAIN01", "U012ALICE", "U034BOB", "S012ONCALL"

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        self.world = World(clock)
        self.scopes = SCOPES
        self.calls: list[Call] = []
        self._faults: dict[str, deque[Fault]] = defaultdict(deque)
        self._waiting: dict[str, Interaction] = {}
        self._away = threading.Event()
        self.add_channel(self.channel, "train-alerts")
        self.add_person(self.alice, "alice")
        self.add_person(self.bob, "bob")
        self.world.groups[self.group] = [self.bob]
        self._sockets = Sockets(self._take_ack, self._away.is_set)
        self._web = WebServer(self)
        self.api_url = f"{self._web.url}/api/"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def close(self) -> None:
        self._sockets.close()
        self._web.close()

    # The workspace.

    def add_channel(self, channel: str, name: str, *, bot: bool = True) -> None:
        self.world.channels[channel] = Channel(channel, name, {BOT_USER, *self.world.people} if bot else set())

    def add_person(self, user: str, name: str) -> None:
        self.world.people[user] = name
        for channel in self.world.channels.values():
            channel.members.add(user)

    def archive(self, channel: str) -> None:
        self.world.channels[channel].archived = True

    def kick(self, channel: str) -> None:
        """Put the bot out of a channel."""
        self.world.channels[channel].members.discard(BOT_USER)

    def say(self, channel: str, user: str, text: str) -> Posted:
        message = Posted(channel, self.world.new_ts(), user, text)
        self.world.posted.append(message)
        return message

    def delete(self, message: Posted) -> None:
        """Delete a message, as a person with the right to do so."""
        with self.world.lock:
            self.world.posted.remove(self.world.find(message.channel, message.ts))

    def messages(self, channel: str, only: str = "") -> list[Posted]:
        return self.world.messages(channel, only)

    @property
    def views(self) -> dict[str, dict[str, Any]]:
        return self.world.views

    @property
    def homes(self) -> dict[str, dict[str, Any]]:
        return self.world.homes

    def calls_of(self, method: str) -> list[Call]:
        return [call for call in self.calls if call.method == method]

    def advance(self, seconds: float) -> None:
        self.world.shift += seconds

    # Faults.

    def fail(self, method: str, fault: Fault, times: int = 1) -> None:
        self._faults[method].extend([fault] * times)

    def one_per_second(self, on: bool) -> None:
        self.world.one_per_second = on

    @contextlib.contextmanager
    def away(self) -> Iterator[None]:
        self._away.set()
        self._sockets.drop()
        try:
            yield
        finally:
            self._away.clear()

    def refresh(self) -> None:
        self._sockets.refresh()

    def drop_sockets(self) -> None:
        self._sockets.drop()

    # People.

    def wait_connected(self, sockets: int = 1, timeout: float = 10.0) -> None:
        wait_until(lambda: self._sockets.count >= sockets, f"{sockets} socket(s) of the bot", timeout)

    def command(
        self, text: str, *, user: str = "", channel: str = "", name: str = "/trainstatus", timeout: float = 60.0
    ) -> Interaction:
        """Type a slash command."""
        user, channel = user or self.alice, channel or self.channel
        payload = slack_people.slash(self.world, name, text, user, channel)
        return self._send("slash_commands", payload, self.world.new_url(channel, user), timeout)

    def press(
        self, message: Posted, action_id: str, *, user: str = "", value: str = "", timeout: float = 60.0
    ) -> Interaction:
        """Press a button of a message (or choose `value` in a menu of it) as it was when the copy was taken."""
        user = user or self.alice
        payload = slack_people.click(self.world, message, action_id, user, value)
        original = self.world.find(message.channel, message.ts)
        url = self.world.new_url(message.channel, user, original)
        return self._send("interactive", payload, url, timeout)

    def submit(self, view_id: str, values: dict[str, Any], *, user: str = "", timeout: float = 60.0) -> Interaction:
        """Submit a modal."""
        payload = slack_people.submission(self.world, view_id, values, user or self.alice)
        return self._send("interactive", payload, "", timeout)

    def event(self, event: dict[str, Any], *, timeout: float = 60.0) -> Interaction:
        """Send an event of the Events API."""
        return self._send("events_api", slack_people.callback(self.world, event), "", timeout)

    def _send(self, kind: str, payload: dict[str, Any], url: str, timeout: float) -> Interaction:
        envelope = {"envelope_id": self.world.new_id("envelope-"), "type": kind, "payload": payload}
        envelope["accepts_response_payload"] = kind != "events_api"
        if url:
            payload["response_url"] = f"{self._web.url}/respond/{url}"
        done = Interaction(envelope["envelope_id"], self.world, self.world.urls.get(url))
        self._waiting[done.envelope] = done
        done.delivered = self._sockets.send(envelope)
        if done.delivered:
            done.acked.wait(timeout)
        return done

    def _take_ack(self, envelope: str, payload: Any) -> None:
        self._waiting[envelope].take_ack(payload)

    # What the HTTP side asks.

    def fault(self, method: str) -> Fault:
        """Return what is to go wrong with this call."""
        if self._away.is_set():
            return DROP_BEFORE
        waiting = self._faults[method] or self._faults["*"]
        return waiting.popleft() if waiting else Fault()

    def answer(self, method: str, token: str, args: dict[str, Any]) -> dict[str, Any]:
        """Do what a call asks and return Slack's answer; raise Refusal."""
        check_token(token, method, self.scopes)
        if method == "apps.connections.open":
            return {"url": self._sockets.new_url(self.world.new_id("ticket"))}
        if method not in METHODS:
            raise Refusal("unknown_method", req_method=method)
        with self.world.lock:
            return json.loads(json.dumps(METHODS[method].run(self.world, args)))

    def respond(self, name: str, body: dict[str, Any]) -> dict[str, Any]:
        """Take a post to a response URL; raise Refusal."""
        with self.world.lock:
            self.world.respond(name, body)
        return {}
