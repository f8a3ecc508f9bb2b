"""The test Slack itself: what it refuses, what it remembers, and how it fails, seen through the real SDK and bolt."""

from __future__ import annotations

import json
from http.client import IncompleteRead, RemoteDisconnected

import pytest
from slack_bolt import App
from slack_bolt.adapter.socket_mode import SocketModeHandler
from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError
from slack_sdk.webhook import WebhookClient
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

from tests.support.slack_listener import socket_url, sockets
from tests.support.slack_people import wait_until
from tests.support.slack_server import (
    DROP_AFTER,
    DROP_BEFORE,
    HALF_ANSWER,
    HANG,
    SlackServer,
    rate_limited,
    refused,
    status,
)

GO = {"type": "button", "action_id": "go", "value": "v", "text": {"type": "plain_text", "text": "Go"}}
ROW = [{"type": "actions", "block_id": "row", "elements": [GO]}]
MODAL = {"type": "modal", "title": {"type": "plain_text", "text": "Mute"}, "blocks": ROW}


@pytest.fixture
def slack():
    with SlackServer() as server:
        yield server


@pytest.fixture
def client(slack):
    return client_of(slack)


def client_of(slack, token=""):
    return WebClient(token or slack.bot_token, base_url=slack.api_url, retry_handlers=[], timeout=5)


def error_of(call, **arguments):
    with pytest.raises(SlackApiError) as caught:
        call(**arguments)
    return caught.value.response["error"]


# Tokens, channels and messages.


def test_only_the_right_token_opens_a_method(slack, client):
    assert client.auth_test()["user_id"] == slack.bot_user
    assert error_of(client_of(slack, "xoxb-wrong").auth_test) == "invalid_auth"
    assert error_of(client_of(slack, slack.app_token).auth_test) == "not_allowed_token_type"
    assert error_of(client.apps_connections_open, app_token=slack.bot_token) == "not_allowed_token_type"
    assert error_of(client.api_call, api_method="no.such") == "unknown_method"


def test_a_message_needs_a_channel_id_a_member_and_content(slack, client):
    slack.add_channel("C0CLOSED1", "closed", bot=False)
    post = client.chat_postMessage
    assert error_of(post, channel="#train-alerts", text="x") == "channel_not_found"
    assert error_of(post, channel="C0CLOSED1", text="x") == "not_in_channel"
    assert error_of(post, channel=slack.channel, text="", blocks=[], attachments=[{"fallback": "x"}]) == "no_text"
    assert error_of(post, channel=slack.channel, text="x" * 40_001) == "msg_too_long"
    assert error_of(post, channel=slack.channel, text="x", metadata={"event_type": "t"}) == "invalid_metadata_format"
    slack.archive(slack.channel)
    assert error_of(post, channel=slack.channel, text="x") == "is_archived"
    assert slack.messages(slack.channel) == []


def test_blocks_are_checked_and_their_sum_is_capped(slack, client):
    long = [{"type": "section", "text": {"type": "mrkdwn", "text": "x" * 2700}}]
    post = client.chat_postMessage
    assert error_of(post, channel=slack.channel, text="x", blocks=[{"type": "nonsense"}]) == "invalid_blocks"
    assert error_of(post, channel=slack.channel, text="x", blocks=long * 5) == "msg_blocks_too_long"
    post(channel=slack.channel, text="x", blocks=long * 4)


def test_form_and_json_bodies_are_understood_alike(slack, client):
    client.chat_postMessage(channel=slack.channel, text="[json]", blocks=ROW)
    client.api_call("chat.postMessage", params={"channel": slack.channel, "text": "[form]", "blocks": json.dumps(ROW)})
    first, second = slack.messages(slack.channel)
    assert first.blocks == second.blocks == ROW
    assert (first.text, second.text) == ("[json]", "[form]")


