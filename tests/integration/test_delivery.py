"""The outbox against a real mail server and Slack's protocol: what people get when the way to them is disturbed."""

from __future__ import annotations

from contextlib import ExitStack

import pytest

from monitor_core.model.deliveries import DeliveryState
from monitor_core.model.incidents import Kind
from monitor_core.store import outbox
from tests.support.slack_server import DROP_AFTER, SlackServer, rate_limited
from tests.support.smtpd import MailServer
from tests.support.stage import BOSS, ONCALL, OTHER_CHANNEL, OTHER_RUN, RUN, Stage, subjects

STUCK = f"{RUN} STUCK on gpu-01 (incident 1)"
REPEAT = "(May be a repeat.)"
FALLBACK = ({"address": BOSS, "when": "fallback"},)


@pytest.fixture
def slack():
    with SlackServer() as server:
        server.add_channel(OTHER_CHANNEL, "other")
        yield server


@pytest.fixture
def mail():
    with MailServer() as server:
        yield server


@pytest.fixture
def stage(tmp_path):
    with ExitStack() as stack:

        def make(**how):
            made = Stage(tmp_path, **how)
            stack.callback(made.close)
            return made

        yield make


def states(stage, target=None):
    of = f" WHERE target = '{target}'" if target else ""
    return [state for (state,) in stage.rows(f"SELECT state FROM deliveries{of} ORDER BY number")]


def test_what_happened_first_is_told_first(stage, mail):
    stage = stage(mail=mail)
    stuck = stage.fire()
    stage.drain()
    stage.resolve(stuck)
    stage.fire(OTHER_RUN)
    stage.drain()
    assert subjects(mail) == [STUCK, f"Re: {STUCK}", f"{OTHER_RUN} STUCK on gpu-01 (incident 2)"]


def test_a_mail_that_broke_off_is_tried_again_ever_more_slowly_until_it_goes(stage, mail):
    stage = stage(mail=mail)
    mail.dies_in = "DATA"
    stage.fire()
    waits = []
    for _ in range(7):
        due = stage.outboxes["email"].drain()
        waits.append(due - stage.clock.now)
        stage.clock.now = due
    assert all(0.8 * full <= wait <= full for wait, full in zip(waits, [1, 2, 4, 8, 16, 30, 30], strict=True))
    mail.dies_in = ""
    assert stage.outboxes["email"].drain() is None
    assert subjects(mail) == [STUCK]
    assert REPEAT in mail.received[0].body("plain"), "the answer was lost: it might have been taken"


def test_a_server_that_could_not_be_reached_makes_no_repeat(stage, mail):
    stage = stage(mail=mail)
    mail.replies["oncall@example.com"] = "451 later"
    stage.fire()
    stage.drain()
    mail.replies.clear()
    stage.wait(400)
    assert REPEAT not in mail.received[0].body("plain")


def test_a_post_whose_answer_was_lost_is_posted_again_as_a_possible_repeat(stage, slack):
    stage = stage(slack=slack)
    slack.fail("chat.postMessage", DROP_AFTER)
    stage.fire()
    stage.drain()
    stage.wait(5)
    first, second = slack.messages(slack.channel)
    assert REPEAT not in first.shown
    assert REPEAT in second.shown


def test_a_channel_that_asks_for_a_rest_gets_it_also_for_later_alerts_and_other_channels_go_on(stage, slack):
    stage = stage(slack=slack)
    slack.fail("chat.postMessage", rate_limited(30))
    stage.fire()
    stage.drain()
    stage.fire(kind=Kind.SLOW)
    stage.fire(OTHER_RUN)
    stage.wait(29)
    assert [call.args["channel"] for call in slack.calls_of("chat.postMessage")] == [slack.channel, OTHER_CHANNEL]
    stage.wait(1)
    assert len(slack.messages(slack.channel)) == 2


