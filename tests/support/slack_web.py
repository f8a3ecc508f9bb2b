"""The methods of the test Slack's Web API: each takes the arguments of a call and returns what Slack would answer."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from tests.support import slack_rules
from tests.support.slack_world import APP, BOT_ID, BOT_USER, TEAM, Posted, Refusal, World

Args = dict[str, Any]
BOT_TOKEN, APP_TOKEN = "xoxb-test-bot-0123456789", "xapp-test-app-0123456789"
_TS = re.compile(r"\d+\.\d{6}")


@dataclass(frozen=True)
class Method:
    """A method: what it does, and the scope that a token needs for it (empty for none)."""

    run: Callable[[World, Args], Args]
    scope: str = ""


def _auth_test(_world: World, _args: Args) -> Args:
    return {"url": "https://test.slack.com/", "team": "Train", "user": "trainstatus", "team_id": TEAM} | {
        "user_id": BOT_USER,
        "bot_id": BOT_ID,
        "is_enterprise_install": False,
    }


def _metadata(args: Args) -> Args:
    metadata = args.get("metadata") or {}
    if metadata and not (
        isinstance(metadata.get("event_type"), str) and isinstance(metadata.get("event_payload"), dict)
    ):
        raise Refusal("invalid_metadata_format")
    return metadata


def _message(message: Posted) -> Args:
    return {"type": "message", "user": message.user, "bot_id": BOT_ID, "ts": message.ts, "text": message.text} | {
        "blocks": message.blocks
    }


def _post(world: World, args: Args) -> Args:
    channel = world.channel(args.get("channel", "")).id
    text, blocks = world.check_content(args.get("text"), args.get("blocks"))
    metadata, thread = _metadata(args), args.get("thread_ts", "")
    if thread:
        _check_thread(world, channel, thread)
    world.check_rate(channel)
    message = Posted(channel, world.new_ts(), BOT_USER, text, blocks, metadata, thread)
    message.broadcast = bool(args.get("reply_broadcast"))
    world.posted.append(message)
    return {"channel": channel, "ts": message.ts, "message": _message(message)}


def _check_thread(world: World, channel: str, thread: Any) -> None:
    if not isinstance(thread, str) or not _TS.fullmatch(thread):
        raise Refusal("invalid_thread_ts")
    if world.find(channel, thread).thread_ts:
        raise Refusal("thread_not_found")


def _update(world: World, args: Args) -> Args:
    channel = world.channel(args.get("channel", "")).id
    message = world.find(channel, args.get("ts", ""))
    if message.user != BOT_USER or message.only:
        raise Refusal("cant_update_message")
    # Slack keeps the old blocks where none are given: https://api.slack.com/methods/chat.update
    text, blocks = world.check_content(args.get("text"), args.get("blocks", message.blocks))
    message.text, message.blocks, message.metadata = text, blocks, _metadata(args) or message.metadata
    message.edits += 1
    return {"channel": channel, "ts": message.ts, "text": text, "message": _message(message)}


def _post_ephemeral(world: World, args: Args) -> Args:
    channel = world.channel(args.get("channel", ""))
    user = args.get("user", "")
    if user not in channel.members:
        raise Refusal("user_not_in_channel")
    text, blocks = world.check_content(args.get("text"), args.get("blocks"))
    message = Posted(channel.id, world.new_ts(), BOT_USER, text, blocks, only=user)
    world.posted.append(message)
    return {"message_ts": message.ts}


def _check_view(view: Any) -> Args:
    if problems := slack_rules.check_view(view):
        raise Refusal("invalid_arguments", response_metadata={"messages": problems})
    return view


def _store_view(world: World, view: Args, view_id: str) -> Args:
    stored = {**view, "id": view_id, "team_id": TEAM, "app_id": APP, "bot_id": BOT_ID, "hash": world.new_id("H")}
    stored.setdefault("private_metadata", "")
    stored.setdefault("callback_id", "")
    stored["state"] = {"values": {}}
    world.views[view_id] = stored
    return {"view": stored}


def _open_view(world: World, args: Args) -> Args:
    view = _check_view(args.get("view"))
    world.use_trigger(args.get("trigger_id", ""))
    return _store_view(world, view, world.new_id("V"))


def _publish_view(world: World, args: Args) -> Args:
    if args.get("user_id") not in world.people:
        raise Refusal("user_not_found")
    answer = _store_view(world, _check_view(args.get("view")), f"V0HOME{args['user_id']}")
    world.homes[args["user_id"]] = answer["view"]
    return answer


def _update_view(world: World, args: Args) -> Args:
    view = _check_view(args.get("view"))
    wanted = args.get("view_id"), args.get("external_id")
    for view_id, old in world.views.items():
        if wanted[0] == view_id or (wanted[1] and old.get("external_id") == wanted[1]):
            return _store_view(world, view, view_id)
    raise Refusal("not_found")


def _conversation(world: World, args: Args) -> Args:
    channel = world.channels.get(args.get("channel", ""))
    if channel is None:
        raise Refusal("channel_not_found")
    member = BOT_USER in channel.members
    facts = {"id": channel.id, "name": channel.name, "is_channel": True, "is_private": channel.id.startswith("G")}
    return {"channel": {**facts, "is_member": member, "is_archived": channel.archived}}


def _person(world: World, args: Args) -> Args:
    user = args.get("user", "")
    if user not in world.people:
        raise Refusal("user_not_found")
    name = world.people[user]
    profile = {"display_name": name, "real_name": name.title()}
    facts = {"id": user, "team_id": TEAM, "name": name, "real_name": name.title(), "deleted": False}
    return {"user": {**facts, "is_bot": user == BOT_USER, "tz": "Europe/Berlin", "profile": profile}}


def _group(world: World, args: Args) -> Args:
    if args.get("usergroup") not in world.groups:
        raise Refusal("no_such_subteam")
    return {"users": list(world.groups[args["usergroup"]])}


METHODS = {
    "auth.test": Method(_auth_test),
    "chat.postMessage": Method(_post, "chat:write"),
    "chat.update": Method(_update, "chat:write"),
    "chat.postEphemeral": Method(_post_ephemeral, "chat:write"),
    "views.open": Method(_open_view),
    "views.publish": Method(_publish_view),
    "views.update": Method(_update_view),
    "conversations.info": Method(_conversation, "channels:read"),
    "users.info": Method(_person, "users:read"),
    "usergroups.users.list": Method(_group, "usergroups:read"),
}
SCOPES = frozenset(method.scope for method in METHODS.values() if method.scope) | {"commands"}


def check_token(token: str, method: str, scopes: frozenset[str]) -> None:
    """Refuse a call whose token is missing, unknown, of the wrong kind or without the scope."""
    if not token:
        raise Refusal("not_authed")
    if token not in {BOT_TOKEN, APP_TOKEN}:
        raise Refusal("invalid_auth")
    if (token == APP_TOKEN) is not (method == "apps.connections.open"):
        raise Refusal("not_allowed_token_type")
    needed = METHODS[method].scope if method in METHODS else ""
    if needed and needed not in scopes:
        raise Refusal("missing_scope", needed=needed, provided=",".join(sorted(scopes)))