def test_only_own_messages_can_be_edited_and_old_blocks_stay_unless_cleared(slack, client):
    ts = client.chat_postMessage(channel=slack.channel, text="a", blocks=ROW)["ts"]
    client.chat_update(channel=slack.channel, ts=ts, text="b")
    assert slack.messages(slack.channel)[0].blocks == ROW
    client.chat_update(channel=slack.channel, ts=ts, text="c", blocks=[])
    (seen,) = slack.messages(slack.channel)
    assert (seen.text, seen.blocks, seen.edits) == ("c", [], 2)
    other = slack.say(slack.channel, slack.bob, "hello")
    assert error_of(client.chat_update, channel=slack.channel, ts=other.ts, text="x") == "cant_update_message"
    slack.delete(seen)
    assert error_of(client.chat_update, channel=slack.channel, ts=ts, text="x") == "message_not_found"


def test_replies_lie_below_their_message_and_a_broadcast_shows_twice(slack, client):
    root = client.chat_postMessage(channel=slack.channel, text="root")["ts"]
    quiet = client.chat_postMessage(channel=slack.channel, text="quiet", thread_ts=root)["ts"]
    client.chat_postMessage(channel=slack.channel, text="loud", thread_ts=root, reply_broadcast=True)
    seen = slack.messages(slack.channel)
    assert [message.text for message in seen] == ["root", "loud"]
    assert [reply.text for reply in seen[0].replies] == ["quiet", "loud"]
    post = client.chat_postMessage
    assert error_of(post, channel=slack.channel, text="x", thread_ts="now") == "invalid_thread_ts"
    assert error_of(post, channel=slack.channel, text="x", thread_ts=quiet) == "thread_not_found"


def test_an_ephemeral_message_is_seen_by_its_person_only(slack, client):
    client.chat_postEphemeral(channel=slack.channel, user=slack.alice, text="psst")
    assert slack.messages(slack.channel) == []
    assert [message.text for message in slack.messages(slack.channel, only=slack.alice)] == ["psst"]
    call = client.chat_postEphemeral
    assert error_of(call, channel=slack.channel, user="U0STRANGER", text="x") == "user_not_in_channel"


def test_channels_people_and_groups_can_be_asked_about(slack, client):
    assert client.conversations_info(channel=slack.channel)["channel"]["is_member"] is True
    assert client.users_info(user=slack.bob)["user"]["name"] == "bob"
    assert client.usergroups_users_list(usergroup=slack.group)["users"] == [slack.bob]
    assert error_of(client.users_info, user="U0NOBODY") == "user_not_found"
    assert error_of(client.usergroups_users_list, usergroup="S0NONE") == "no_such_subteam"
    slack.scopes = frozenset({"chat:write"})
    assert error_of(client.users_info, user=slack.bob) == "missing_scope"


# Faults.


def test_faults_come_once_each_in_order_and_every_call_is_logged(slack, client):
    slack.fail("auth.test", refused("fatal_error"))
    slack.fail("*", status(503))
    assert error_of(client.auth_test) == "fatal_error"
    assert error_of(client.auth_test).startswith("Received a response in a non-JSON format")
    client.auth_test()
    assert [(call.method, call.status, call.error) for call in slack.calls] == [
        ("auth.test", 200, "fatal_error"),
        ("auth.test", 503, ""),
        ("auth.test", 200, ""),
    ]


@pytest.mark.parametrize(
    ("fault", "raised", "posted"),
    [(DROP_BEFORE, RemoteDisconnected, 0), (DROP_AFTER, RemoteDisconnected, 1), (HALF_ANSWER, IncompleteRead, 1)],
    ids=["before", "after", "half"],
)
def test_a_broken_connection_loses_the_call_or_only_the_answer(slack, client, fault, raised, posted):
    slack.fail("chat.postMessage", fault)
    with pytest.raises(raised):
        client.chat_postMessage(channel=slack.channel, text="x")
    assert len(slack.messages(slack.channel)) == posted


def test_a_hanging_call_ends_with_the_server():
    with SlackServer() as slack:
        slack.fail("auth.test", HANG)
        client = client_of(slack)
        client.timeout = 0.1
        with pytest.raises(TimeoutError):
            client.auth_test()


def test_waiting_is_asked_for_in_the_header(slack, client):
    slack.fail("chat.postMessage", rate_limited(3))
    with pytest.raises(SlackApiError) as caught:
        client.chat_postMessage(channel=slack.channel, text="x")
    assert caught.value.response.status_code == 429
    assert caught.value.response.headers["Retry-After"] == "3"


