"""Looks at a host when a person asks: `check` and `log` in Slack, on a real monitor with real files and real SSH."""

from __future__ import annotations

import re
import threading
import time

import pytest

from bot.app import _LOOKS
from monitor_core.errors import Unreachable
from monitor_core.model.records import LogRequest
from tests.support.desk import Desk, log_of
from tests.support.slack_rules import MESSAGE_CHARACTERS, check_blocks, size
from tests.support.slack_server import SlackServer
from tests.support.sshd import until

SECRET = "hf_" + 34 * "a"


@pytest.fixture
def slack():
    with SlackServer() as server:
        yield server


@pytest.fixture
def hung(slack, tmp_path, make_sshd):
    """A monitor whose host has been read once and then falls silent; a look waits for 2 s."""
    server = make_sshd()
    host = server.host().model_dump(include={"address", "user", "port", "host_key", "keys", "agent"})
    with Desk(slack, tmp_path, host=host, patience=2.0, llama=log_of(tmp_path, "llama.log")) as desk:
        until(lambda: desk.control.run("llama").seen_at)
        server.pause()
        desk.server = server
        yield desk
        server.resume()


# check


def test_check_says_state_iteration_and_the_age_of_the_newest_line(slack, tmp_path):
    with Desk(slack, tmp_path, llama=log_of(tmp_path, "llama.log", age=1)) as desk:
        shown = desk.ask("check llama")
        assert re.search(
            r":large_green_circle: \*OK llama:\* training, 40 / 10,000 \(0\.4%\), last line .{,4} ago", shown
        )
        assert "nothing was stored" in shown


def test_check_says_learning_of_a_run_that_has_printed_too_little(slack, tmp_path):
    log = log_of(tmp_path, "llama.log", age=1)
    text = "".join(log.read_text().splitlines(keepends=True)[:12])
    with Desk(slack, tmp_path, llama=log_of(tmp_path, "llama.log", text, age=1)) as desk:
        shown = desk.ask("check llama")
        assert ":large_green_circle: *OK llama:* learning, 12 / 10,000 (0.1%), last line" in shown


def test_check_says_what_is_wrong_in_the_words_of_the_shell(slack, tmp_path):
    with Desk(slack, tmp_path, llama=log_of(tmp_path, "llama.log", age=1500)) as desk:
        shown = desk.ask("check llama")
        assert re.search(r":red_circle: \*CRITICAL llama:\* STUCK for 25m, 40 / 10,000", shown)


def test_check_looks_now_and_stores_nothing(slack, tmp_path):
    log = log_of(tmp_path, "llama.log", age=1)
    with Desk(slack, tmp_path, llama=log) as desk:
        until(lambda: desk.control.run("llama").seen_at)
        newest = log.read_text().splitlines()[-1].replace("      40/", "      41/")
        with log.open("a") as out:
            out.write(f"{newest}\n")
        assert "41 / 10,000" in desk.ask("check llama")
        assert desk.control.run("llama").iteration == 40


def test_check_says_how_far_the_hosts_clock_is_off(slack, tmp_path, monkeypatch):
    log = log_of(tmp_path, "llama.log", age=1)
    date = tmp_path / "date"
    date.write_text("#!/bin/sh\necho $(($(/bin/date +%s) + 150)).5\n")
    date.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    with Desk(slack, tmp_path, llama=log) as desk:
        assert re.search(r"the clock of gpu-01 is 2m [1-4]\ds ahead", desk.ask("check llama"))


def test_check_of_a_missing_log_says_so(slack, tmp_path):
    with Desk(slack, tmp_path, llama=tmp_path / "none.log") as desk:
        assert f"*UNKNOWN llama:* there is no {tmp_path}/none.log" in desk.ask("check llama")


def test_a_host_that_hangs_is_told_in_time_and_keeps_nobody_waiting(hung, slack):
    began = time.monotonic()
    looks = [slack.command(command) for command in ("check llama", "log llama")]
    assert all(look.ack_seconds is not None and look.ack_seconds < 3 for look in looks)
    assert "1 run" in hung.ask("")
    assert not any(look.answers for look in looks)
    for look in looks:
        assert "gpu-01 has not answered within 2 s" in look.wait_for_answer()["text"]
    assert time.monotonic() - began < 60


