"""When a line was written: by its printed time, the file's mtime and the look before, in any zone."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor_core.track.clock import LineClock, Window, quarter_hours
from tests.support.training import START, Training

HOUR = 3600.0
ZONES = [-12 * HOUR, -7 * HOUR, -HOUR, 0.0, HOUR, 5.5 * HOUR, 5.75 * HOUR, 14 * HOUR]


@pytest.mark.parametrize("zone", ZONES)
@pytest.mark.parametrize("skew", [-HOUR, -90.0, 0.0, 90.0, HOUR])
def test_neither_the_zone_nor_the_clock_of_the_host_changes_a_verdict(zone, skew):
    run = Training(zone=zone, skew=skew).train(100).wait(600).train(30)
    assert [(told.reason, round(told.at)) for told in run.told] == [
        ("firing", 1120),
        ("escalated", 1600),
        ("resolved", 1660),
    ]
    assert run.state.line_at == pytest.approx(run.at, abs=60)
    assert (run.state.line_at - START) % 10 == 0


@pytest.mark.parametrize("zone", ZONES)
def test_on_first_sight_the_last_line_is_where_the_mtime_says(zone):
    run = Training(zone=zone)
    run.skip(HOUR).train(100)
    assert run.state.line_at == pytest.approx(run.state.written_at)
    assert run.told == []


def test_on_first_sight_of_a_run_that_is_stuck_the_true_onset_is_told():
    run = Training()
    run._next = START + 2000.0
    run.train(100).wait(1000)
    assert [told.kind for told in run.told] == ["stuck"]
    assert run.watch.active[0].starts_at == START + 1000.0


def test_a_header_without_a_time_is_placed_before_the_first_line_and_not_in_1970():
    run = Training()
    run._next = START + 500.0
    run.write("using world size: 8").write("  log_interval ............ 1").write("  eval_interval ............ 1000")
    run.train(40).wait(100)
    assert run.state.started_at == pytest.approx(START, abs=11)


@pytest.mark.parametrize("hours", [-1, 1])
def test_a_change_to_or_from_summer_time_changes_no_verdict(hours):
    run = Training(zone=2 * HOUR).train(100)
    run.zone += hours * HOUR
    run.train(100)
    assert run.told == []
    run.wait(150)
    assert [told.kind for told in run.told] == ["stuck"]


def test_without_any_time_lines_are_placed_by_the_mtime():
    run = Training(stamps=False).train(100)
    assert run.state.line_at == pytest.approx(run.at, abs=60)
    run.wait(200)
    assert [(told.kind, told.at) for told in run.told] == [("stuck", 1120.0)]


def test_a_time_without_a_fraction_of_a_second_is_as_good():
    run = Training()
    for _ in range(100):
        run.iteration += 1
        run.at += 2.5
        run.write(
            f" [2026-11-24 {_clock(run.at)}] iteration {run.iteration}/ 1000 |"
            " elapsed time per iteration (ms): 2500.0 |"
        )
        run._live()
    assert run.told == []
    assert run.state.line_at == pytest.approx(run.at, abs=62)


def test_lines_read_late_are_placed_when_they_were_written():
    run = Training().train(100)
    run._next = run.at + 700
    run.train(6)
    written = run.at
    run.wait(640)
    assert run.state.line_at == written
    assert run.watch.active[0].starts_at == written
    assert max(run.state.silence.gaps) == 10.0


def test_a_quarter_of_an_hour_is_the_step_of_all_zones():
    assert [quarter_hours(s) for s in (0, 839, 841, 899, 901, -1, -61)] == [0, 0, 900, 900, 900, 0, -900]


def test_time_goes_on_though_the_printed_time_goes_back():
    clock = LineClock()
    clock.place(1000.0, 0.0, None)
    assert clock.place(400.0, 1.0, None) == 1000.0


def test_a_zone_is_taken_back_once_a_younger_line_shows_it_was_too_far():
    clock, zones = LineClock(), []
    for newest, after in (
        (START - 1000, None),
        (START, START - 60),
        (START - 1000, START - 2000),
        (START - 3600, START - 60),
    ):
        clock.observe(newest, Window(after, START))
        zones.append(clock.zone)
    assert zones == [900.0, 0.0, 0.0, 3600.0]


def test_copies_of_a_line_take_no_time_where_no_time_is_printed():
    run = Training(stamps=False, poll=300.0).train(30)
    for _ in range(60):
        run.train(1)
        for _ in range(7):
            run.iteration -= 1
            run.train(1, every=0.0, ms=10_000.0)
    run.wait(300)
    assert run.state.silence.usual_gap == pytest.approx(10.0)
    assert run.state.line_at == pytest.approx(START + 900.0)


def test_nothing_new_is_older_than_the_look_before_or_younger_than_the_mtime():
    clock, window = LineClock(zone=0.0), Window(after=100.0, until=160.0)
    assert clock.place(50.0, 0.0, window) == 100.0
    assert clock.place(150.0, 0.0, window) == 150.0
    assert clock.place(900.0, 0.0, window) == 160.0


def test_lines_without_a_time_end_at_the_mtime():
    clock, window = LineClock(at=90.0), Window(after=100.0, until=160.0)
    clock.catch_up(20.0, window)
    assert [clock.place(None, 10.0, window) for _ in range(2)] == [150.0, 160.0]


def test_the_first_printed_time_dates_what_came_before_it():
    clock = LineClock()
    clock.place(None, 0.0, None)
    assert clock.date(START, 10.0) == START - 10.0
    assert clock.at == START - 10.0
    clock.place(START, 10.0, None)
    assert clock.at == START


@given(
    st.lists(
        st.tuples(
            st.one_of(st.none(), st.floats(-1e11, 3e11)),
            st.floats(allow_nan=True, allow_infinity=True),
            st.floats(0, 1e6),
        ),
        max_size=30,
    )
)
def test_time_never_goes_back_whatever_is_printed(steps):
    clock, now, times = LineClock(), START, []
    for timestamp, elapsed, later in steps:
        window = Window(now, now + later)
        if timestamp is not None:
            clock.observe(timestamp, window)
        else:
            clock.catch_up(elapsed, window)
        times.append(clock.place(timestamp, elapsed, window))
        now += later
    assert times == sorted(times)
    assert all(at <= now for at in times)


def _clock(moment):
    seconds = int(moment - START) + 9 * 3600 + 52 * 60 + 35
    return f"{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}"
