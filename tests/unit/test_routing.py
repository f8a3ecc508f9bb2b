"""Who is told what, and why."""

from __future__ import annotations

from dataclasses import replace

import pytest

from monitor_core.incident.routing import Route, decide
from monitor_core.model.decisions import Outcome
from monitor_core.model.deliveries import DeliveryState, Reason, Receiver
from monitor_core.model.incidents import SELF, Incident, IncidentState, Kind, Mute, Severity, Subject, SubjectKind

NOW = 1000.0
SLACK, CAROL, BOSS = (
    Receiver("slack", "C1"),
    Receiver("email", "carol@example.com"),
    Receiver("email", "boss@example.com"),
)
CHANNEL = Route(SLACK, edits=True)
MAIL = Route(CAROL, Severity.WARNING)
FALLBACK = Route(BOSS, Severity.CRITICAL, instead_of="slack", fallback_after=120.0)
STUCK = Incident(
    Subject(SubjectKind.RUN, "llama-70b"), Kind.STUCK, Severity.WARNING, IncidentState.FIRING, 900.0, number=7
)


def sent(reason, incident=STUCK, routes=(CHANNEL, MAIL, FALLBACK), told=None, runs=("llama-70b",), now=NOW):
    return list(decide(incident, reason, routes, runs, told or {}, now).deliveries)


def untold(reason, incident=STUCK, routes=(CHANNEL, MAIL, FALLBACK), told=None, runs=("llama-70b",), mute=None):
    return [
        (decision.receiver, decision.outcome, decision.why)
        for decision in decide(incident, reason, routes, runs, told or {}, NOW, mute=mute).untold
    ]


def receivers(*args, **how):
    return [delivery.receiver for delivery in sent(*args, **how)]


def told_by(*args, **how):
    return {d.receiver: replace(d, state=DeliveryState.SENT, attempts=1, ref="1.2") for d in sent(*args, **how)}


def test_a_delivery_says_what_it_is_about_and_when_it_is_due():
    (first, second) = sent(Reason.FIRING)
    assert (first.incident, first.reason, first.state, first.created_at, first.due_at) == (
        7,
        "firing",
        "pending",
        NOW,
        NOW,
    )
    assert [first.key, second.key] == ["7-firing-warning-slack:C1", "7-firing-warning-email:carol@example.com"]


@pytest.mark.parametrize(
    ("severity", "told"),
    [(Severity.INFO, [SLACK]), (Severity.WARNING, [SLACK, CAROL]), (Severity.CRITICAL, [SLACK, CAROL, BOSS])],
)
def test_receivers_are_told_from_their_severity_up(severity, told):
    assert receivers(Reason.FIRING, replace(STUCK, severity=severity)) == told


@pytest.mark.parametrize("kind", [Kind.FINISHED, Kind.STOPPED, Kind.FAILED])
def test_endings_always_go(kind):
    ending = replace(STUCK, kind=kind, severity=Severity.INFO)
    assert receivers(Reason.FIRING, ending) == [SLACK, CAROL, BOSS]


def test_a_receiver_of_some_runs_hears_of_no_other_not_even_an_ending():
    routes = (replace(MAIL, runs=("gpt-*",)), replace(FALLBACK, severity=Severity.INFO, runs=("gpt-*", "llama-*")))
    assert receivers(Reason.FIRING, routes=routes) == [BOSS]
    assert receivers(Reason.FIRING, replace(STUCK, kind=Kind.FINISHED), routes=routes[:1]) == []


def test_a_pattern_knows_capitals():
    assert receivers(Reason.FIRING, routes=(replace(MAIL, runs=("LLAMA-*",)),)) == []


def test_a_host_is_the_business_of_all_who_have_a_run_on_it():
    host = replace(STUCK, subject=Subject(SubjectKind.HOST, "gpu-01"), kind=Kind.UNREACHABLE)
    routes = (replace(MAIL, runs=("gpt-*",)), replace(CHANNEL, runs=("bert",)))
    assert receivers(Reason.FIRING, host, routes, runs=("llama-70b", "gpt-2")) == [CAROL]
    assert receivers(Reason.FIRING, host, routes, runs=()) == []


def test_trouble_of_the_monitor_goes_to_all_but_the_receiver_that_it_is_about():
    error = replace(STUCK, subject=SELF, kind=Kind.MONITOR_ERROR, detail="delivery email:carol@example.com")
    routes = (CHANNEL, replace(MAIL, runs=("gpt-*",)), replace(FALLBACK, severity=Severity.WARNING))
    assert receivers(Reason.FIRING, error, routes, runs=()) == [SLACK, BOSS]


def test_a_receiver_is_not_taken_for_one_whose_name_ends_alike():
    error = replace(STUCK, subject=SELF, kind=Kind.MONITOR_ERROR, detail="delivery slack:email:carol@example.com")
    assert receivers(Reason.FIRING, error, (MAIL,), runs=()) == [CAROL]


def test_a_fallback_waits_for_the_receiver_in_whose_stead_it_is():
    (_, _, fallback) = sent(Reason.FIRING, replace(STUCK, severity=Severity.CRITICAL))
    assert (fallback.due_at, fallback.fallback_for) == (NOW + 120.0, "slack:C1")


def test_a_fallback_for_nobody_is_told_at_once():
    (fallback,) = sent(Reason.FIRING, replace(STUCK, severity=Severity.CRITICAL), (FALLBACK,))
    assert (fallback.due_at, fallback.fallback_for) == (NOW, "")


@pytest.mark.parametrize("reason", [Reason.FIRING, Reason.ESCALATED, Reason.MUTE_ENDED, Reason.REFRESH])
def test_a_muted_incident_tells_nothing(reason):
    assert sent(reason, replace(STUCK, muted=3), told=told_by(Reason.FIRING)) == []