def test_the_limit_of_one_message_a_second_is_per_channel(slack, client):
    slack.add_channel("C0OTHER01", "other")
    slack.one_per_second(True)
    client.chat_postMessage(channel=slack.channel, text="1")
    client.chat_postMessage(channel="C0OTHER01", text="1")
    assert error_of(client.chat_postMessage, channel=slack.channel, text="2") == "ratelimited"
    slack.advance(1.01)
    client.chat_postMessage(channel=slack.channel, text="2")


# Socket Mode.


def test_a_socket_url_is_good_once(slack):
    url = socket_url(slack)
    with connect(url) as socket:
        assert json.loads(socket.recv())["type"] == "hello"
    with pytest.raises(InvalidStatus), connect(url):
        pass


def test_each_envelope_goes_to_one_socket_and_its_ack_is_timed(slack):
    with sockets(slack, 2) as (first, second):
        done = [slack.command("status"), slack.command("mutes")]
        assert [len(first.envelopes), len(second.envelopes)] == [1, 1]
        assert all(0 < each.ack_seconds < 5 for each in done)
        assert first.said[0] == ("hello", None)
        assert first.envelopes[0]["payload"]["text"] == "status"


def test_a_socket_asked_to_go_gets_nothing_any_more(slack):
    with sockets(slack, 2) as (first, second):
        slack.refresh()
        for _ in range(2):
            assert slack.command("x").ack_seconds is not None
        wait_until(lambda: first.said[-1] == ("disconnect", "refresh_requested"), "the farewell")
        assert (len(first.envelopes), len(second.envelopes)) == (0, 2)


def test_a_command_without_a_socket_is_lost_and_one_without_an_ack_is_seen(slack):
    assert slack.command("x").delivered is False
    with sockets(slack, acknowledges=False):
        done = slack.command("x", timeout=0.05)
        assert (done.delivered, done.ack_seconds) == (True, None)


def test_away_cuts_sockets_and_answers_nothing(slack, client):
    with sockets(slack), slack.away():
        assert slack.command("x").delivered is False
        with pytest.raises(RemoteDisconnected):
            client.auth_test()
    client.auth_test()


def test_an_eleventh_socket_is_sent_away(slack):
    with sockets(slack, 10), connect(socket_url(slack)) as eleventh:
        assert json.loads(eleventh.recv())["reason"] == "too_many_websockets"


# What a click or a command allows.


def test_a_trigger_opens_one_view_within_three_seconds(slack, client):
    with sockets(slack) as (socket,):
        for _ in range(2):
            slack.command("x")
        used, late = (envelope["payload"]["trigger_id"] for envelope in socket.envelopes)
    view_id = client.views_open(trigger_id=used, view=MODAL)["view"]["id"]
    assert slack.views[view_id]["title"]["text"] == "Mute"
    assert error_of(client.views_open, trigger_id=used, view=MODAL) == "exchanged_trigger_id"
    slack.advance(3.1)
    assert error_of(client.views_open, trigger_id=late, view=MODAL) == "expired_trigger_id"
    assert error_of(client.views_open, trigger_id="1.2.3", view=MODAL) == "invalid_trigger_id"


def test_views_can_be_updated_published_and_submitted(slack, client):
    with sockets(slack) as (socket,):
        slack.command("x")
        trigger = socket.envelopes[0]["payload"]["trigger_id"]
        view_id = client.views_open(trigger_id=trigger, view=MODAL)["view"]["id"]
        client.views_update(view_id=view_id, view={**MODAL, "private_metadata": "7"})
        slack.submit(view_id, {"b": {"a": {"type": "plain_text_input", "value": "2h"}}}, user=slack.bob)
        sent = socket.envelopes[1]["payload"]
    assert (sent["type"], sent["user"]["id"], sent["view"]["private_metadata"]) == ("view_submission", slack.bob, "7")
    assert sent["view"]["state"]["values"]["b"]["a"]["value"] == "2h"
    client.views_publish(user_id=slack.alice, view={"type": "home", "blocks": ROW})
    assert slack.homes[slack.alice]["blocks"] == ROW
    assert error_of(client.views_update, view_id="V0NONE", view=MODAL) == "not_found"
    bad = {**MODAL, "title": {"type": "plain_text", "text": "x" * 25}}
    assert error_of(client.views_update, view_id=view_id, view=bad) == "invalid_arguments"