def test_a_dead_channel_is_told_once_by_mail_and_so_is_that_it_lives_again(stage, slack, mail):
    stage = stage(slack=slack, mail=mail)
    slack.archive(slack.channel)
    stage.fire()
    stage.drain()
    stage.fire(kind=Kind.SLOW)
    stage.drain()
    error = "trainstatus MONITOR ERROR (incident 2)"
    assert subjects(mail).count(error) == 1
    assert f"Messages do not reach slack:{slack.channel}" in mail.received[1].body("plain")
    assert len(slack.calls_of("chat.postMessage")) == 2
    slack.world.channels[slack.channel].archived = False
    stage.fire(kind=Kind.FAILED)
    stage.drain()
    assert subjects(mail).count(f"Re: {error}") == 1
    assert stage.incident(2).state == "resolved"


def test_an_address_that_is_refused_for_good_does_not_keep_the_others_from_their_mail(stage, mail):
    stage = stage(mail=mail, recipients=({"address": BOSS}, {"address": ONCALL}))
    mail.replies[BOSS] = "550 5.1.1 no such user"
    stage.fire()
    stage.drain()
    assert [received.targets for received in mail.received] == [[ONCALL], [ONCALL]]
    assert states(stage, BOSS) == ["dead"]


def test_a_delivery_that_was_on_its_way_when_the_process_died_is_sent_as_a_possible_repeat(stage, mail):
    stage = stage(mail=mail)
    stage.fire()
    assert stage.outboxes["email"]._claim() is not None
    stage.drain()
    assert subjects(mail) == []
    stage.outboxes["email"].recover()
    stage.drain()
    assert REPEAT in mail.received[0].body("plain")
    assert states(stage) == ["sent"]


def test_the_fallback_recipient_hears_nothing_if_slack_is_told_in_time(stage, slack, mail):
    stage = stage(slack=slack, mail=mail, recipients=FALLBACK)
    stage.fire()
    stage.wait(600)
    assert (len(slack.messages(slack.channel)), subjects(mail)) == (1, [])
    assert states(stage, BOSS) == ["superseded"]


def test_the_fallback_recipient_is_mailed_when_slack_was_away_for_two_minutes(stage, slack, mail):
    stage = stage(slack=slack, mail=mail, recipients=FALLBACK)
    with slack.away():
        stage.fire()
        stage.wait(119)
        assert subjects(mail) == []
        stage.wait(1)
        assert subjects(mail) == [STUCK]
        assert "late" not in mail.received[0].body("plain")


def test_the_fallback_recipient_is_mailed_at_once_when_slack_refuses_for_good(stage, slack, mail):
    stage = stage(slack=slack, mail=mail, recipients=FALLBACK)
    slack.kick(slack.channel)
    stage.fire()
    stage.drain()
    assert STUCK in subjects(mail)


def test_that_slack_took_the_first_alert_does_not_keep_the_fallback_from_the_escalation(stage, slack, mail):
    stage = stage(slack=slack, mail=mail, recipients=FALLBACK)
    stuck = stage.fire()
    stage.drain()
    with slack.away():
        stage.escalate(stuck)
        stage.wait(120)
    assert subjects(mail) == [STUCK]


def test_a_trouble_that_ended_before_slack_came_back_is_one_message(stage, slack):
    stage = stage(slack=slack)
    with slack.away():
        stuck = stage.fire()
        stage.drain()
        stage.clock.now += 60
        stage.resolve(stuck)
        stage.drain()
    stage.wait(60)
    assert [message.shown.splitlines()[0] for message in slack.messages(slack.channel)] == [
        f":white_check_mark: {RUN} resolved · STUCK 3m"
    ]
    assert states(stage) == ["superseded", "sent"]


def test_an_alert_that_failed_while_it_was_resolved_does_not_arrive_after_the_resolve(stage, mail):
    stage = stage(mail=mail)
    mail.dies_in = "DATA"
    stuck = stage.fire()
    claim = stage.outboxes["email"]._claim()
    stage.resolve(stuck)
    stage.outboxes["email"]._send(claim)
    assert states(stage) == ["superseded", "pending"]
    mail.dies_in = ""
    stage.wait(60)
    assert [received.body("plain").split(":")[0] for received in mail.received] == ["RESOLVED"]


