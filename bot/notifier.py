"""Alerts in Slack: one message per incident, edited as it changes, with a reply in its thread where people are told."""

from __future__ import annotations

import re
import socket
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from http.client import HTTPException
from types import MappingProxyType
from typing import Any

from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError, SlackClientError
from slack_sdk.web import SlackResponse

from bot.blocks import Block, alert, note
from bot.people import Directory, mentioned, named
from monitor_core.config.models import Slack
from monitor_core.errors import NotifyError
from monitor_core.model.message import Message

TIMEOUT = 15  # seconds for one call; the delivery tries again
EVENT_TYPE = "trainstatus_incident"
_CHANNEL = re.compile(r"[CGD][A-Z0-9]+")

# Names of errors: https://docs.slack.dev/reference/methods/chat.postMessage and chat.update.
_GONE = frozenset({"message_not_found", "cant_update_message", "edit_window_closed"})
_LAYOUT_REFUSED = frozenset({"invalid_blocks", "invalid_blocks_format", "msg_blocks_too_long", "msg_too_long"})
_PASSING = frozenset(
    {"ratelimited", "rate_limited", "fatal_error", "internal_error", "service_unavailable", "request_timeout"}
)
_RENEW = "put a valid bot token (xoxb-…) into slack.bot_token"
_REMEDIES: Mapping[str, str] = MappingProxyType(
    {
        "channel_not_found": "check slack.channel (an id such as C0123ABCD, not a name); if the channel is private, "
        "invite the bot there: /invite @trainstatus",
        "not_in_channel": "invite the bot there: /invite @trainstatus",
        "is_archived": "the channel is archived: unarchive it, or name another one in slack.channel",
        "restricted_action": "the workspace does not let the bot post there: ask its administrator",
        "missing_scope": "add the scope that Slack names to the app, and install the app again",
        "not_authed": _RENEW,
        "invalid_auth": _RENEW,
        "not_allowed_token_type": _RENEW,
        "token_revoked": f"the token was revoked: install the app again and {_RENEW}",
        "token_expired": f"the token has expired: install the app again and {_RENEW}",
        "account_inactive": f"the bot's account was removed: install the app again and {_RENEW}",
    }
)


def make_client(slack: Slack) -> WebClient:
    """Return a client that tries each call once: what is to be sent again is decided by the delivery."""
    token = slack.bot_token.get_secret_value()
    return WebClient(token, base_url=slack.api_url, timeout=TIMEOUT, retry_handlers=[])


# With these a request has not left us; after any other failure Slack may have done what it was asked.
_NEVER_ARRIVED = (ConnectionRefusedError, socket.gaierror)


class SlackNotifier:
    """Posts and edits alerts; a target is a channel id, a reference is `CHANNEL/ts`."""

    name = "slack"
    edits = True

    def __init__(self, client: WebClient) -> None:
        self._client = client
        self._directory = Directory(client)

    def check_target(self, target: str) -> str:
        """Return what is wrong with a channel id; empty if it looks like one (nobody is asked)."""
        if _CHANNEL.fullmatch(target):
            return ""
        return f"{target!r} is no Slack channel id (example: C0123ABCD; see the channel's details in Slack)"

    def send(self, target: str, message: Message, *, key: str, previous: str) -> str:
        """Post the message, or edit the one that `previous` refers to and reply to it; return its reference.

        A message that is gone, or may not be edited any more, is posted anew. Raise NotifyError.
        """
        with _translated(target):
            if previous and self._edit(previous, message, key):
                return previous
            post = {"channel": target, "unfurl_links": False, "unfurl_media": False, **_metadata(message, key)}
            posted = _laid_out(self._client.chat_postMessage, named(message, self._directory.name), post)
            return f"{posted['channel']}/{posted['ts']}"

    def close(self) -> None:
        """Let go of nothing: each call has its own connection."""

    def _edit(self, previous: str, message: Message, key: str) -> bool:
        """Edit a message and reply to it; return False if Slack cannot edit it any more."""
        channel, _, ts = previous.partition("/")
        try:
            change = {"channel": channel, "ts": ts, **_metadata(message, key)}
            _laid_out(self._client.chat_update, mentioned(message), change)
        except SlackApiError as error:
            if _code(error) in _GONE:
                return False
            raise
        if reply := note(named(message, self._directory.name)):
            self._client.chat_postMessage(
                channel=channel, thread_ts=ts, text=reply, unfurl_links=False, unfurl_media=False
            )
        return True


def _metadata(message: Message, key: str) -> dict[str, Any]:
    payload = {"incident_id": message.incident, "delivery_id": key}
    return {"metadata": {"event_type": EVENT_TYPE, "event_payload": payload}}


def _laid_out(call: Callable[..., SlackResponse], message: Message, arguments: dict[str, Any]) -> SlackResponse:
    """Send text and blocks, or the text alone if Slack refuses the blocks: a layout must not lose an alert."""
    text, blocks = alert(message)
    try:
        return call(text=text, blocks=blocks, **arguments)
    except SlackApiError as error:
        if _code(error) not in _LAYOUT_REFUSED:
            raise
    bare: list[Block] = []  # an edit without blocks would keep the old ones
    return call(text=text, blocks=bare, **arguments)


@contextmanager
def _translated(target: str) -> Iterator[None]:
    """Raise NotifyError for whatever the SDK raises; none of its texts are passed on, they may hold what we sent."""
    try:
        yield
    except SlackApiError as error:
        raise _refused(target, error) from None
    except (OSError, ValueError, HTTPException, SlackClientError) as error:
        reason = getattr(error, "reason", error)
        what = "no answer in time" if isinstance(reason, TimeoutError) else type(reason).__name__
        text = f"Slack could not be reached ({what}); it is tried again"
        raise NotifyError(text, permanent=False, doubtful=not isinstance(reason, _NEVER_ARRIVED)) from None


def _refused(target: str, error: SlackApiError) -> NotifyError:
    code, status, wait = _code(error), _status(error), _retry_after(error)
    if wait is not None or code in {"ratelimited", "rate_limited"}:
        return NotifyError("Slack asks to send more slowly; it is tried again", permanent=False, retry_after=wait)
    if status >= 500 or code in _PASSING or not re.fullmatch(r"[a-z_]+", code):  # noqa: PLR2004 HTTP's server errors
        said = code if code in _PASSING else f"status {status}"
        return NotifyError(f"Slack has trouble of its own ({said}); it is tried again", permanent=False)
    remedy = _REMEDIES.get(code, "look the error up at https://docs.slack.dev/reference/methods/chat.postMessage")
    scope = f" {error.response['needed']}" if error.response.get("needed") else ""
    return NotifyError(f"Slack did not take a message for {target} ({code}{scope}): {remedy}", permanent=True)


def _code(error: SlackApiError) -> str:
    return str(error.response.get("error", ""))


def _status(error: SlackApiError) -> int:
    return int(getattr(error.response, "status_code", 200))


def _retry_after(error: SlackApiError) -> float | None:
    headers: Mapping[str, str] = getattr(error.response, "headers", {})
    value = {name.lower(): value for name, value in headers.items()}.get("retry-after", "")
    return float(value) if value.isdecimal() else None
