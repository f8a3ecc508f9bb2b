"""Whether Slack lets us in: tokens, scopes, channels, and a socket; nothing is posted."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from http.client import HTTPException
from types import MappingProxyType

import websocket
from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError, SlackClientError
from slack_sdk.web import SlackResponse

from monitor_core.config.models import Slack
from monitor_core.model.views import Diagnosis, State

PART = "slack"
_OPENING = 10.0  # seconds
_MANIFEST = "config/slack-manifest.yaml"
_SCOPES: Mapping[str, str] = MappingProxyType(
    {
        "chat:write": "alerts cannot be posted",
        "commands": "/trainstatus does not work",
        "users:read": "people are shown by their ids",
        "usergroups:read": "groups cannot be operators",
    }
)
_REINSTALL = f"add it to the app (see {_MANIFEST}) and install the app again"
_RENEW = "install the app again and put its bot token (xoxb-…) into slack.bot_token"
_CONNECT = "make an app-level token (xapp-…) with the scope connections:write and put it into slack.app_token"
_CHANNEL = "set it to the id of a channel (C0123ABCD, in the channel's details); if it is private, invite the bot there"
_INVITE = "type in that channel: /invite @trainstatus"
_NETWORK = "look whether this machine reaches https://slack.com, and its proxy settings"


def examine(client: WebClient, slack: Slack, channels: Sequence[str]) -> Iterator[Diagnosis]:
    """Ask Slack who we are and what we may do, look at the channels, and open a socket for a moment."""
    me, trouble = _ask(client.auth_test, _RENEW)
    if me is None:
        yield trouble
        return
    yield Diagnosis(PART, State.OK, f"the bot token is that of {me['user']} in {me['team']}")
    headers = {name.lower(): value for name, value in me.headers.items()}
    yield from _scopes(headers.get("x-oauth-scopes", ""))
    for channel in channels:
        yield _channel(client, channel)
    yield _socket(client, slack)


def _scopes(granted: str) -> Iterator[Diagnosis]:
    has = {scope.strip() for scope in granted.split(",")}
    missing = [scope for scope in _SCOPES if scope not in has]
    for scope in missing:
        yield Diagnosis(PART, State.FAIL, f"the scope {scope} is missing: {_SCOPES[scope]}", _REINSTALL)
    if not missing:
        yield Diagnosis(PART, State.OK, f"it has the scopes {', '.join(_SCOPES)}")


def _channel(client: WebClient, channel: str) -> Diagnosis:
    answer, trouble = _ask(lambda: client.conversations_info(channel=channel), _CHANNEL, f"channel {channel}: ")
    if answer is None:
        return trouble
    found = answer["channel"]
    name = f"#{found['name']} ({channel})" if found.get("name") else channel
    if found.get("is_archived"):
        return Diagnosis(PART, State.FAIL, f"{name} is archived", "unarchive it, or name another one in slack.channel")
    if not found.get("is_member"):
        return Diagnosis(PART, State.FAIL, f"the bot is not in {name}", _INVITE)
    return Diagnosis(PART, State.OK, f"the bot is in {name}")


def _socket(client: WebClient, slack: Slack) -> Diagnosis:
    token = slack.app_token.get_secret_value()
    answer, trouble = _ask(lambda: client.apps_connections_open(app_token=token), _CONNECT, "app token: ")
    if answer is None:
        return trouble
    try:
        with closing(websocket.create_connection(answer["url"], timeout=_OPENING)) as socket:
            hello = json.loads(socket.recv())
    except (OSError, ValueError, websocket.WebSocketException) as error:
        text = f"the app token is right, but no socket opens ({type(error).__name__})"
        return Diagnosis(PART, State.FAIL, text, "let this machine open wss:// connections to Slack")
    if hello.get("type") != "hello":
        text = f"Slack closed the socket ({hello.get('reason', 'no reason given')})"
        return Diagnosis(PART, State.FAIL, text, "stop other programs that use the same app token")
    return Diagnosis(PART, State.OK, "the app token opens a socket")


def _ask(call: Callable[[], SlackResponse], fix: str, about: str = "") -> tuple[SlackResponse | None, Diagnosis]:
    """Return Slack's answer; where there is none, what is wrong, and what to do about it."""
    try:
        return call(), Diagnosis(PART, State.OK, "")
    except SlackApiError as error:
        code = str(error.response.get("error", ""))
    except (OSError, ValueError, HTTPException, SlackClientError) as error:
        reason = getattr(error, "reason", error)
        return None, Diagnosis(PART, State.FAIL, f"{about}Slack gives no answer ({type(reason).__name__})", _NETWORK)
    if code == "missing_scope" and about.startswith("channel"):
        text = f"{about}whether the bot is in it cannot be seen without the scopes channels:read and groups:read"
        return None, Diagnosis(PART, State.WARN, text, "add them to the app, or try: trainstatus test-alert --to slack")
    return None, Diagnosis(PART, State.FAIL, f"{about}Slack says {code}", fix)