@pytest.mark.parametrize("reason", [Reason.FIRING, Reason.ESCALATED, Reason.MUTE_ENDED, Reason.CALM, Reason.REFRESH])
def test_what_is_held_back_by_flapping_tells_nothing_and_says_why(reason):
    held = replace(STUCK, held=9)
    assert sent(reason, held, told=told_by(Reason.FIRING)) == []
    assert untold(reason, held) == [("", Outcome.INHIBITED, "it is held back while incident 9 (FLAPPING) fires")]


def test_once_it_is_calm_what_was_held_back_goes_to_all_who_want_it():
    assert receivers(Reason.CALM) == [SLACK, CAROL]
    assert receivers(Reason.RESOLVED, replace(STUCK, held=9)) == []


def test_a_muted_incident_says_that_it_is_muted_and_resolves_to_those_who_knew():
    told = told_by(Reason.FIRING)
    assert receivers(Reason.MUTED, replace(STUCK, muted=3), told=told) == [SLACK]
    assert receivers(Reason.RESOLVED, replace(STUCK, muted=3), told=told) == [SLACK, CAROL]


@pytest.mark.parametrize("reason", [Reason.ACKNOWLEDGED, Reason.UNACKNOWLEDGED, Reason.MUTED, Reason.REFRESH])
def test_edits_go_only_to_receivers_that_can_edit_and_were_told(reason):
    assert receivers(reason, told=told_by(Reason.FIRING)) == [SLACK]
    assert receivers(reason) == []


def test_a_resolve_goes_to_exactly_those_who_were_told_whatever_the_routes_say_now():
    told = told_by(Reason.FIRING)
    assert receivers(Reason.RESOLVED, routes=(CHANNEL, FALLBACK), told=told) == [SLACK, CAROL]
    assert receivers(Reason.RESOLVED) == []


def test_an_escalation_tells_those_too_who_had_not_been_worth_telling():
    worse = replace(STUCK, severity=Severity.CRITICAL)
    assert receivers(Reason.ESCALATED, worse, told=told_by(Reason.FIRING)) == [SLACK, CAROL, BOSS]


def test_a_fallback_receiver_that_was_not_needed_hears_of_no_resolve():
    worse = replace(STUCK, severity=Severity.CRITICAL)
    told = told_by(Reason.FIRING, worse)
    waiting = replace(told[BOSS], state=DeliveryState.PENDING, attempts=0)
    assert receivers(Reason.RESOLVED, worse, told=told | {BOSS: waiting}) == [SLACK, CAROL]
    assert receivers(Reason.RESOLVED, worse, told=told) == [SLACK, CAROL, BOSS]


def test_firing_escalating_and_resolving_happen_once_and_edits_many_times():
    told = told_by(Reason.FIRING)
    for reason in (Reason.FIRING, Reason.ESCALATED, Reason.RESOLVED):
        assert sent(reason, told=told)[0].key == sent(reason, told=told, now=NOW + 5)[0].key
    for reason in (Reason.REFRESH, Reason.MUTE_ENDED):
        assert sent(reason, told=told)[0].key != sent(reason, told=told, now=NOW + 5)[0].key


# Why somebody is not told


@pytest.mark.parametrize(
    ("route", "incident", "why"),
    [
        (FALLBACK, STUCK, "wants critical"),
        (MAIL, replace(STUCK, severity=Severity.INFO), "wants warning and worse"),
        (replace(MAIL, runs=("gpt-*", "bert")), STUCK, "wants only the runs gpt-*, bert"),
        (
            MAIL,
            replace(STUCK, subject=SELF, kind=Kind.MONITOR_ERROR, detail="delivery email:carol@example.com"),
            "is what it is about",
        ),
    ],
)
def test_who_does_not_want_it_is_written_down_with_what_they_want(route, incident, why):
    assert untold(Reason.FIRING, incident, (route,)) == [(str(route.receiver), Outcome.UNWANTED, why)]


def test_that_there_is_nobody_to_be_told_is_written_down():
    assert untold(Reason.FIRING, routes=()) == [("", Outcome.UNWANTED, "nobody is there to be told")]


def test_what_a_mute_holds_back_is_one_decision_for_all_with_the_mute_and_whose_it_is():
    mute = Mute(3, STUCK.subject, None, 1_795_518_000.0, "slack:U012ALICE", 900.0, "disk swap")
    (decision,) = decide(replace(STUCK, muted=3), Reason.FIRING, (CHANNEL, MAIL), (), {}, NOW, mute=mute).untold
    assert (decision.receiver, decision.outcome, decision.by) == ("", Outcome.MUTED, "slack:U012ALICE")
    assert decision.why == "mute 3 until 2026-11-24 11:00 UTC (disk swap)"
    assert (decision.incident, decision.at, decision.reason) == (7, NOW, Reason.FIRING)


def test_who_was_not_told_of_the_alert_is_written_down_at_the_resolve():
    worse = replace(STUCK, severity=Severity.CRITICAL)
    told = told_by(Reason.FIRING, worse)
    told[BOSS] = replace(told[BOSS], state=DeliveryState.PENDING, attempts=0)
    del told[CAROL]
    assert untold(Reason.RESOLVED, worse, told=told) == [
        (str(CAROL), Outcome.UNTOLD, "was not told of it"),
        (str(BOSS), Outcome.UNTOLD, "is told only if slack C1 cannot be"),
    ]


def test_of_an_edit_it_is_not_written_down_who_cannot_be_shown_it():
    assert untold(Reason.ACKNOWLEDGED, told=told_by(Reason.FIRING)) == []
