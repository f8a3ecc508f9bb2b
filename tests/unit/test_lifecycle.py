"""The life of an incident, and what of it is worth telling."""

from __future__ import annotations

from dataclasses import replace

import pytest

from monitor_core.incident.lifecycle import next_change, resolve, step, told_reason
from monitor_core.model.deliveries import Reason
from monitor_core.model.incidents import Finding, Incident, IncidentState, Kind, Severity, Subject, SubjectKind

RUN = Subject(SubjectKind.RUN, "llama")
STUCK = Finding(Kind.STUCK, Severity.WARNING, 100.0)
SLOW = Finding(Kind.SLOW, Severity.WARNING, 50.0, {"factor": 1.3})
FAILED = Finding(Kind.FAILED, Severity.CRITICAL, 200.0, grace=30.0)
PENDING, FIRING, RESOLVED = IncidentState.PENDING, IncidentState.FIRING, IncidentState.RESOLVED


def begin(*findings, now=1000.0):
    return step(RUN, (), findings, now).active


def test_a_finding_without_grace_fires_at_once_with_its_true_onset():
    (incident,) = begin(STUCK)
    assert (incident.state, incident.starts_at, incident.fired_at) == (FIRING, 100.0, 1000.0)


def test_a_finding_with_grace_is_pending_until_it_has_held_that_long():
    pending = begin(FAILED, now=229.9)
    assert pending[0].state is PENDING
    assert next_change(pending, [FAILED]) == 230.0
    (firing,) = step(RUN, pending, [FAILED], 230.0).active
    assert (firing.state, firing.starts_at, firing.fired_at) == (FIRING, 200.0, 230.0)
    assert next_change([firing], [FAILED]) is None


def test_a_pending_incident_that_was_nothing_is_told_to_nobody():
    (closed,) = step(RUN, begin(FAILED, now=210.0), [], 220.0).closed
    assert (closed.state, closed.fired_at) == (RESOLVED, None)
    assert told_reason(None, closed, 220.0) is None


def test_an_incident_ends_when_nothing_is_found_any_more():
    done = step(RUN, begin(STUCK), [], 1010.0)
    assert done.active == ()
    assert (done.closed[0].state, done.closed[0].ends_at) == (RESOLVED, 1010.0)
    assert "closed_by" not in done.closed[0].facts


def test_the_onset_does_not_move_while_it_fires():
    (incident,) = step(RUN, begin(STUCK), [replace(STUCK, since=500.0)], 1010.0).active
    assert incident.starts_at == 100.0


def test_stuck_keeps_slow_as_it_was_and_opens_none():
    slow = begin(SLOW)
    done = step(RUN, slow, [STUCK], 1010.0)
    assert {incident.kind for incident in done.active} == {Kind.SLOW, Kind.STUCK}
    assert done.closed == ()
    assert [incident.kind for incident in begin(SLOW, STUCK)] == [Kind.STUCK]


def test_a_certain_ending_ends_stuck_and_slow_and_says_so():
    done = step(RUN, begin(SLOW), [SLOW, FAILED], 1010.0)
    assert [incident.kind for incident in done.active] == [Kind.FAILED]
    assert [(incident.kind, incident.facts["closed_by"]) for incident in done.closed] == [(Kind.SLOW, "failed")]


def test_an_ending_that_is_not_certain_opens_no_stuck_and_ends_none():
    assert [i.kind for i in begin(STUCK, FAILED, now=210.0)] == [Kind.FAILED]
    done = step(RUN, begin(STUCK), [STUCK, FAILED], 210.0)
    assert ({i.kind for i in done.active}, done.closed) == ({Kind.STUCK, Kind.FAILED}, ())
    recovered = step(RUN, begin(STUCK), [FAILED], 210.0)
    assert [i.kind for i in recovered.closed] == [Kind.STUCK]


COMM_HANG = Finding(Kind.COMM_GROUP, Severity.CRITICAL, 120.0, detail="dp")


def test_a_hang_of_communication_holds_only_while_the_run_is_stuck():
    assert begin(COMM_HANG) == ()
    both = begin(STUCK, COMM_HANG)
    assert {incident.kind for incident in both} == {Kind.STUCK, Kind.COMM_GROUP}
    done = step(RUN, both, [COMM_HANG], 1010.0)
    assert (done.active, {incident.kind for incident in done.closed}) == ((), {Kind.STUCK, Kind.COMM_GROUP})
    assert {incident.ends_at for incident in done.closed} == {1010.0}
    assert step(RUN, (), [COMM_HANG], 1020.0) == step(RUN, (), [], 1020.0)


def test_an_ending_ends_all_that_is_said_of_a_training():
    kinds = (Kind.DIVERGED, Kind.LOSS_FLAT, Kind.SKIPPING)
    loss = [Finding(kind, Severity.CRITICAL, 100.0) for kind in kinds]
    done = step(RUN, begin(STUCK, COMM_HANG, *loss), [STUCK, COMM_HANG, *loss, FAILED], 1010.0)
    assert [incident.kind for incident in done.active] == [Kind.FAILED]
    assert {incident.facts["closed_by"] for incident in done.closed} == {"failed"}
    assert len(done.closed) == 5
    for kind in (Kind.LOSS_NAN, Kind.LOSS_SPIKE):
        last = [Finding(kind, Severity.CRITICAL, 100.0)]
        assert [one.kind for one in step(RUN, begin(*last), [*last, FAILED], 1010.0).active] == [Kind.FAILED]


