"""The rules by which the test Slack judges blocks: each limit of Slack refuses what breaks it."""

from __future__ import annotations

import pytest

from tests.support.slack_rules import check_blocks, check_view

GO = {"type": "button", "action_id": "go", "value": "v", "text": {"type": "plain_text", "text": "Go"}}
MODAL = {"type": "modal", "title": {"type": "plain_text", "text": "Mute"}}
WORDS = {"type": "mrkdwn", "text": "x"}


def button(**changes):
    return {"type": "actions", "elements": [{**GO, **changes}]}


@pytest.mark.parametrize(
    "blocks",
    [
        [{"type": "header", "text": {"type": "plain_text", "text": "x" * 151}}],
        [{"type": "header", "text": WORDS}],
        [{"type": "section", "text": {"type": "mrkdwn", "text": "x" * 3001}}],
        [{"type": "section", "text": {"type": "mrkdwn", "text": ""}}],
        [{"type": "section", "text": {"type": "mrkdwn", "text": " \n"}}],
        [{"type": "section"}],
        [{"type": "section", "txt": WORDS}],
        [{"type": "section", "fields": [{"type": "mrkdwn", "text": "x" * 2001}]}],
        [{"type": "section", "fields": [WORDS] * 11}],
        [{"type": "section", "text": WORDS, "block_id": "x" * 256}],
        [{"type": "section", "text": WORDS, "block_id": "a"}] * 2,
        [{"type": "section", "text": WORDS}] * 51,
        [{"type": "actions", "elements": []}],
        [{"type": "actions", "elements": [{**GO, "action_id": str(n)} for n in range(26)]}],
        [{"type": "actions", "elements": [GO, GO]}],
        [button(text="Go")],
        [button(text={"type": "plain_text", "text": "x" * 76})],
        [button(value="x" * 2001)],
        [button(style="loud")],
        [button(txt="Go")],
        [{"type": "context", "elements": [WORDS] * 11}],
        [{"type": "image", "image_url": "https://example.com/a.png"}],
        [{"type": "input", "label": GO["text"], "element": {"type": "plain_text_input"}}],
        [{"type": "unknown"}],
        ["text"],
        {"type": "section", "text": WORDS},
    ],
)
def test_blocks_that_slack_refuses_are_refused(blocks):
    assert check_blocks(blocks)


def test_blocks_of_every_kind_pass():
    option = {"text": {"type": "plain_text", "text": "Mute 4h"}, "value": "mute_4h:1"}
    good = [
        {"type": "header", "text": {"type": "plain_text", "text": "x" * 150, "emoji": True}},
        {"type": "section", "text": WORDS, "accessory": GO},
        {"type": "section", "fields": [WORDS] * 10},
        {"type": "divider"},
        {"type": "image", "image_url": "https://example.com/a.png", "alt_text": "a"},
        {"type": "actions", "elements": [GO, {"type": "overflow", "action_id": "more", "options": [option]}]},
        {"type": "context", "elements": [WORDS]},
    ]
    assert check_blocks(good) == []
    entry = {"type": "input", "label": GO["text"], "element": {"type": "plain_text_input", "action_id": "a"}}
    assert check_view({**MODAL, "blocks": [*good, entry], "submit": GO["text"]}) == []
