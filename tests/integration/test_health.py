"""How trainstatus itself does: `bot` in Slack, `status --self` in the shell."""

from __future__ import annotations

import json
import re

import pytest

from monitor_core.cli import main
from monitor_core.model.views import ReceiverHealth, Running
from tests.support.desk import Desk, log_of
from tests.support.slack_server import SlackServer, refused
from tests.support.smtpd import MailServer
from tests.support.sshd import free_port, until
from tests.support.stage import ONCALL, START, Stage


@pytest.fixture
def slack():
    with SlackServer() as server:
        yield server


@pytest.fixture
def stage(tmp_path, slack):
    with MailServer() as mail:
        stage = Stage(tmp_path, slack=slack, mail=mail)
        stage.slack, stage.mail = slack, mail
        yield stage
        stage.close()


def receiver(stage, target):
    return next(each for each in stage.control.health().receivers if each.target == target)


def test_a_monitor_that_does_well_says_so(slack, tmp_path):
    with Desk(slack, tmp_path, llama=log_of(tmp_path, "llama.log")) as desk:
        until(lambda: desk.control.run("llama").seen_at)
        shown = desk.ask("bot")
    assert "*Up*  since <!date^" in shown
    assert "*Slack*  connected since <!date^" in shown
    assert "*Hosts*  1 of 1 hosts answer, all polls in time" in shown
    assert "*To slack*  nothing waits, nothing sent yet" in shown
    assert re.search(r"\*Database\*  0\.\d MiB", shown)
    assert "data 0" in shown.lower()


def test_a_host_that_gives_no_answer_is_named_with_the_reason(slack, tmp_path):
    away = {"address": "127.0.0.1", "user": "me", "port": free_port()}
    with Desk(slack, tmp_path, host=away, llama="/data/llama.log") as desk:
        until(lambda: "connection refused" in desk.ask("bot"))
        shown = desk.ask("bot")
    assert "*Hosts*  0 of 1 hosts answer" in shown
    assert "*gpu-01*  gives no answer: connection refused by 127.0.0.1" in shown


def test_a_receiver_has_its_last_success_and_what_waits_for_it(stage):
    assert receiver(stage, ONCALL) == ReceiverHealth("email", ONCALL)
    stage.fire()
    stage.clock.now += 41
    waiting = receiver(stage, ONCALL)
    assert (waiting.waiting, waiting.oldest_at, waiting.sent_at) == (1, START, None)
    stage.drain()
    sent = receiver(stage, ONCALL)
    assert (sent.waiting, sent.oldest_at, sent.sent_at, sent.error) == (0, None, START + 41, "")


def test_a_receiver_has_its_last_error(stage):
    stage.mail.replies[ONCALL] = "550 5.1.1 no such user"
    stage.fire()
    stage.drain()
    failed = receiver(stage, ONCALL)
    assert failed.failed_at is not None
    assert "550 5.1.1 no such user" in failed.error
    (trouble,) = stage.control.health().incidents
    assert trouble.said("what") == f"Messages do not reach email:{ONCALL}"


def test_what_waits_on_purpose_in_the_stead_of_slack_is_not_late(tmp_path, slack):
    with MailServer() as mail:
        stage = Stage(tmp_path, slack=slack, mail=mail, recipients=({"address": ONCALL, "when": "fallback"},))
        slack.fail("chat.postMessage", refused("internal_error"), times=9)
        stage.fire()
        stage.drain()
        assert receiver(stage, ONCALL).waiting == 0
        assert receiver(stage, slack.channel).waiting == 1
        stage.wait(121)
        assert receiver(stage, ONCALL).sent_at == START + 121
        stage.close()


def test_the_newest_error_of_an_attempt_counts_even_after_a_success(stage):
    stage.fire()
    stage.drain()
    stage.execute("INSERT INTO attempts (delivery, at, error) VALUES (2, 5, 'old'), (2, 7, 'greylisted'), (2, 9, '')")
    known = receiver(stage, ONCALL)
    assert (known.sent_at, known.failed_at, known.error) == (START, 7, "greylisted")


def test_who_is_on_duty_stands_in_the_lease(stage):
    assert stage.control.health().lease_until is None
    stage.execute(f"INSERT INTO lease VALUES ('monitor', 'box:4711', 3, {START}, {START + 30}, {START})")
    view = stage.control.health()
    assert (view.holder, view.on_duty) == ("box:4711", True)
    stage.clock.now += 31
    assert not stage.control.health().on_duty


def test_what_only_the_process_knows_comes_from_it(stage):
    assert stage.control.health().running is None
    stage.control.running = lambda: Running(START, {"gpu-01": 2.0})
    assert stage.control.health().running.lags == {"gpu-01": 2.0}


def test_the_shell_tells_of_the_monitor_what_is_stored(tmp_path, capsys, monkeypatch):
    log_of(tmp_path, "llama.log")
    monkeypatch.chdir(tmp_path)
    (tmp_path / "trainstatus.yaml").write_text(
        f"database: sqlite:///{tmp_path}/stage.db\nhosts: {{gpu-01: {{transport: local}}}}\n"
        f"runs: {{llama-70b: {{host: gpu-01, logs: {tmp_path}/llama.log}}}}\n"
        "email: {smtp: {host: 127.0.0.1}, from: t@example.com, recipients: [{address: oncall@example.com}]}\n"
    )
    with MailServer(replies={ONCALL: "550 no such user"}) as mail:
        stage = Stage(tmp_path, mail=mail)
        stage.fire()
        stage.drain()
        stage.close()
    assert main(["status", "--self"]) == 0
    out = capsys.readouterr().out
    assert "On duty:     nobody ever was\n" in out
    assert "Hosts:       0 of 1 answer\n" in out
    assert re.search(
        r"email:oncall@example\.com +- +never +\d\d:\d\d UTC.*: mail server .* refused .*: 550 no such user", out
    )
    assert "MONITOR ERROR since" in out
    assert main(["status", "--self", "--json"]) == 0
    view = json.loads(capsys.readouterr().out)
    assert view["receivers"][0]["error"].endswith("550 no such user")
    assert view["running"] is None
