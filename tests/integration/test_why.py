"""Why somebody was told or not: what is written down as it is decided, and each attempt with its answer."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import replace

import pytest

from monitor_core.announce import announce, announce_all
from monitor_core.cli.past import told_why
from monitor_core.errors import CommandError
from monitor_core.incident.lifecycle import resolve
from monitor_core.model.decisions import FIRST_KEPT, LAST_KEPT, Outcome
from monitor_core.model.incidents import Incident, IncidentState, Kind, Severity, Subject, SubjectKind
from monitor_core.units import NBSP
from tests.support.slack_server import SlackServer, refused
from tests.support.smtpd import MailServer
from tests.support.stage import BOSS, HOST, ONCALL, OTHER_CHANNEL, RUN, START, Stage

ALICE = "slack:U012ALICE"
SLACK, MAIL, TO_BOSS = "slack:C0TRAIN01", f"email:{ONCALL}", f"email:{BOSS}"
FALLBACK = {"address": BOSS, "when": "fallback"}
SUBJECT = Subject(SubjectKind.RUN, RUN)


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


def decided(stage, number="1"):
    return [(d.reason, d.receiver, d.outcome, d.why) for d in stage.control.why(number).decisions]


def outcomes(stage, receiver):
    return [outcome for _, at, outcome, _ in decided(stage) if at == receiver]


def attempts(stage, receiver):
    (told,) = [told for told in stage.control.why("1").deliveries if told.receiver == receiver]
    return [(attempt.at - START, attempt.error) for attempt in told.attempts]


def read(stage, number="1"):
    return told_why(stage.control.why(number), stage.clock.now).replace(NBSP, " ")


# Who is told


def test_the_account_of_an_alert_reads_like_a_story(stage, slack, mail):
    recipients = ({"address": ONCALL}, {"address": BOSS, "severity": "critical"})
    stage = stage(slack=slack, mail=mail, recipients=recipients)
    stage.control.set_threshold(ALICE, "stuck", "2.5", scope=f"run {RUN}")
    stuck = stage.fire()
    stage.drain()
    stage.wait(60)
    stage.control.ack(ALICE, RUN)
    stage.wait(5)
    stage.resolve(stage.incident(stuck.number))
    stage.drain()
    shown = read(stage).replace("; ", ";\n").replace("), ", "),\n").splitlines()
    assert shown == [
        "Incident 1: llama-70b STUCK on gpu-01, warning, resolved after 3m 5s",
        "STUCK since 09:50:35 UTC (Tue 24 Nov): no progress line for 2m: limit 2m (set for run llama-70b).",
        "Thresholds then: stuck 2.5 (set for run llama-70b by U012ALICE),",
        "stuck_critical 5 (default),",
        "stuck_floor 2m (default).",
        "While it holds, SLOW is not judged.",
        "Acknowledged by U012ALICE at 09:53:35 UTC.",
        "",
        "What was decided",
        "  09:52:35 UTC firing → slack C0TRAIN01: sent after 0.0 s (1 attempt);",
        "email oncall@example.com: sent after 0.0 s (1 attempt);",
        "email boss@example.com: not told, wants critical",
        "  09:53:35 UTC acknowledged → slack C0TRAIN01: sent after 5.0 s (1 attempt)",
        "  09:53:40 UTC resolved → slack C0TRAIN01: sent after 0.0 s (1 attempt);",
        "email oncall@example.com: sent after 0.0 s (1 attempt);",
        "email boss@example.com: not told, was not told of it",
        "",
        "What people did",
        "  09:53:35 UTC U012ALICE ack incident 1: STUCK of llama-70b",
    ]


def test_what_a_mute_held_back_is_told_at_its_end_and_both_are_written_down(stage, mail):
    stage = stage(mail=mail)
    stage.control.mute(ALICE, RUN, until=START + 600, reason="disk swap")
    stage.fire()
    stage.clock.now += 601
    stage.control.settle()
    assert decided(stage) == [
        ("firing", "", Outcome.MUTED, "mute 1 until 2026-11-24 10:02 UTC (disk swap)"),
        ("mute_ended", MAIL, Outcome.ENQUEUED, ""),
    ]
    assert "held by mute 1 until 2026-11-24 10:02 UTC (disk swap), by U012ALICE" in read(stage)


def test_a_mute_that_was_made_while_it_fired_is_among_what_people_did(stage, mail):
    stage = stage(mail=mail)
    stage.fire()
    stage.control.mute("shell:bob", HOST, reason="disk swap")
    stage.control.mute("shell:bob", "moe-16x3b")
    assert [(e.actor, e.verb, e.subject) for e in stage.control.why("1").people] == [("shell:bob", "mute", HOST)]
    assert "bob (shell) mute gpu-01: until 2026-11-24 10:52 UTC: disk swap" in read(stage)


def test_the_fallback_recipient_waits_and_is_not_needed(stage, slack, mail):
    stage = stage(slack=slack, mail=mail, recipients=(FALLBACK,))
    stage.fire()
    stage.drain()
    assert decided(stage) == [
        ("firing", SLACK, Outcome.ENQUEUED, ""),
        ("firing", TO_BOSS, Outcome.ENQUEUED, "only if slack C0TRAIN01 cannot be told within 2m"),
        ("firing", TO_BOSS, Outcome.SUPERSEDED, "slack C0TRAIN01 was told"),
    ]


def test_an_edit_is_no_message_of_its_own_while_the_alert_waits_and_a_resolve_takes_its_place(stage, slack):
    stage = stage(slack=slack)
    stuck = stage.fire()
    stage.control.ack(ALICE, RUN)
    stage.resolve(stage.incident(stuck.number))
    assert decided(stage)[1:] == [
        ("acknowledged", SLACK, Outcome.FOLDED, "the message that waits (firing) tells it"),
        ("firing", SLACK, Outcome.SUPERSEDED, "a newer one (resolved) takes its place"),
        ("resolved", SLACK, Outcome.ENQUEUED, "in place of the one that waited (firing)"),
    ]


def test_an_alert_that_failed_while_it_was_resolved_is_written_down_as_not_needed(stage, mail):
    stage = stage(mail=mail)
    mail.dies_in = "DATA"
    stuck = stage.fire()
    claim = stage.outboxes["email"]._claim()
    stage.resolve(stuck)
    stage.outboxes["email"]._send(claim)
    assert outcomes(stage, MAIL) == [Outcome.ENQUEUED, Outcome.ENQUEUED, Outcome.SUPERSEDED]


def test_an_edit_that_came_while_the_alert_failed_is_told_by_the_alert(stage, slack):
    stage = stage(slack=slack)
    stage.fire()
    claim = stage.outboxes["slack"]._claim()
    stage.control.ack(ALICE, RUN)
    slack.fail("chat.postMessage", refused("internal_error"))
    stage.outboxes["slack"]._send(claim)
    assert decided(stage)[-1] == (
        "acknowledged",
        SLACK,
        Outcome.SUPERSEDED,
        "the message that waits (firing) tells it",
    )


def test_what_is_only_recorded_says_why(stage, mail):
    stage = stage(mail=mail)
    ended = Incident(SUBJECT, Kind.FINISHED, Severity.INFO, IncidentState.FIRING, START - 90, fired_at=START)
    stuck = Incident(SUBJECT, Kind.STUCK, Severity.WARNING, IncidentState.FIRING, START - 300, fired_at=START - 180)
    with stage.engine.begin() as connection:
        announce(connection, stage.roster, None, ended, START, quiet=True)
        announce(connection, stage.roster, None, resolve(stuck, START - 60), START)
    assert decided(stage) == [("firing", "", Outcome.RECORDED, "it had ended before its log was first looked at")]
    assert decided(stage, "2") == [("firing", "", Outcome.RECORDED, "it was over before the next look")]
    assert stage.rows("SELECT * FROM deliveries") == []


def test_a_slowdown_says_that_it_is_not_judged_while_the_run_is_stuck(stage, mail):
    stage = stage(mail=mail)
    slow, missing = stage.fire(kind=Kind.SLOW), stage.fire(kind=Kind.LOG_MISSING)
    stored, stuck = [slow, missing], replace(slow, kind=Kind.STUCK, number=0)
    for _ in range(2):
        with stage.engine.begin() as connection:
            announce_all(connection, stage.roster, stored, [slow, missing, stuck], START)
        stuck = replace(stuck, number=3)
        stored = [slow, missing, stuck]
    assert decided(stage)[1:] == [(None, "", Outcome.INHIBITED, "it is not judged while incident 3 (STUCK) fires")]
    assert decided(stage, "2")[1:] == decided(stage, "3")[1:] == []
    assert "09:52:35 UTC inhibited, it is not judged while" in read(stage)


# By what it was judged


def test_a_later_change_of_a_threshold_does_not_rewrite_history(stage, mail):
    stage = stage(mail=mail)
    stage.control.set_threshold("shell:bob", "stuck", "3", scope="all")
    stuck = stage.fire()
    stage.control.set_threshold("shell:bob", "stuck", "9", scope="all")
    stage.execute("UPDATE incidents SET facts = '{\"limit\": 999.0}'")
    (judged,) = stage.control.why("1").judgements
    assert [(held.name, held.value, held.source, held.by) for held in judged.thresholds] == [
        ("stuck", "3", "set for all", "shell:bob"),
        ("stuck_critical", "5", "default", ""),
        ("stuck_floor", "2m", "default", ""),
    ]
    assert (judged.facts, judged.at, judged.severity) == ({"limit": 120.0}, START, Severity.WARNING)
    stage.clock.now += 60
    stage.escalate(stage.incident(stuck.number))
    worse = stage.control.why("1").judgements[1]
    assert (worse.severity, worse.at, worse.facts) == (Severity.CRITICAL, START + 60, {"limit": 999.0})
    assert worse.thresholds[0].name == "stuck_critical"
    assert "Critical at 09:53:35 UTC: no progress line for 3m: limit 16m (default)." in read(stage)


def test_a_host_is_judged_by_the_most_patient_of_its_runs(stage, mail):
    stage = stage(mail=mail)
    stage.control.set_threshold(ALICE, "unreachable", "5m", scope="run moe-16x3b")
    away = Incident(
        Subject(SubjectKind.HOST, HOST), Kind.UNREACHABLE, Severity.WARNING, IncidentState.FIRING, START, fired_at=START
    )
    with stage.engine.begin() as connection:
        announce(connection, stage.roster, None, away, START)
    (judged,) = stage.control.why("1").judgements
    assert [(held.value, held.source) for held in judged.thresholds] == [("5m", "set for run moe-16x3b")]


def test_a_source_is_told_with_the_limit_that_it_belongs_to(stage, mail):
    stage = stage(mail=mail)
    facts = {"error": "there is no /data/x.log", "why": "down"}
    for kind in (Kind.LOG_MISSING, Kind.BLIND):
        missing = Incident(SUBJECT, kind, Severity.WARNING, IncidentState.FIRING, START, facts, fired_at=START)
        with stage.engine.begin() as connection:
            announce(connection, stage.roster, None, missing, START)
    assert "there is no /data/x.log; told after 3m (default)." in read(stage)
    assert "nobody looked: trainstatus was not running." in read(stage, "2")


def test_an_incident_of_a_run_that_is_gone_or_of_an_older_version_is_still_explained(stage, mail):
    stage = stage(mail=mail)
    stage.fire("gone-1b")
    assert stage.control.why("1").judgements[0].thresholds == ()
    stage.execute("DELETE FROM judgements")
    assert "no progress line for 2m: limit 2m." in read(stage)


@pytest.mark.parametrize(
    ("typed", "answer"),
    [
        ("7", "There is no incident 7."),
        ("moe", "moe is not the number of an incident, such as 12; `history` lists them."),
    ],
)
def test_only_a_number_that_there_is_can_be_explained(stage, mail, typed, answer):
    with pytest.raises(CommandError, match="incident") as caught:
        stage(mail=mail).control.why(typed)
    assert str(caught.value) == answer


# Each attempt and its answer


def test_each_attempt_has_its_answer_until_it_is_taken(stage, mail):
    stage = stage(mail=mail)
    mail.replies[ONCALL] = "451 4.7.1 greylisted"
    stage.fire()
    stage.drain()
    mail.replies.clear()
    stage.wait(400)
    first, second = attempts(stage, MAIL)
    assert first[0] == 0
    assert "451 4.7.1 greylisted" in first[1]
    assert second == (400, "")
    (told,) = stage.control.why("1").deliveries
    assert (told.state, told.tried, told.sent_at) == ("sent", 2, START + 400)
    account = read(stage)
    assert "email oncall@example.com: sent after 6m 40s (2 attempts)" in account
    assert "451 4.7.1 greylisted; again after 5m" in account
    assert f"taken ({told.ref})" in account


def test_what_is_refused_for_good_is_given_up(stage, slack):
    stage = stage(slack=slack)
    slack.archive(slack.channel)
    stage.fire()
    stage.drain()
    ((_, error),) = attempts(stage, SLACK)
    assert "is_archived" in error
    account = read(stage)
    assert "slack C0TRAIN01: given up after 1 attempt" in account
    assert "; given up" in account


def test_what_waits_for_its_next_attempt_says_until_when(stage, mail):
    stage = stage(mail=mail)
    mail.replies[ONCALL] = "451 later"
    stage.fire()
    assert "email oncall@example.com: waits" in read(stage)
    stage.drain()
    assert "waits after 1 attempt until 09:57:35 UTC" in read(stage)


def test_an_attempt_that_was_cut_off_with_the_process_is_one_too(stage, mail):
    stage = stage(mail=mail)
    stage.fire()
    assert stage.outboxes["email"]._claim() is not None
    assert "on its way" in read(stage)
    stage.outboxes["email"].recover()
    stage.drain()
    assert attempts(stage, MAIL) == [(0, "the process ended before the answer came"), (0, "")]


def test_of_many_attempts_the_first_and_the_last_are_kept(stage, mail):
    stage = stage(mail=mail)
    mail.dies_in = "DATA"
    stage.fire()
    for _ in range(40):
        stage.clock.now = stage.outboxes["email"].drain()
    kept = [at for at, _ in attempts(stage, MAIL)]
    (told,) = stage.control.why("1").deliveries
    assert (told.tried, len(kept)) == (40, FIRST_KEPT + LAST_KEPT)
    assert kept == sorted(kept)
    assert kept[3] - kept[2] > 400, "those between are gone"
    lines = [line.strip() for line in read(stage).splitlines()]
    assert lines.index("17 more") == lines.index("firing → email oncall@example.com") + 1 + FIRST_KEPT


def test_what_was_written_down_goes_with_its_incident(stage, mail):
    stage = stage(mail=mail)
    stage.fire()
    stage.drain()
    stage.execute("DELETE FROM incidents")
    for table in ("decisions", "judgements", "attempts"):
        assert stage.rows(f"SELECT * FROM {table}") == []
