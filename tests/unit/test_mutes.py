"""Which mute holds back the messages of which incident."""

from __future__ import annotations

from dataclasses import replace

import pytest

from monitor_core.incident.mutes import covers, muting
from monitor_core.model.incidents import SELF, Incident, IncidentState, Kind, Mute, Severity, Subject, SubjectKind

RUN, OTHER = Subject(SubjectKind.RUN, "llama"), Subject(SubjectKind.RUN, "gpt")
HOST = Subject(SubjectKind.HOST, "gpu-01")


def mute(subject=RUN, kind=None, until=2000.0, number=1, ended_at=None):
    return Mute(number, subject, kind, until, "slack:U1", 1000.0, ended_at=ended_at)


def incident(subject=RUN, kind=Kind.STUCK):
    return Incident(subject, kind, Severity.WARNING, IncidentState.FIRING, 900.0)


@pytest.mark.parametrize(
    ("muted", "subject", "held"),
    [
        (RUN, RUN, True),
        (RUN, OTHER, False),
        (RUN, HOST, False),
        (HOST, RUN, True),
        (HOST, HOST, True),
        (Subject(SubjectKind.HOST, "gpu-02"), RUN, False),
        (Subject(SubjectKind.HOST, "llama"), RUN, False),
        (None, RUN, True),
        (None, HOST, True),
        (None, SELF, False),
        (SELF, SELF, True),
    ],
)
def test_a_mute_covers_its_subject_and_what_is_on_its_host(muted, subject, held):
    assert covers(mute(muted), subject, "gpu-01") is held


@pytest.mark.parametrize(("kind", "held"), [(None, True), (Kind.STUCK, True), (Kind.SLOW, False)])
def test_a_mute_of_one_kind_holds_back_that_kind(kind, held):
    assert (muting([mute(kind=kind)], incident(), "gpu-01", 1500.0) is not None) is held


@pytest.mark.parametrize(("kind", "held"), [(Kind.STUCK, True), (Kind.FLAPPING, True), (Kind.SLOW, False)])
def test_a_mute_of_one_kind_holds_back_too_that_it_flaps(kind, held):
    flapping = replace(incident(), kind=Kind.FLAPPING, detail="stuck")
    assert (muting([mute(kind=kind)], flapping, "gpu-01", 1500.0) is not None) is held


@pytest.mark.parametrize(("now", "held"), [(1999.9, True), (2000.0, False)])
def test_a_mute_ends_at_its_time(now, held):
    assert (muting([mute()], incident(), "gpu-01", now) is not None) is held


def test_a_mute_that_somebody_ended_holds_nothing():
    assert muting([mute(ended_at=1200.0)], incident(), "gpu-01", 1500.0) is None


def test_of_several_mutes_the_longest_is_named():
    mutes = [mute(number=1), mute(HOST, until=3000.0, number=2), mute(None, until=2500.0, number=3)]
    assert muting(mutes, incident(), "gpu-01", 1500.0).number == 2