def test_a_spike_that_has_become_a_divergence_or_nan_is_neither_resolved_nor_told_again():
    spike = Finding(Kind.LOSS_SPIKE, Severity.WARNING, 100.0)
    for worse in (Kind.DIVERGED, Kind.LOSS_NAN):
        done = step(RUN, begin(spike), [Finding(worse, Severity.CRITICAL, 100.0)], 1010.0)
        assert ({incident.kind for incident in done.active}, done.closed) == ({Kind.LOSS_SPIKE, worse}, ())


def test_severity_only_gets_worse_and_then_an_acknowledgement_is_over():
    (incident,) = begin(STUCK)
    taken = replace(incident, acknowledged_by="slack:U1", acknowledged_at=1005.0)
    (same,) = step(RUN, [taken], [STUCK], 1010.0).active
    assert same.acknowledged_by == "slack:U1"
    (worse,) = step(RUN, [taken], [replace(STUCK, severity=Severity.CRITICAL)], 1010.0).active
    assert (worse.severity, worse.acknowledged_by, worse.acknowledged_at) == (Severity.CRITICAL, "", None)
    (still,) = step(RUN, [worse], [STUCK], 1020.0).active
    assert still.severity is Severity.CRITICAL


def test_incidents_of_one_kind_are_told_apart_by_their_detail():
    one, two = replace(STUCK, detail="a"), replace(STUCK, detail="b")
    done = step(RUN, begin(one, two), [two], 1010.0)
    assert ([i.detail for i in done.active], [i.detail for i in done.closed]) == (["b"], ["a"])


def test_the_worst_factor_is_remembered():
    active = begin(SLOW)
    for factor in (1.8, 1.4):
        active = step(RUN, active, [replace(SLOW, facts={"factor": factor})], 1010.0).active
    assert dict(active[0].facts) == {"factor": 1.4, "worst": 1.8}


def test_what_people_said_of_an_incident_does_not_survive_that_it_gets_worse():
    said = {"acknowledged_by": "slack:U1", "acknowledged_at": 1005.0}
    said |= {"false_alarm_by": "slack:U2", "false_alarm_at": 1006.0}
    (marked,) = [replace(incident, **said) for incident in begin(STUCK)]
    (same,) = step(RUN, [marked], [STUCK], 1010.0).active
    assert same.taken_by == "slack:U2"
    (worse,) = step(RUN, [marked], [replace(STUCK, severity=Severity.CRITICAL)], 1010.0).active
    assert (worse.taken_by, worse.acknowledged_at, worse.false_alarm_at) == ("", None, None)


def test_resolved_by_hand_names_no_ending():
    incident = resolve(begin(STUCK)[0], 1500.0)
    assert (incident.ends_at, dict(incident.facts)) == (1500.0, {})


def _incident(kind=Kind.STUCK, state=FIRING, severity=Severity.WARNING, told_for=0.0):
    return Incident(RUN, kind, severity, state, 1000.0, told_for=told_for, fired_at=1000.0)


@pytest.mark.parametrize(
    ("before", "after", "reason"),
    [
        (None, _incident(), Reason.FIRING),
        (None, _incident(state=PENDING), None),
        (None, _incident(state=RESOLVED), None),
        (_incident(state=PENDING), _incident(), Reason.FIRING),
        (_incident(state=PENDING), _incident(state=RESOLVED), None),
        (_incident(), _incident(state=RESOLVED), Reason.RESOLVED),
        (_incident(Kind.FAILED), _incident(Kind.FAILED, RESOLVED), None),
        (_incident(Kind.FINISHED), _incident(Kind.FINISHED, RESOLVED), None),
        (None, _incident(Kind.LOSS_NAN), Reason.FIRING),
        (_incident(Kind.LOSS_NAN), _incident(Kind.LOSS_NAN, RESOLVED), None),
        (_incident(Kind.BLIND), _incident(Kind.BLIND, RESOLVED), None),
        (_incident(Kind.LOSS_SPIKE), _incident(Kind.LOSS_SPIKE, RESOLVED), Reason.RESOLVED),
        (_incident(), _incident(severity=Severity.CRITICAL), Reason.ESCALATED),
        (_incident(severity=Severity.CRITICAL), _incident(severity=Severity.CRITICAL, told_for=100.0), None),
        (_incident(), _incident(told_for=50.0), None),
        (_incident(), _incident(told_for=40.0), Reason.REFRESH),
        (_incident(Kind.FAILED), _incident(Kind.FAILED, told_for=0.0), None),
    ],
)
def test_what_people_are_told_follows_from_before_and_after(before, after, reason):
    assert told_reason(before, after, 1100.0) is reason


def test_a_shown_duration_is_refreshed_each_time_it_has_grown_by_half():
    shown, times = 120.0, []
    for now in range(1120, 8200, 1):
        if told_reason(_incident(), _incident(told_for=shown), float(now)) is Reason.REFRESH:
            shown = now - 1000.0
            times.append(int(shown))
    assert times == [180, 270, 405, 608, 912, 1368, 2052, 3078, 4617, 6926]
