"""What is kept of the progress of a run: written with the poll that saw it, thinned when it is old."""

from __future__ import annotations

import os

import pytest
from sqlalchemy.exc import DBAPIError

from monitor_core.model.records import Point
from monitor_core.store import progress
from tests.integration.test_poller import ITERATION, Site
from tests.support.fleet import DAY, HOUR, Fleet
from tests.support.fleet import START as BEGIN
from tests.support.stage import RUN, START
from tests.support.story import SimulatedClock

NAME, OTHER = "llama-70b-0", "llama-70b-1"


@pytest.fixture
def site(tmp_path, monkeypatch):
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")
    made = Site(tmp_path, SimulatedClock(folder, START))
    yield made
    made.close()


@pytest.fixture
def fleet(tmp_path):
    made = Fleet(tmp_path, runs=2)
    yield made
    made.close()


def kept(engine, run=NAME, since=0.0, until=2 * BEGIN, most=1_000_000):
    with engine.begin() as connection:
        return progress.between(connection, run, since, until, most)


def ages(fleet, run=NAME):
    return [fleet.now - point.at for point in kept(fleet.engine, run)]


# With the poll


def test_what_a_poll_saw_is_kept_each_line_at_the_time_at_which_it_was_written(site):
    site.train(30, RUN)
    site.poll()
    site.clock.set(site.clock.now + 20)
    site.train(2, RUN)
    site.poll(after=40)
    lines = kept(site.engine, RUN)
    assert [round(line.at - START, 3) for line in lines] == [ITERATION * n for n in range(-29, 3)]
    assert [line.iteration for line in lines] == list(range(1, 33))
    assert {line[2:4] for line in lines} == {(10_000.0, 2.3)}
    assert [line.first for line in lines] == [True] + 31 * [False]


def test_where_the_rest_of_a_poll_cannot_be_stored_no_line_is_kept_and_later_none_twice(site):
    site.train(30, RUN)
    site.poll()
    site.refuse("INSERT ON incidents", "new.kind = 'stuck'")
    site.clock.set(site.clock.now + 20)
    site.train(2, RUN)
    with pytest.raises(DBAPIError, match="disk full"):
        site.poll(after=130)
    assert len(kept(site.engine, RUN)) == 30
    site.execute("DROP TRIGGER full")
    site.poll(after=60)
    assert [line.iteration for line in kept(site.engine, RUN)] == list(range(1, 33))


def test_of_a_first_sight_what_is_old_is_thinned_at_once(site):
    site.train(3 * 8640, RUN)
    site.poll()
    site.poll(after=1)  # a sight of so much comes in two pieces
    lines = kept(site.engine, RUN)
    assert 17_280 <= len(lines) < 17_280 + 6 * 24 + 2
    assert lines[-1].at == pytest.approx(START)


def test_a_run_that_is_seen_anew_has_no_lines_of_the_one_before(site):
    site.train(30, RUN)
    site.poll()
    site.execute(f"DELETE FROM runs WHERE name = '{RUN}'")
    assert kept(site.engine, RUN) == []
    site.poll(after=60)
    assert len(kept(site.engine, RUN)) == 30


# Questions


def test_lines_come_in_the_order_of_time_though_iterations_go_back(fleet):
    first, again = fleet.points(BEGIN, 3), fleet.points(BEGIN + 100, 3, relaunched=True)
    again = [point._replace(iteration=number) for number, point in enumerate(again)]
    fleet.add(NAME, first)
    fleet.add(NAME, again)
    assert kept(fleet.engine) == [*first, *again]
    assert kept(fleet.engine, OTHER) == []


def test_lines_are_asked_for_from_a_moment_until_before_another(fleet):
    points = fleet.points(BEGIN, 10)
    fleet.add(NAME, points)
    assert kept(fleet.engine, since=points[3].at, until=points[7].at) == points[3:7]


def test_of_many_lines_so_many_come_evenly_over_the_time_and_the_newest_among_them(fleet):
    fleet.add(NAME, fleet.points(BEGIN - 20 * HOUR, 6, relaunched=True))
    points = fleet.points(BEGIN - HOUR, 360)
    fleet.add(NAME, points)
    some = kept(fleet.engine, since=BEGIN - HOUR, until=BEGIN, most=60)
    assert some == points[5::6]
    assert len(kept(fleet.engine, since=BEGIN - 20 * HOUR, until=BEGIN, most=40)) == 3
    assert kept(fleet.engine, since=BEGIN - HOUR, until=BEGIN, most=360) == points


def test_the_oldest_and_the_newest_line_are_known(fleet):
    points = fleet.points(BEGIN, 10)
    with fleet.engine.begin() as connection:
        assert progress.span(connection, NAME) is None
        progress.add(connection, NAME, points, full_since=0.0)
        assert progress.span(connection, NAME) == (points[0].at, points[-1].at)


def test_a_line_that_is_kept_already_does_no_harm(fleet):
    points = fleet.points(BEGIN, 3)
    fleet.add(NAME, points)
    fleet.add(NAME, points[1:])
    assert kept(fleet.engine) == points


def test_a_loss_that_is_no_number_is_kept_as_none(fleet):
    fleet.add(NAME, [Point(BEGIN, 1, 10.0, float("nan"), first=True), Point(BEGIN + 1, 2, None, None, first=False)])
    assert [point[2:4] for point in kept(fleet.engine)] == [(10.0, None), (None, None)]


# Thinning


def test_after_two_days_one_line_in_ten_minutes_is_left_and_after_thirty_none(fleet):
    fleet.every = 60.0
    fleet.live(31, at_once=6 * HOUR)
    lines = ages(fleet)
    full = [age for age in lines if age <= 2 * DAY]
    assert len(full) == 2 * 1440
    assert len(lines) - len(full) == 28 * 144
    assert 30 * DAY - 600 < lines[0] <= 30 * DAY


def test_the_first_and_the_last_line_of_each_launch_outlive_the_others(fleet):
    fleet.add(NAME, fleet.points(BEGIN, 5, relaunched=True))
    fleet.add(NAME, [*fleet.points(BEGIN + 100, 5, relaunched=True), *fleet.points(BEGIN + 200, 5, relaunched=True)])
    fleet.now += 3 * DAY
    fleet.tidy()
    left = kept(fleet.engine)
    assert [round(point.at - BEGIN) for point in left if point.first] == [0, 100, 200]
    assert [round(point.at - BEGIN) for point in left if not point.first] == [40, 140]


def test_a_run_with_many_lines_keeps_the_newest_in_full_and_the_others_as_if_they_were_old(fleet):
    fleet.every = 1.0
    fleet.live(0.5)
    lines = ages(fleet)
    assert len([age for age in lines if age <= 20_000]) == 20_000
    assert len(lines) - 20_000 == pytest.approx((43_200 - 20_000) / 600, abs=2)


def test_a_run_that_starts_again_and_again_has_a_bounded_history_too(fleet):
    for number in range(45):
        fleet.add(NAME, [p._replace(first=True) for p in fleet.points(BEGIN + number * 10_000, 1_000)])
    fleet.now += 10 * DAY
    fleet.tidy()
    assert len(kept(fleet.engine)) == 40_000
