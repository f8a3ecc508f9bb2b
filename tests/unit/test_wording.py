"""A message: headline, marks, people, notes and what is offered, for each state of an incident."""

from __future__ import annotations

from dataclasses import replace

import pytest

from monitor_core.incident.wording import Sending, message, short_name
from monitor_core.model.deliveries import Reason
from monitor_core.model.incidents import IncidentState, Kind, Mute, Severity, Subject, SubjectKind
from monitor_core.model.message import Action, Look
from tests.support.incidents import (
    AT,
    BLIND,
    ON_HOST,
    PASSED,
    RUN,
    SCENE,
    SLOW,
    STUCK,
    UNREACHABLE,
    WENT_BY,
    made,
    resolved,
    say,
    told,
)


def test_the_fallback_is_the_whole_alert_in_one_sentence():
    shown = made(STUCK)
    assert say(shown.fallback) == (
        "Critical: moe-16x3b STUCK 6m 12s on gpu-07. No new line since 09:52:35 UTC on gpu-07."
        " One was due every 4.1 s; the limit is 2m. Owner U012ALICE."
    )
    assert say(made(resolved(SLOW)).fallback) == (
        "Resolved: moe-16x3b was SLOW 1.70x on gpu-07. Back to 0.408 s per iteration since 10:46:10 UTC on gpu-07."
    )


def test_a_mail_subject_is_the_same_through_the_life_of_an_incident():
    subjects = {made(of).subject for of in (STUCK, resolved(STUCK), replace(STUCK, muted=1))}
    assert subjects == {"moe-16x3b STUCK on gpu-07 (incident 4127)"}
    assert made(UNREACHABLE, ON_HOST).subject == "gpu-07 UNREACHABLE (incident 4127)"


@pytest.mark.parametrize(
    ("changed", "look", "state"),
    [
        ({}, Look.CRITICAL, "firing"),
        ({"severity": Severity.WARNING}, Look.WARNING, "firing"),
        ({"acknowledged_by": "slack:U1", "acknowledged_at": AT}, Look.ACKNOWLEDGED, "acknowledged"),
        ({"false_alarm_by": "slack:U1", "false_alarm_at": AT}, Look.ACKNOWLEDGED, "acknowledged"),
        ({"muted": 1, "acknowledged_by": "slack:U1", "acknowledged_at": AT}, Look.MUTED, "muted"),
        ({"muted": 1, "state": IncidentState.RESOLVED, "ends_at": AT + 60}, Look.RESOLVED, "resolved"),
        ({"kind": Kind.UNREACHABLE}, Look.UNKNOWN, "firing"),
        ({"kind": Kind.FINISHED, "severity": Severity.INFO}, Look.FINISHED, "finished"),
    ],
)
def test_there_is_one_mark_the_first_that_applies(changed, look, state):
    shown = made(replace(STUCK, **changed))
    assert (shown.look, shown.state) == (look, state)


@pytest.mark.parametrize(
    ("changed", "actions"),
    [
        ({}, (Action.ACKNOWLEDGE, Action.MUTE_1H)),
        ({"acknowledged_by": "slack:U1", "acknowledged_at": AT}, (Action.UNACKNOWLEDGE, Action.MUTE_1H)),
        ({"muted": 1}, (Action.UNMUTE, Action.ACKNOWLEDGE)),
        ({"state": IncidentState.RESOLVED, "ends_at": AT + 60}, ()),
        ({"kind": Kind.FAILED}, (Action.ACKNOWLEDGE, Action.MUTE_1H)),
        ({"kind": Kind.FINISHED}, ()),
    ],
)
def test_what_is_offered_follows_from_what_people_did(changed, actions):
    assert made(replace(STUCK, **changed)).actions == actions


def test_an_acknowledged_alert_starts_with_the_person_and_drops_the_log():
    taken = replace(STUCK, acknowledged_by="slack:U034BOB", acknowledged_at=AT + 2000)
    assert told(taken)[1:4] == [
        "Acknowledged by U034BOB at 10:25 UTC, 31m after the alert.",
        "Silent: since 09:52:35 UTC on gpu-07",
        "Iteration: 12,400 / 50,000 (24.8%)",
    ]
    assert made(taken).excerpt == ()
    assert "Acknowledged: by U034BOB at 10:25 UTC" in told(resolved(taken))


