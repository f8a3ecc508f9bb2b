"""What happened and why, as Slack shows it: whatever is in it, it fits."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bot import past
from monitor_core.model.decisions import Attempt, Decision, HeldThreshold, Outcome
from monitor_core.model.deliveries import DeliveryState, Reason
from monitor_core.model.incidents import IncidentState, Kind, Severity
from monitor_core.model.past import Audit, AuditEntry, History, Judged, PastIncident, Told, Why
from monitor_core.model.views import FalseAlarmAnswer
from tests.support.answers import MINUTE, NOW, buttons, incident, shown, understood

ONSET, NEXT = "<!date^1795513970^{time_secs}|09:52:50 UTC>", "<!date^1795515351^{time_secs}|10:15:51 UTC>"
TEN = "<!date^1795515350^{time_secs}|10:15:50 UTC>"
AT_0952 = "<!date^1795513970^{time}|09:52 UTC>"
STUCK = PastIncident(
    number=4127,
    kind=Kind.STUCK,
    severity=Severity.CRITICAL,
    state=IncidentState.FIRING,
    run="moe",
    host="gpu-07",
    starts_at=NOW - 23 * MINUTE,
    fired_at=NOW - 20 * MINUTE,
    ends_at=None,
    lasted=23 * MINUTE,
    acknowledged_by="slack:U034BOB",
    acknowledged_at=NOW,
    false_alarm_by="",
    false_alarm_at=None,
)
TOLD = Told(
    number=9,
    receiver="slack:C1",
    reason=Reason.FIRING,
    state=DeliveryState.SENT,
    created_at=NOW,
    due_at=NOW,
    sent_at=NOW + 0.84,
    tried=1,
    ref="C1/1.2",
    fallback_for="",
    repeat=False,
    attempts=(Attempt(NOW + 0.84),),
)
MUTE = AuditEntry(NOW, "shell:bob", "mute", "moe", "", "until 2026-11-24 11:10 UTC: <disk>", "")


def decision(outcome=Outcome.ENQUEUED, receiver="slack:C1", why="", **more):
    return Decision(4127, NOW, Reason.FIRING, outcome, receiver, why, **more)


def account(*, decisions=(), deliveries=(), people=(), rule="no progress line for 3m: limit 2m", **more):
    judged = Judged(NOW, Severity.CRITICAL, rule, {}, (HeldThreshold("stuck", "2", "config run moe"),))
    return Why(NOW, incident(**more), "gpu-07", (judged,), tuple(decisions), tuple(deliveries), tuple(people))


def test_the_history_is_a_line_for_each_incident_with_who_was_on_it():
    failed = replace(STUCK, number=4126, kind=Kind.FAILED, lasted=None, ends_at=NOW, acknowledged_by="shell:al")
    marked = replace(STUCK, number=4125, ends_at=NOW, acknowledged_by="", false_alarm_by="slack:U034BOB")
    done = past.history(History(NOW, (STUCK, failed, marked)), "moe")
    assert shown(done).splitlines()[:4] == [
        "3 incidents of moe",
        f"*4127*  moe STUCK · critical · {AT_0952}, 23m so far · acknowledged by <@U034BOB>",
        f"*4126*  moe FAILED · critical · {AT_0952} · acknowledged by al (shell)",
        f"*4125*  moe STUCK · critical · {AT_0952}, 23m · false alarm, <@U034BOB>",
    ]
    understood(done)


def test_a_long_history_says_how_many_more_there_are():
    many = tuple(replace(STUCK, number=n, run="r" * 63, host="h" * 63) for n in range(20))
    text = shown(past.history(History(NOW, many, more=80), ""))
    assert "100 incidents" in text
    assert "and 80 more" in text
    assert shown(past.history(History(NOW, ()), "")) == "*Nothing has happened.*"


def test_an_account_tells_rule_decisions_and_people():
    decisions = (
        decision(delivery=9),
        decision(Outcome.UNWANTED, "email:boss@example.com", "wants critical"),
        replace(decision(Outcome.MUTED, "", "mute 3 until 2026-11-24 11:10 UTC", by="slack:U034BOB"), at=NOW + 1),
    )
    done = past.why(account(decisions=decisions, deliveries=[TOLD], people=[MUTE]))
    assert shown(done).replace("\u00a0", " ").splitlines() == [
        "Incident 4127: moe STUCK on gpu-07, critical, firing for 23m",
        f"*STUCK since {ONSET}:* no progress line for 3m: limit 2m (config run moe).",
        "Thresholds then: stuck 2 (config run moe).",
        "While it holds, SLOW is not judged.",
        "*What was decided*",
        f"*{TEN}* firing → slack C1: sent after 0.8 s (1 attempt); email boss@example.com: not told, wants critical",
        f"*{NEXT}* firing → held by mute 3 until 2026-11-24 11:10 UTC, by <@U034BOB>",
        "*What people did*",
        f"{TEN} bob (shell) mute moe: until 2026-11-24 11:10 UTC: &lt;disk&gt;",
        *("Mark as false alarm", "History"),
    ]
    understood(done)


def test_the_answers_are_told_where_a_delivery_was_not_taken_at_once():
    failed = (Attempt(NOW, "451 later", NOW + 30), Attempt(NOW + 30, "550 no <such> user"))
    dead = replace(TOLD, state=DeliveryState.DEAD, sent_at=None, tried=2, attempts=failed)
    text = shown(past.why(account(decisions=[decision(delivery=9)], deliveries=[dead, replace(TOLD, number=10)])))
    assert "slack C1: given up after 2 attempts" in text
    assert text.replace("\u00a0", " ").split("*Attempts and their answers*\n")[1].splitlines()[:3] == [
        "*firing → slack C1*",
        f"{TEN} 451 later; again after 30 s",
        "<!date^1795515380^{time_secs}|10:16:20 UTC> 550 no &lt;such&gt; user; given up",
    ]


def test_a_false_alarm_is_told_in_its_account_and_can_be_undone_there():
    done = past.why(account(false_alarm_by="slack:U034BOB", false_alarm_at=NOW))
    assert f"Marked as a false alarm by <@U034BOB> at {TEN}." in shown(done)
    assert buttons(done)["Undo false alarm"] == "false-alarm 4127 undo"
    understood(done)


@pytest.mark.parametrize("text", ["x", "<", '"', "\n", "→ "])
def test_an_account_of_whatever_length_fits_and_keeps_its_beginning_and_its_end(text):
    long = text * 900
    decisions = [
        replace(decision(Outcome.UNWANTED, f"email:{n}", f"{n}th {long[:200]}"), at=NOW + n) for n in range(200)
    ]
    tries = tuple(Attempt(NOW, f"{n} {long}", NOW + 1) for n in range(23))
    told = [replace(TOLD, number=n, tried=500, attempts=tries) for n in range(10)]
    people = [replace(MUTE, new=f"{n} {long}") for n in range(50)]
    words = shown(past.why(account(decisions=decisions, deliveries=told, people=people, rule=long)))
    assert "email 0: not told, 0th" in words
    assert "email 199: not told, 199th" in words
    assert "more …" in words


def test_the_audit_log_says_who_did_what_and_what_it_was_before():
    changed = AuditEntry(NOW, "slack:U034BOB", "threshold set", "slow for all", "1.1", "1.3", "")
    refused = AuditEntry(NOW, "slack:U056CAROL", "refused", "mute all", "", "", "neither operator nor owner")
    assert shown(past.audit(Audit(NOW, (changed, refused), more=3))).splitlines() == [
        "Audit log",
        f"{TEN} <@U034BOB> threshold set slow for all: 1.1 → 1.3",
        f"{TEN} <@U056CAROL> refused mute all (neither operator nor owner)",
        "and 3 more",
    ]
    assert shown(past.audit(Audit(NOW, ()))) == "*Nobody has done anything yet.*"


def test_many_long_entries_of_the_audit_log_fit():
    entries = tuple(replace(MUTE, new="x" * 900) for _ in range(20))
    shown(past.audit(Audit(NOW, entries)))


def test_a_mark_is_confirmed_with_what_undoes_it():
    done = past.false_alarm(FalseAlarmAnswer(incident(false_alarm_by="slack:U034BOB", false_alarm_at=NOW)), NOW)
    assert shown(done).splitlines()[0] == "*STUCK of moe (incident 4127) is marked as a false alarm.*"
    assert buttons(done) == {"Undo": "false-alarm 4127 undo", "Why": "why 4127"}
    understood(done)
    undone = past.false_alarm(FalseAlarmAnswer(incident()), NOW)
    assert shown(undone).splitlines()[0] == "*STUCK of moe (incident 4127) is no false alarm any more.*"
    understood(undone)
