"""The Slack notifier: the real SDK against a Slack that behaves like Slack."""

from __future__ import annotations

import time
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from pydantic import SecretStr

from bot.blocks import alert
from bot.notifier import SlackNotifier, make_client
from monitor_core.config.models import Slack
from monitor_core.errors import NotifyError
from monitor_core.model.message import Fact, Person
from tests.support import messages
from tests.support.anything import any_message
from tests.support.slack_rules import TEXT_CHARACTERS, check_blocks, size
from tests.support.slack_server import (
    DROP_AFTER,
    DROP_BEFORE,
    HALF_ANSWER,
    HANG,
    RATE_LIMITED,
    Fault,
    SlackServer,
    rate_limited,
    refused,
    status,
)

POST, UPDATE = "chat.postMessage", "chat.update"


@pytest.fixture
def slack():
    with SlackServer() as server:
        yield server


@pytest.fixture
def notifier(slack):
    return SlackNotifier(make_client(configured(slack)))


def configured(slack, *, token="", api_url=""):
    return Slack(
        channel=slack.channel,
        bot_token=SecretStr(token or slack.bot_token),
        app_token=SecretStr(slack.app_token),
        api_url=api_url or slack.api_url,
    )


def send(notifier, message, *, previous="", target="C0TRAIN01", key="4127-1"):
    return notifier.send(target, message, key=key, previous=previous)


def refusal(notifier, *, previous="", target="C0TRAIN01"):
    with pytest.raises(NotifyError) as caught:
        send(notifier, messages.RESOLVED_STUCK, previous=previous, target=target)
    return caught.value


def test_a_first_alert_is_posted_with_text_blocks_and_metadata(slack, notifier):
    ref = send(notifier, messages.STUCK)
    (seen,) = slack.messages(slack.channel)
    assert ref == f"{slack.channel}/{seen.ts}"
    assert (seen.text, seen.blocks) == alert(messages.STUCK)
    assert seen.metadata == {
        "event_type": "trainstatus_incident",
        "event_payload": {"incident_id": 4127, "delivery_id": "4127-1"},
    }


def test_links_in_an_alert_are_not_unfurled(slack, notifier):
    send(notifier, messages.STUCK)
    (call,) = slack.calls_of(POST)
    assert (call.args["unfurl_links"], call.args["unfurl_media"]) == (False, False)


def test_a_later_message_edits_the_first_one(slack, notifier):
    ref = send(notifier, messages.STUCK)
    again = send(notifier, messages.ACKNOWLEDGED_STUCK, previous=ref, key="4127-2")
    (seen,) = slack.messages(slack.channel)
    assert again == ref
    assert ":eyes:" in seen.shown
    assert "Unacknowledge" in seen.shown
    assert "```" not in seen.shown
    assert seen.text.startswith("Acknowledged by <@U012ALICE>")
    assert seen.metadata["event_payload"]["delivery_id"] == "4127-2"
    assert seen.replies == []


def test_a_resolve_edits_the_message_and_replies_in_its_thread(slack, notifier):
    ref = send(notifier, messages.STUCK)
    assert send(notifier, messages.RESOLVED_STUCK, previous=ref) == ref
    (seen,) = slack.messages(slack.channel)
    assert ":white_check_mark: moe-16x3b resolved" in seen.shown
    assert "incident_4127" not in str(seen.blocks)
    (reply,) = seen.replies
    assert reply.text == "Resolved after 53m 35s: resumed at iteration 12,000, 400 iterations redone."
    assert not reply.broadcast


def test_an_edit_goes_to_where_the_message_is_not_to_a_new_target(slack, notifier):
    slack.add_channel("C0OTHER01", "other")
    ref = send(notifier, messages.STUCK)
    send(notifier, messages.RESOLVED_STUCK, previous=ref, target="C0OTHER01")
    assert slack.messages("C0OTHER01") == []
    assert slack.messages(slack.channel)[0].edits == 1


@pytest.mark.parametrize("error", ["message_not_found", "cant_update_message", "edit_window_closed"])
def test_a_message_that_cannot_be_edited_is_posted_anew(slack, notifier, error):
    ref = send(notifier, messages.STUCK)
    slack.fail(UPDATE, refused(error))
    fresh = send(notifier, messages.RESOLVED_STUCK, previous=ref)
    assert fresh != ref
    old, new = slack.messages(slack.channel)
    assert fresh == f"{slack.channel}/{new.ts}"
    assert (old.edits, old.replies, new.replies) == (0, [], [])
    assert ":white_check_mark:" in new.shown