def test_more_looks_than_there_is_room_for_are_told_to_come_back_and_other_commands_go_on(hung, slack):
    hung.control.sight.patience = 15.0
    looks = [slack.command("check llama") for _ in range(_LOOKS)]
    assert "Too many looks at hosts" in slack.command("log llama").wait_for_answer()["text"]
    assert "1 run" in hung.ask("")
    assert not any(look.answers for look in looks)
    hung.server.resume()
    for look in looks:
        assert "llama: " in look.wait_for_answer()["text"]


def test_a_read_of_the_poller_that_waits_behind_a_look_that_hangs_still_gets_its_turn(hung, slack):
    sight = hung.control.sight
    answers = []
    look = threading.Thread(target=lambda: answers.append(sight.check(["llama"])))
    look.start()
    reader = sight.poller.readers["gpu-01"]
    until(lambda: "gpu-01" in sight._turns and sight._turns["gpu-01"].locked())
    request = LogRequest("llama", sight.poller.roster.run("llama").logs)
    poll = threading.Thread(target=lambda: answers.append(_read(reader, request)))
    poll.start()
    look.join()
    assert poll.is_alive()
    poll.join()
    assert isinstance(answers[1], Unreachable)
    assert "busy" not in str(answers[1])


def _read(reader, request):
    try:
        return reader.read([request], deadline=4.0)
    except Unreachable as error:
        return error


# log


def test_log_shows_the_last_lines_of_the_newest_file_and_which_it_is(slack, tmp_path):
    log_of(tmp_path, "rank_0.log", "old", age=90)
    log_of(tmp_path, "rank_1.log", *(f"line {n}" for n in range(40)), age=41)
    with Desk(slack, tmp_path, llama=tmp_path / "rank_*.log") as desk:
        shown = desk.ask("log llama 3")
        assert f"*llama*  gpu-01:{tmp_path}/rank_1.log, written <!date^" in shown
        assert re.search(r"\(4[1-9]\S+ s ago\)|\(4\d.s ago\)", shown)
        assert "```line 37\nline 38\nline 39```" in shown
        assert desk.ask("log llama").count("\nline") + 1 == 15


def test_log_is_clean_and_redacted_and_says_how_many_secrets_were_taken_out(slack, tmp_path):
    lines = (
        b"\x1b[31mred\x1b[0m   alert\n",
        f"token {SECRET} and `code` <@U012ALICE> & more",
        "[2026-11-24 09:52:35,123] INFO started",
        b"bad \xff byte\n",
        b"10%\r20%\r unfinished 30%",
    )
    with Desk(slack, tmp_path, llama=log_of(tmp_path, "llama.log", *lines)) as desk:
        shown = desk.ask("log llama")
    assert "red alert" in shown
    assert "token [redacted] and 'code' &lt;@U012ALICE&gt; &amp; more" in shown
    assert "\n09:52:35 INFO started" in shown
    assert "bad \ufffd byte" in shown
    assert "unfinished 30%```" in shown
    assert "1 secret redacted" in shown


def test_log_of_thirty_long_lines_fits_whatever_stands_in_them(slack, tmp_path):
    lines = [f"{n:02d} " + 300 * "<&>" for n in range(40)]
    with Desk(slack, tmp_path, llama=log_of(tmp_path, "llama.log", *lines)):
        answer = slack.command("log llama 30").wait_for_answer()
    assert check_blocks(answer["blocks"]) == []
    assert size(answer["blocks"]) < MESSAGE_CHARACTERS
    assert "39 &lt;" in answer["blocks"][1]["text"]["text"]
    assert answer["blocks"][1]["text"]["text"].endswith("```")


def test_log_of_what_is_not_there_says_so(slack, tmp_path):
    with Desk(slack, tmp_path, llama=tmp_path / "none.log") as desk:
        assert desk.ask("log llama") == f"llama: there is no {tmp_path}/none.log."


def test_an_empty_log_is_said_to_be_empty(slack, tmp_path):
    (tmp_path / "llama.log").touch()
    with Desk(slack, tmp_path, llama=tmp_path / "llama.log") as desk:
        assert "It is empty." in desk.ask("log llama")


def test_check_and_log_offer_each_other(slack, tmp_path):
    with Desk(slack, tmp_path, llama=log_of(tmp_path, "llama.log")):
        checked = slack.command("check llama")
        checked.wait_for_answer()
        pressed = slack.press(checked.shown[0], "redo_1")
        assert "The last 15 lines" in pressed.wait_for_answer()["text"]