def test_a_false_alarm_says_who_has_marked_it_while_it_fires_and_when_it_is_over():
    marked = replace(STUCK, false_alarm_by="slack:U034BOB", false_alarm_at=AT + 2000, acknowledged_by="slack:U1")
    assert told(marked)[1] == "Marked as a false alarm by U034BOB at 10:25 UTC, 31m after the alert."
    assert made(marked).excerpt == ()
    assert told(resolved(marked))[1] == (
        "Marked as a false alarm by U034BOB at 10:25 UTC. New lines again since 10:46:10 UTC on gpu-07."
    )


def test_a_muted_alert_says_who_muted_it_until_when_and_why():
    mute = Mute(1, RUN, None, AT + 3600, "slack:U034BOB", AT, "waiting for storage")
    assert told(replace(STUCK, muted=1), replace(SCENE, mute=mute))[1] == (
        "Muted by U034BOB until 10:52 UTC: waiting for storage."
        " Still watched; one message at the end if it is still wrong."
    )


@pytest.mark.parametrize(
    ("of", "mention"),
    [
        (STUCK, True),
        (replace(STUCK, acknowledged_by="slack:U1", acknowledged_at=AT), False),
        (replace(STUCK, false_alarm_by="slack:U1", false_alarm_at=AT), False),
        (replace(STUCK, muted=1), False),
        (SLOW, False),
    ],
)
def test_only_a_critical_alert_that_nobody_has_taken_mentions_its_owner(of, mention):
    owner = made(of).facts[-1]
    assert (owner.label, owner.person, owner.value[0].mention) == ("Owner", True, mention)


@pytest.mark.parametrize(
    ("reason", "of", "note"),
    [
        (Reason.FIRING, STUCK, ""),
        (Reason.REFRESH, STUCK, ""),
        (Reason.ESCALATED, STUCK, "Now critical: STUCK 6m 12s."),
        (Reason.MUTE_ENDED, STUCK, "The mute has ended; still STUCK 6m 12s."),
        (Reason.RESOLVED, resolved(STUCK), "Resolved after 53m 35s. New lines again since 10:46:10 UTC on gpu-07."),
    ],
)
def test_a_reply_says_what_has_changed(reason, of, note):
    assert say(made(of, reason=reason).note) == note


def test_a_late_message_says_how_late_and_a_repeat_that_it_may_be_one():
    late = message(STUCK, SCENE, Sending(AT + 2532, Reason.FIRING, AT + 72, "Slack", repeat=True))
    assert say(late.late) == "Sent 41m late: Slack did not take it from 09:53 to 10:34 UTC. (May be a repeat.)"
    assert say(made(STUCK, repeat=True).late) == "(May be a repeat.)"
    assert made(STUCK).late == ()


def test_the_context_names_the_incident_the_age_of_what_is_known_and_how_to_ask_why():
    assert [say(made(of).context) for of in (STUCK, resolved(STUCK))] == [
        "Incident 4127 · seen 3 s ago · trainstatus why 4127",
        "Incident 4127 · was critical · trainstatus why 4127",
    ]
    assert say(made(STUCK, replace(SCENE, prefix="/trainstatus")).context).endswith(" · /trainstatus why 4127")


@pytest.mark.parametrize(
    ("prefix", "look"), [("trainstatus", "trainstatus status moe-16x3b"), ("/trainstatus", "/trainstatus moe-16x3b")]
)
def test_commands_are_those_of_the_readers_place(prefix, look):
    assert made(STUCK, replace(SCENE, prefix=prefix)).commands == (
        ("Acknowledge", f"{prefix} ack 4127"),
        ("Mute", f"{prefix} mute moe-16x3b 1h"),
        ("Look", look),
    )


def test_long_names_are_cut_in_the_middle_of_the_headline_only():
    name = "moe-16x3b-context-parallel-seed3"
    assert short_name(name) == "moe-16x3b-co…allel-seed3"
    shown = made(replace(STUCK, subject=Subject(SubjectKind.RUN, name)))
    assert (shown.headline.split()[0], shown.run) == ("moe-16x3b-co…allel-seed3", name)


def test_of_what_went_by_unseen_the_worst_is_named_first_and_the_rest_is_counted():
    finished = PASSED[1]
    stuck = replace(finished, kind=Kind.STUCK, severity=Severity.CRITICAL)
    scene = replace(WENT_BY, passed=(finished, finished, stuck))
    late = [say(fact.value) for fact in made(BLIND, scene).facts if fact.label == "Late alerts"]
    assert [words.split(",")[0] for words in late] == [
        "dpo-3b STUCK",
        "dpo-3b FINISHED",
        "and 1 more: /trainstatus history",
    ]
