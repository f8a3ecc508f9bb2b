"""Flapping: which kinds come and go too often, and whose messages are held back meanwhile."""

from __future__ import annotations

from dataclasses import replace

import pytest

from monitor_core.incident.flapping import FLAPPABLE, flapping, holding
from monitor_core.model.incidents import Incident, IncidentState, Kind, Severity, Subject, SubjectKind

RUN = Subject(SubjectKind.RUN, "vision-2b")
MINUTE, HOUR = 60.0, 3600.0
NOW = 100 * HOUR


def episode(fired, ended=None, kind=Kind.SLOW, **facts):
    """Return an incident that fired, and was resolved, so many minutes ago."""
    state = IncidentState.FIRING if ended is None else IncidentState.RESOLVED
    fired_at, ends_at = NOW - fired * MINUTE, None if ended is None else NOW - ended * MINUTE
    facts = {"worst": 1.3, "limit": 1.1} | facts if kind is Kind.SLOW else facts
    return Incident(RUN, kind, Severity.WARNING, state, fired_at - 60, facts, fired_at=fired_at, ends_at=ends_at)


def flap(began, ended=None, kind=Kind.SLOW):
    """Return the incident of a kind that has flapped for so many minutes."""
    of = episode(began, ended, Kind.FLAPPING)
    return replace(of, starts_at=NOW - began * MINUTE, detail=str(kind), number=9)


def found(*known, window=HOUR, now=NOW):
    return [(finding.detail, finding.facts["times"]) for finding in flapping(known, window, now)]


THREE = (episode(50, 45), episode(35, 30), episode(12, 8))


def test_three_that_fired_and_resolved_within_the_window_flap():
    (finding,) = flapping(THREE, HOUR, NOW)
    assert (finding.kind, finding.severity, finding.detail) == (Kind.FLAPPING, Severity.WARNING, "slow")
    assert finding.since == NOW - 50 * MINUTE
    assert finding.facts == {"times": 3, "worst": 1.3, "limit": 1.1, "calm": 1200.0}


def test_two_do_not_and_nor_do_two_and_one_that_still_fires():
    assert found(*THREE[1:]) == []
    assert found(*THREE[1:], episode(2)) == []


def test_those_of_an_earlier_hour_do_not_count():
    assert found(episode(61, 45), *THREE[1:]) == []
    assert found(*THREE, window=HOUR / 2) == []


def test_what_a_run_got_over_before_anybody_looked_is_no_news():
    assert found(episode(58, 50), episode(45, 40), episode(30, 21)) == []


def test_kinds_are_counted_by_themselves():
    stuck = [episode(fired, fired - 2, Kind.STUCK) for fired in (40, 30, 10)]
    assert found(*stuck, *THREE[:2]) == [("stuck", 3)]
    assert sorted(found(*stuck, *THREE)) == [("slow", 3), ("stuck", 3)]


def test_a_trouble_that_an_ending_closed_did_not_come_and_go():
    assert found(*THREE[:2], episode(12, 8, closed_by="failed")) == []


def test_it_holds_while_something_changes_and_ends_after_a_third_of_the_window_without():
    holds = flap(50)
    assert found(holds, *THREE) == [("slow", 3)]
    assert found(holds, *THREE, now=NOW + 12 * MINUTE) == [("slow", 3)]
    assert found(holds, *THREE, now=NOW + 12.1 * MINUTE) == []
    assert found(holds, *THREE, episode(1), now=NOW + 12.1 * MINUTE) == [("slow", 3)]


def test_one_that_stays_ends_it_too():
    assert found(flap(50), *THREE, episode(7), now=NOW + 13.1 * MINUTE) == []


def test_it_goes_on_counting_for_as_long_as_it_holds():
    known = [episode(fired, fired - 5) for fired in range(300, 5, -15)]
    assert found(flap(300), *known) == [("slow", 20)]


def test_once_calm_it_takes_three_new_ones():
    calm = flap(58, 20)
    assert found(calm, episode(58, 55), episode(50, 45), episode(42, 40), episode(10, 5)) == []
    assert found(calm, *(episode(fired, fired - 2) for fired in (19, 12, 6))) == [("slow", 3)]


def test_of_a_silence_the_longest_is_told():
    stuck = [episode(fired, ended, Kind.STUCK, limit=120.0) for fired, ended in ((40, 35), (30, 23), (10, 8))]
    (finding,) = flapping(stuck, HOUR, NOW)
    assert (finding.facts["worst"], finding.facts["limit"]) == (8 * MINUTE, 120.0)


@pytest.mark.parametrize(
    ("incident", "number"),
    [
        (episode(2), 9),
        (replace(episode(2), severity=Severity.CRITICAL), 0),
        (episode(2, kind=Kind.STUCK), 0),
        (episode(2, kind=Kind.FAILED), 0),
    ],
)
def test_only_warnings_of_the_kind_that_flaps_are_held_back(incident, number):
    assert holding([flap(50)], incident) == number
    assert holding([flap(50, 1)], incident) == 0
    assert holding([], incident) == 0


def test_what_is_told_once_or_always_critical_cannot_flap():
    losses = ["loss_flat", "loss_spike", "skipping"]
    assert sorted(FLAPPABLE) == sorted([*losses, "log_missing", "log_unreadable", "not_exiting", "slow", "stuck"])