def test_an_alert_that_was_cut_off_while_it_was_acknowledged_is_still_the_alert(stage, slack):
    stage = stage(slack=slack)
    stage.fire()
    assert stage.outboxes["slack"]._claim() is not None
    stage.control.ack("shell:alice", RUN)
    stage.outboxes["slack"].recover()
    stage.drain()
    assert stage.rows("SELECT reason, state FROM deliveries ORDER BY number") == [
        ("firing", "sent"),
        ("acknowledged", "superseded"),
    ]
    assert len(slack.messages(slack.channel)) == 1


def test_a_message_that_slack_took_late_says_so_and_names_the_true_onset(stage, slack):
    stage = stage(slack=slack)
    with slack.away():
        stage.fire()
        stage.drain()
    stage.wait(41 * 60)
    shown = slack.messages(slack.channel)[0].shown
    assert "Sent 41m late" in shown
    assert "09:50:35 UTC" in shown


def test_a_run_whose_stored_state_is_damaged_holds_up_nobody(stage, mail):
    stage = stage(mail=mail)
    stage.execute(f"INSERT INTO runs VALUES ('{RUN}', 'gpu-01', 'no JSON', '{{}}', 0, 0)")
    stage.fire()
    stage.fire(OTHER_RUN)
    stage.drain()
    assert len(mail.received) == 2


def test_a_message_that_cannot_be_laid_out_is_given_up_and_told_and_the_next_one_goes(stage, slack, mail):
    stage = stage(slack=slack, mail=mail)
    stage.fire()
    stage.execute('UPDATE incidents SET facts = \'{"limit": {"no": "number"}}\'')
    stage.fire(OTHER_RUN)
    stage.drain()
    assert states(stage, slack.channel)[0] == "dead"
    assert len(slack.messages(OTHER_CHANNEL)) == 1


def test_what_nobody_could_take_for_a_day_is_given_up(stage, mail):
    stage = stage(mail=mail)
    mail.replies[ONCALL] = "451 4.7.1 greylisted"
    stage.fire()
    stage.drain()
    stage.wait(86401)
    assert states(stage) == ["dead"]


def test_a_refused_commit_of_a_sent_message_is_recovered_as_a_repeat(stage, mail):
    stage = stage(mail=mail)
    stage.fire()
    stage.refuse("UPDATE ON deliveries", "new.state = 'sent'")
    with pytest.raises(Exception, match="disk full"):
        stage.outboxes["email"].send_next()
    stage.execute("DROP TRIGGER full")
    stage.outboxes["email"].recover()
    stage.drain()
    assert [REPEAT in received.body("plain") for received in mail.received] == [False, True]


def test_one_outbox_leaves_the_deliveries_of_the_other_alone(stage, slack, mail):
    stage = stage(slack=slack, mail=mail)
    stage.fire()
    stage.outboxes["email"].drain()
    assert (subjects(mail), slack.calls) == ([STUCK], [])
    with stage.engine.begin() as connection:
        assert [delivery.state for delivery in outbox.due(connection, "slack", stage.clock.now)] == [
            DeliveryState.PENDING
        ]


def test_a_false_alarm_is_shown_in_the_alert_and_so_is_that_it_was_none_after_all(stage, slack):
    stage = stage(slack=slack)
    stuck = stage.fire()
    stage.drain()

    def marked(*, undo=False):
        stage.control.false_alarm("slack:U012ALICE", "1", undo=undo)
        stage.wait(5)
        (message,) = slack.messages(slack.channel)
        return message.shown

    assert "*Marked as a false alarm by <@U012ALICE> at" in marked()
    assert "false alarm" not in marked(undo=True)
    stage.resolve(stage.incident(stuck.number))
    stage.drain()
    shown = marked()
    assert shown.startswith(f":white_check_mark: {RUN} resolved")
    assert "*Marked as a false alarm by <@U012ALICE> at" in shown
    assert shown.endswith("`/trainstatus why 1`")
    (message,) = slack.messages(slack.channel)
    assert [reply.text.split(".")[0] for reply in message.replies] == ["*Resolved after 2m 10s"]
