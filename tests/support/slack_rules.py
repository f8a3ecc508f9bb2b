"""What Slack accepts in blocks and views: its limits as a small schema, beside the checks of slack_sdk's own models.

Limits: https://docs.slack.dev/reference/block-kit/blocks; the cap on all blocks of a message is undocumented, seen at
about 13,200 characters (https://github.com/slackapi/bolt-js/issues/2509).
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from slack_sdk.errors import SlackObjectFormationError
from slack_sdk.models.blocks import Block

MESSAGE_BLOCKS, VIEW_BLOCKS, MESSAGE_CHARACTERS, TEXT_CHARACTERS = 50, 100, 13_200, 40_000
Check = Callable[[Any, str], Iterator[str]]


def string(limit: int, least: int = 1) -> Check:
    def check(value: Any, path: str) -> Iterator[str]:
        if not isinstance(value, str):
            yield f"{path} must be a string"
        elif not least <= len(value) <= limit:
            yield f"{path} must have {least} to {limit} characters, not {len(value)}"

    return check


def one_of(*allowed: object) -> Check:
    def check(value: Any, path: str) -> Iterator[str]:
        if value not in allowed:
            yield f"{path} must be one of {allowed}, not {value!r}"

    return check


def whole(value: Any, path: str) -> Iterator[str]:
    if not isinstance(value, int):
        yield f"{path} must be a number"


def anything(_value: Any, _path: str) -> Iterator[str]:
    yield from ()


def list_of(item: Check, most: int, least: int = 1) -> Check:
    def check(value: Any, path: str) -> Iterator[str]:
        if not isinstance(value, list) or not least <= len(value) <= most:
            yield f"{path} must be a list of {least} to {most}"
            return
        for place, entry in enumerate(value):
            yield from item(entry, f"{path}/{place}")

    return check


def record(needed: Mapping[str, Check], allowed: Mapping[str, Check] | None = None) -> Check:
    known = {**needed, **(allowed or {})}

    def check(value: Any, path: str) -> Iterator[str]:
        if not isinstance(value, dict):
            yield f"{path} must be an object"
            return
        yield from (f"{path} lacks {key}" for key in needed if key not in value)
        for key, entry in value.items():
            if key in known:
                yield from known[key](entry, f"{path}/{key}")
            elif key != "type":
                yield f"{path}/{key} is no field of {value.get('type', 'this object')}"

    return check


def by_type(table: Mapping[str, Check]) -> Check:
    def check(value: Any, path: str) -> Iterator[str]:
        kind = value.get("type") if isinstance(value, dict) else None
        if kind not in table:
            yield f"{path}/type is {kind!r}, must be one of {sorted(table)}"
        else:
            yield from table[kind](value, path)

    return check


def _filled(value: Any, path: str) -> Iterator[str]:
    if isinstance(value, str) and not value.strip():
        yield f"{path} must not be empty"


def _both(*checks: Check) -> Check:
    def check(value: Any, path: str) -> Iterator[str]:
        for each in checks:
            yield from each(value, path)

    return check


BOOLEAN = one_of(True, False)


def plain(limit: int) -> Check:
    return by_type({"plain_text": record({"text": _both(string(limit), _filled)}, {"emoji": BOOLEAN})})


def text(limit: int) -> Check:
    marked = record({"text": _both(string(limit), _filled)}, {"verbatim": BOOLEAN})
    either = {"mrkdwn": marked, "plain_text": record({"text": _both(string(limit), _filled)}, {"emoji": BOOLEAN})}
    return by_type(either)


_CONFIRM = record(
    {"title": plain(100), "text": text(300), "confirm": plain(30), "deny": plain(30)},
    {"style": one_of("primary", "danger")},
)
_OPTION = record({"text": text(75), "value": string(150)}, {"description": text(75)})
_ELEMENT = {"action_id": string(255), "confirm": _CONFIRM, "focus_on_load": BOOLEAN}
_IMAGE = {"image_url": string(3000), "alt_text": string(2000)}
_BUTTON = record(
    {"text": plain(75)},
    {**_ELEMENT, "value": string(2000), "url": string(3000), "style": one_of("primary", "danger")},
)
_SELECT = record({"options": list_of(_OPTION, 100)}, {**_ELEMENT, "placeholder": plain(150), "initial_option": _OPTION})
_CHOICE = {**_ELEMENT, "initial_option": _OPTION, "initial_options": list_of(_OPTION, 10)}
_INPUT = {
    **_ELEMENT,
    "placeholder": plain(150),
    "initial_value": string(3000, 0),
    "multiline": BOOLEAN,
    "min_length": whole,
    "max_length": whole,
}
INTERACTIVE = {
    "button": _BUTTON,
    "overflow": record({"options": list_of(_OPTION, 5)}, _ELEMENT),
    "static_select": _SELECT,
    "radio_buttons": record({"options": list_of(_OPTION, 10)}, _CHOICE),
    "checkboxes": record({"options": list_of(_OPTION, 10)}, _CHOICE),
}
_CONTEXT = {
    "mrkdwn": text(3000),
    "plain_text": text(3000),
    "image": record(_IMAGE),
}
_ID = {"block_id": string(255)}
MESSAGE_KINDS: dict[str, Check] = {
    "header": record({"text": plain(150)}, _ID),
    "section": record(
        {},
        {
            **_ID,
            "text": text(3000),
            "fields": list_of(text(2000), 10),
            "accessory": by_type({**INTERACTIVE, "image": record(_IMAGE)}),
            "expand": BOOLEAN,
        },
    ),
    "divider": record({}, _ID),
    "context": record({"elements": list_of(by_type(_CONTEXT), 10)}, _ID),
    "actions": record({"elements": list_of(by_type(INTERACTIVE), 25)}, _ID),
    "image": record(_IMAGE, {**_ID, "title": plain(2000)}),
    "markdown": record({"text": string(12_000)}, _ID),
    "rich_text": record({"elements": list_of(anything, 100)}, _ID),
}
_FIELD = by_type({**INTERACTIVE, "plain_text_input": record({}, _INPUT)})
VIEW_KINDS = {
    **MESSAGE_KINDS,
    "input": record(
        {"label": plain(2000), "element": _FIELD},
        {**_ID, "hint": plain(2000), "optional": BOOLEAN, "dispatch_action": BOOLEAN},
    ),
}
_VIEW_FRAME = {
    "callback_id": string(255),
    "private_metadata": string(3000, 0),
    "external_id": string(255),
    "clear_on_close": BOOLEAN,
    "notify_on_close": BOOLEAN,
}


def _sdk(block: dict[str, Any], path: str) -> Iterator[str]:
    model = Block.parse(dict(block))
    if model is None:
        return
    try:
        model.validate_json()
    except SlackObjectFormationError as error:
        yield f"{path}: {error}"


def _repeated(names: list[str], what: str) -> Iterator[str]:
    yield from (f"{what} {name!r} is used {count} times" for name, count in Counter(names).items() if count > 1)


def _relations(blocks: list[dict[str, Any]]) -> Iterator[str]:
    """Yield what no single field shows: double ids, and a section with nothing in it."""
    yield from _repeated([b["block_id"] for b in blocks if "block_id" in b], "block_id")
    for place, block in enumerate(blocks):
        elements = [e for e in block.get("elements", []) if isinstance(e, dict)]
        yield from _repeated([e["action_id"] for e in elements if "action_id" in e], "action_id")
        if block["type"] == "section" and not block.keys() & {"text", "fields"}:
            yield f"blocks/{place} has neither text nor fields"


def check_blocks(blocks: Any, *, view: bool = False) -> list[str]:
    """Return everything that Slack would refuse in the blocks of a message (or of a view); empty if it takes them."""
    most, kinds = (VIEW_BLOCKS, VIEW_KINDS) if view else (MESSAGE_BLOCKS, MESSAGE_KINDS)
    problems = list(list_of(by_type(kinds), most, 0)(blocks, "blocks"))
    if problems:
        return problems
    models = [problem for place, block in enumerate(blocks) for problem in _sdk(block, f"blocks/{place}")]
    return models + list(_relations(blocks))


def check_view(view: Any) -> list[str]:
    """Return everything that Slack would refuse in a modal or in an App Home."""
    if not isinstance(view, dict) or view.get("type") not in {"modal", "home"}:
        return ["view/type must be modal or home"]
    titles = {"title": plain(24)} if view["type"] == "modal" else {}
    buttons = {"submit": plain(24), "close": plain(24)} if view["type"] == "modal" else {}
    frame = record({"blocks": anything, **titles}, {**_VIEW_FRAME, **buttons})
    return list(frame(view, "view")) + check_blocks(view.get("blocks"), view=True)


def size(blocks: list[dict[str, Any]]) -> int:
    """Return the characters that count against the cap on all blocks of a message."""
    return len(json.dumps(blocks, ensure_ascii=False))


_CONTROL = re.compile(
    r"<(?:@[UW][A-Z0-9]+|!subteam\^S[A-Z0-9]+|#[CG][A-Z0-9]+|!date\^\d+\^[^|<>]+\|[^<>|]+|https?://[^<>|]+(?:\|[^<>]+)?)>"
)
_UNESCAPED = re.compile(r"[<>]|&(?!amp;|lt;|gt;)")


def stray_markup(mrkdwn: str) -> list[str]:
    """Return the places of a text where `&`, `<` or `>` is neither escaped nor part of a control sequence we use."""
    rest = _CONTROL.sub("", mrkdwn)
    return [rest[max(0, found.start() - 20) : found.end() + 20] for found in _UNESCAPED.finditer(rest)]


def texts(part: Any) -> Iterator[dict[str, Any]]:
    """Yield each text object in blocks."""
    if isinstance(part, dict) and part.get("type") in {"mrkdwn", "plain_text"}:
        yield part
    children = part.values() if isinstance(part, dict) else part if isinstance(part, list) else ()
    for child in children:
        yield from texts(child)