def test_a_response_url_takes_five_answers_in_half_an_hour(slack):
    with sockets(slack) as (socket,):
        done = slack.command("x", user=slack.bob)
        slack.command("y")
    urls = [envelope["payload"]["response_url"] for envelope in socket.envelopes]
    first = WebhookClient(urls[0])
    assert [first.send(text=str(n)).status_code for n in range(6)] == [200] * 5 + [404]
    assert [message.text for message in slack.messages(slack.channel, only=slack.bob)] == ["0", "1", "2", "3", "4"]
    assert done.wait_for_answer(5)["text"] == "4"
    slack.advance(30 * 60 + 1)
    assert WebhookClient(urls[1]).send(text="late").status_code == 404


def test_an_answer_may_be_for_all_and_its_blocks_are_checked(slack):
    with sockets(slack) as (socket,):
        slack.command("x")
    hook = WebhookClient(socket.envelopes[0]["payload"]["response_url"])
    assert json.loads(hook.send(text="x", blocks=[{"type": "header"}]).body)["error"] == "invalid_blocks"
    hook.send(text="for all", response_type="in_channel")
    assert [message.text for message in slack.messages(slack.channel)] == ["for all"]
    slack.fail("respond", status(500))
    assert hook.send(text="x").status_code == 500


def test_a_press_carries_the_message_as_it_was_and_may_replace_it(slack, client):
    ts = client.chat_postMessage(channel=slack.channel, text="alert", blocks=ROW)["ts"]
    (seen,) = slack.messages(slack.channel)
    with sockets(slack) as (socket,):
        slack.press(seen, "go", user=slack.bob)
    sent = socket.envelopes[0]["payload"]
    assert sent["actions"][0] | {"action_ts": ""} == {
        "type": "button",
        "action_id": "go",
        "block_id": "row",
        "value": "v",
        "text": GO["text"],
        "action_ts": "",
    }
    assert (sent["container"]["message_ts"], sent["user"]["id"], sent["message"]["blocks"]) == (ts, slack.bob, ROW)
    WebhookClient(sent["response_url"]).send(text="gone", replace_original=True)
    assert [message.text for message in slack.messages(slack.channel)] == ["gone"]
    with pytest.raises(AssertionError, match="shows no 'stop'"):
        slack.press(seen, "stop")


def test_an_event_reaches_the_bot(slack):
    with sockets(slack) as (socket,):
        done = slack.event({"type": "app_home_opened", "user": slack.alice, "tab": "home"})
    assert done.ack_seconds is not None
    assert socket.envelopes[0]["type"] == "events_api"
    assert socket.envelopes[0]["payload"]["event"]["type"] == "app_home_opened"


def test_a_bolt_app_answers_a_command_and_a_press(slack, client):
    app = App(client=client, token_verification_enabled=False)

    @app.command("/trainstatus")
    def answer(ack, respond, command):
        ack()
        respond(text=f"you said {command['text']}", blocks=ROW)

    @app.action("go")
    def press(ack, respond):
        ack()
        respond(text="gone", replace_original=True)

    handler = SocketModeHandler(app, slack.app_token)
    try:
        handler.connect()
        slack.wait_connected()
        done = slack.command("hello")
        assert done.wait_for_answer()["text"] == "you said hello"
        slack.press(done.shown[0], "go").wait_for_answer()
        assert [message.text for message in slack.messages(slack.channel, only=slack.alice)] == ["gone"]
    finally:
        handler.close()


def test_slack_takes_another_clock_than_the_systems():
    with SlackServer(clock=lambda: 1795513955.0) as slack:
        ts = client_of(slack).chat_postMessage(channel=slack.channel, text="x")["ts"]
        assert ts.startswith("1795513955.")
        assert slack.calls[0].at == 1795513955.0