def test_a_deleted_message_is_posted_anew_once(slack, notifier):
    ref = send(notifier, messages.STUCK)
    slack.delete(slack.messages(slack.channel)[0])
    fresh = send(notifier, messages.ACKNOWLEDGED_STUCK, previous=ref)
    assert send(notifier, messages.RESOLVED_STUCK, previous=fresh) == fresh
    assert len(slack.messages(slack.channel)) == 1


@pytest.mark.parametrize("error", ["invalid_blocks", "msg_blocks_too_long", "msg_too_long"])
def test_refused_blocks_are_sent_as_text_at_once(slack, notifier, error):
    slack.fail(POST, refused(error))
    ref = send(notifier, messages.STUCK)
    (seen,) = slack.messages(slack.channel)
    assert ref.endswith(seen.ts)
    assert seen.blocks == []
    assert "moe-16x3b STUCK" in seen.text


def test_an_edit_with_refused_blocks_takes_the_old_blocks_away(slack, notifier):
    ref = send(notifier, messages.STUCK)
    slack.fail(UPDATE, refused("invalid_blocks"))
    assert send(notifier, messages.ACKNOWLEDGED_STUCK, previous=ref) == ref
    (seen,) = slack.messages(slack.channel)
    assert seen.blocks == []
    assert seen.text.startswith("Acknowledged by")


@pytest.mark.parametrize(
    ("error", "advice"),
    [
        ("channel_not_found", "slack.channel"),
        ("is_archived", "archived"),
        ("not_in_channel", "/invite @trainstatus"),
        ("invalid_auth", "slack.bot_token"),
        ("token_revoked", "revoked"),
        ("account_inactive", "install the app again"),
        ("missing_scope", "scope"),
        ("some_error_of_next_year", "docs.slack.dev"),
    ],
)
def test_a_permanent_refusal_says_what_to_do(slack, notifier, error, advice):
    slack.fail(POST, refused(error))
    caught = refusal(notifier)
    assert caught.permanent
    assert caught.retry_after is None
    assert error in str(caught)
    assert advice in str(caught)
    assert len(slack.calls) == 1


def test_the_missing_scope_is_named(slack, notifier):
    slack.scopes = frozenset({"commands"})
    assert "missing_scope chat:write" in str(refusal(notifier))


def test_a_channel_without_the_bot_an_archived_one_and_an_unknown_one_are_permanent(slack, notifier):
    slack.add_channel("C0CLOSED1", "closed", bot=False)
    slack.add_channel("C0OLD0001", "old")
    slack.archive("C0OLD0001")
    caught = [refusal(notifier, target=target) for target in ("C0CLOSED1", "C0OLD0001", "C0NOWHERE")]
    assert [error.permanent for error in caught] == [True] * 3
    for error, code in zip(caught, ("not_in_channel", "is_archived", "channel_not_found"), strict=True):
        assert code in str(error)


def test_being_asked_to_wait_is_passed_on(slack, notifier):
    slack.fail(POST, rate_limited(7))
    caught = refusal(notifier)
    assert (caught.permanent, caught.retry_after) == (False, 7.0)
    assert len(slack.calls) == 1


def test_one_message_per_second_and_channel_is_not_forced(slack, notifier):
    slack.one_per_second(True)
    send(notifier, messages.STUCK)
    caught = refusal(notifier)
    assert (caught.permanent, caught.retry_after) == (False, 1.0)
    slack.advance(1)
    send(notifier, messages.SLOW)
    assert len(slack.messages(slack.channel)) == 2


@pytest.mark.parametrize(
    "fault",
    [
        status(500),
        status(502),
        status(503),
        status(200),
        Fault(status=503, error="maintenance"),
        refused("fatal_error"),
        refused("internal_error"),
        refused("service_unavailable"),
        DROP_BEFORE,
        HALF_ANSWER,
    ],
    ids=str,
)
def test_trouble_that_passes_is_transient_and_asked_once(slack, notifier, fault):
    slack.fail(POST, fault)
    caught = refusal(notifier)
    assert not caught.permanent
    assert "tried again" in str(caught)
    assert len(slack.calls) == 1


def test_a_lost_answer_is_not_sent_twice_by_the_client(slack, notifier):
    slack.fail(POST, DROP_AFTER)
    assert not refusal(notifier).permanent
    assert len(slack.messages(slack.channel)) == 1


