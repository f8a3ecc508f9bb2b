"""The bot's socket: Slack away at the start, a lost socket, a socket that Slack takes back, the end."""

from __future__ import annotations

import threading
import time

import pytest

from tests.support.bot import NOW, Bot
from tests.support.slack_people import wait_until
from tests.support.slack_server import SlackServer, rate_limited, refused


@pytest.fixture
def slack():
    with SlackServer(clock=lambda: NOW) as server:
        yield server


@pytest.fixture
def bot(slack, tmp_path):
    bot = Bot(slack, tmp_path)
    yield bot
    bot.close()


def test_slack_may_be_away_at_the_start(bot, slack):
    with slack.away():
        bot.app.start(bot.control)
        wait_until(lambda: slack.calls_of("auth.test"), "an attempt")
        assert not bot.app.connected
    wait_until(lambda: bot.app.connected, "the connection")
    slack.wait_connected()
    assert "2 runs" in bot.ask("")


@pytest.mark.parametrize("fault", [refused("invalid_auth"), rate_limited(1)])
@pytest.mark.parametrize("method", ["auth.test", "apps.connections.open"])
def test_a_refusal_at_the_start_is_tried_again(bot, slack, method, fault):
    slack.fail(method, fault)
    bot.start()
    assert "2 runs" in bot.ask("")


def test_a_lost_socket_is_opened_anew(bot, slack):
    began = time.time()
    bot.start()
    wait_until(lambda: bot.app.link.open, "the connection")
    opened = bot.app.link.since
    assert began < opened < time.time()
    slack.drop_sockets()
    wait_until(lambda: not bot.app.connected, "the loss")
    wait_until(lambda: bot.app.link.since > opened, "the time of the loss")
    slack.wait_connected()
    assert "2 runs" in bot.ask("")


def test_a_socket_that_slack_takes_back_is_replaced_again_and_again(bot, slack):
    bot.start()
    for number in range(2, 5):
        wait_until(lambda: bot.app.connected, "the connection")
        slack.refresh()
        wait_until(lambda wanted=number: len(slack.calls_of("apps.connections.open")) >= wanted, "a new socket")
        slack.wait_connected()
        assert "2 runs" in bot.ask("")
    assert bot.app.connected


def test_it_stops_at_once_and_leaves_no_thread_behind(bot, slack):
    before = set(threading.enumerate())
    bot.start()
    wait_until(lambda: bot.app.connected, "the connection")
    begun = time.monotonic()
    bot.app.stop()
    assert time.monotonic() - begun < 10
    assert not bot.app.connected
    wait_until(lambda: not _ours(set(threading.enumerate()) - before), "the end of all threads")


def test_it_stops_while_slack_is_away(bot, slack):
    with slack.away():
        bot.app.start(bot.control)
        wait_until(lambda: slack.calls_of("auth.test"), "an attempt")
        begun = time.monotonic()
        bot.app.stop()
        assert time.monotonic() - begun < 10


def test_a_failed_attempt_leaves_no_thread_behind(bot, slack):
    before = set(threading.enumerate())
    slack.fail("apps.connections.open", refused("internal_error"))
    bot.start()
    bot.app.stop()
    wait_until(lambda: not _ours(set(threading.enumerate()) - before), "the end of all threads")


def _ours(threads):
    """Return the threads without those of the test Slack's HTTP server."""
    return [thread for thread in threads if "process_request" not in thread.name]