def test_a_slack_that_does_not_answer_is_given_up_after_the_timeout(slack):
    client = make_client(configured(slack))
    assert client.timeout == 15
    client.timeout = 0.2
    slack.fail(POST, HANG)
    began = time.monotonic()
    caught = refusal(SlackNotifier(client))
    assert time.monotonic() - began >= 0.2
    assert not caught.permanent
    assert "no answer in time" in str(caught)


def test_a_slack_that_is_away_is_transient(slack, notifier):
    with slack.away():
        assert not refusal(notifier).permanent
    send(notifier, messages.STUCK)
    assert len(slack.messages(slack.channel)) == 1


def test_nobody_listening_is_transient(slack):
    slack.close()
    assert not refusal(SlackNotifier(make_client(configured(slack)))).permanent


def test_a_reply_that_fails_is_made_up_for_by_sending_again(slack, notifier):
    ref = send(notifier, messages.STUCK)
    slack.fail(POST, RATE_LIMITED)
    assert refusal(notifier, previous=ref).retry_after == 1
    assert send(notifier, messages.RESOLVED_STUCK, previous=ref) == ref
    (seen,) = slack.messages(slack.channel)
    assert len(seen.replies) == 1


@pytest.mark.parametrize("fault", [refused("invalid_auth"), status(500), DROP_BEFORE, HALF_ANSWER], ids=str)
def test_no_error_shows_the_token(slack, fault):
    token = "xoxb-secret-of-ours-42"
    notifier = SlackNotifier(make_client(configured(slack, token=token)))
    slack.fail(POST, fault)
    caught = refusal(notifier)
    assert slack.calls[0].token == token
    assert token not in f"{caught} {caught!r}"
    assert (caught.__cause__, caught.__suppress_context__) == (None, True)


def test_an_api_url_without_its_last_slash_is_good_too(slack):
    client = make_client(configured(slack, api_url=slack.api_url.rstrip("/")))
    send(SlackNotifier(client), messages.STUCK)
    assert len(slack.messages(slack.channel)) == 1


def test_a_channel_name_is_no_target(notifier):
    assert notifier.check_target("C0123ABCD") == ""
    assert "'#train'" in notifier.check_target("#train")


@pytest.mark.parametrize("name", messages.ALL)
def test_each_sample_is_accepted(slack, notifier, name):
    ref = send(notifier, messages.ALL[name])
    send(notifier, messages.ALL[name], previous=ref)
    assert slack.messages(slack.channel)[0].blocks


@settings(
    max_examples=120, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
@given(message=any_message())
def test_whatever_the_text_the_alert_is_posted_with_its_blocks(slack, notifier, message):
    before = len(slack.calls)
    ref = send(notifier, message)
    notifier.send(slack.channel, replace(message, note=message.sentence), key="k", previous=ref)
    assert [call.error for call in slack.calls[before:]] == [""] * len(slack.calls[before:])
    posted = slack.messages(slack.channel)[-1]
    assert check_blocks(posted.blocks) == []
    assert posted.blocks
    assert size(posted.blocks) <= 10_000
    assert 0 < len(posted.text) <= 300 < TEXT_CHARACTERS


def test_people_who_are_not_to_be_notified_are_named_and_asked_for_once(slack, notifier):
    owner = Fact("Owner", (Person(slack.bob),), person=True)
    send(notifier, replace(messages.STUCK, facts=(owner,)))
    send(notifier, replace(messages.STUCK, facts=(owner,)))
    assert "*Owner*  bob" in slack.messages(slack.channel)[0].shown
    assert len(slack.calls_of("users.info")) == 1


def test_an_edit_mentions_people_since_it_notifies_nobody(slack, notifier):
    owner = Fact("Owner", (Person(slack.bob),), person=True)
    send(notifier, replace(messages.STUCK, facts=(owner,)), previous=send(notifier, messages.STUCK))
    assert f"<@{slack.bob}>" in slack.messages(slack.channel)[0].shown


def test_a_name_that_slack_does_not_tell_is_shown_as_its_id(slack, notifier):
    slack.fail("users.info", refused("user_not_found"))
    send(notifier, replace(messages.STUCK, facts=(Fact("Owner", (Person("U099GONE"),), person=True),)))
    assert "*Owner*  U099GONE" in slack.messages(slack.channel)[0].shown
