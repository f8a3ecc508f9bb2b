"""A watch: lines go in, incidents come out, judged at the time at which things happened."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor_core.model.records import LogTrouble
from monitor_core.thresholds import Preset
from monitor_core.track import memory
from monitor_core.track.clock import Window
from monitor_core.watch import Watch
from tests.support.training import RUN, START, Training, line, values
from tests.unit.test_state import RECORDS

# A first sight whose printed times are thousands of years away is moved to now: microseconds are lost on the way.
ROUNDING = 0.001


def test_what_passed_while_nobody_looked_is_seen_as_it_was():
    run = Training().train(60)
    run._next = run.at + 10_000
    run.wait(700).train(60).wait(10_000 - 1300)
    (first,) = run.watch.active
    assert (first.kind, first.starts_at) == ("stuck", START + 1900.0)
    assert (first.fired_at, first.severity) == (pytest.approx(START + 1900.0 + 120.0, abs=0.01), "critical")
    assert [told.severity for told in run.told] == ["critical"]


def test_on_first_sight_what_is_over_is_kept_as_closed():
    watch = Watch(RUN, values())
    lines = [line(n, stamp=START + 3600 + 10 * n + (600 if n > 30 else 0)) for n in range(1, 61)]
    watch.feed("log", "".join(lines).encode(), None)
    watch.anchor(Window(None, START + 1200.0))
    watch.look(START + 1210.0, START + 1200.0)
    assert [(i.kind, i.state, i.starts_at, i.ends_at) for i in watch.closed] == [
        ("stuck", "resolved", START + 300.0, START + 910.0)
    ]
    assert watch.active == ()


def test_the_first_sight_of_a_run_in_its_middle_knows_its_pace():
    run = Training()
    run.iteration = 5_000
    run._next = START + 3000.0
    run.train(300).train(40, every=13.0)
    assert run.state.first_iteration == 5_001
    assert [told.kind for told in run.told] == ["slow"]


def test_a_missing_log_is_told_after_its_grace_and_ends_nothing():
    run = Training().train(60).wait(200)
    for later in (0, 100, 181):
        run.watch.miss(LogTrouble.MISSING, "No such file.", run.now + later, 180.0)
        run._take_down()
    assert run.words() == [("stuck", "firing", "warning"), ("log_missing", "firing", "warning")]
    run.watch.look(run.now + 200)
    run._take_down()
    assert run.words()[-1] == ("log_missing", "resolved", "warning")
    assert [incident.kind for incident in run.watch.active] == ["stuck"]


def test_the_next_deadline_is_the_moment_at_which_silence_becomes_too_long():
    run = Training().train(60).wait(0)
    assert run.watch.deadline() - run.state.line_at == pytest.approx(120.0, abs=0.01)
    run.wait(130)
    assert run.watch.deadline() - run.state.line_at == pytest.approx(600.0, abs=0.01)
    run.wait(600)
    assert run.watch.deadline() is None


@pytest.mark.parametrize("silence", [119.999, 120.0, 120.0004, 120.001, 120.002])
def test_a_look_beside_the_deadline_does_not_ask_for_the_same_moment_again(silence):
    run = Training().train(60).wait(0)
    last, looks, now = run.state.line_at, 0, run.state.line_at + silence
    while now < last + 700 and looks < 10:
        run.watch.look(now)
        deadline = run.watch.deadline()
        assert deadline is None or deadline > now
        now, looks = deadline or last + 700, looks + 1
    assert looks <= 3


def test_the_last_lines_are_kept_without_secrets():
    run = Training().train(3).write("export HF_TOKEN=hf_abcdefghijklmnopqrstuvwxyz0123456789").wait(60)
    run.watch.remember_tail()
    assert len(run.state.tail) == 4
    assert "hf_abcdef" not in run.state.tail[-1]
    run.write("x" * 1000).wait(60)
    run.watch.remember_tail()
    assert len(run.state.tail) == 5
    assert len(run.state.tail[-1]) < 1000


def test_each_file_has_a_parser_of_its_own():
    watch = Watch(RUN, values())
    watch.feed("a", b"Traceback (most recent call last):\n", None)
    watch.feed("b", line(1, stamp=START).encode(), None)
    watch.feed("a", b'  File "x.py", line 1\nValueError: x\n', None)
    assert watch.state.failure.failure.signature == "exception"
    assert watch.state.iteration == 1


@settings(max_examples=60, deadline=None)
@given(
    st.sampled_from(Preset),
    st.lists(
        st.tuples(st.lists(RECORDS, max_size=6), st.floats(0, 1e5), st.floats(0, 1e3), st.booleans()),
        min_size=1,
        max_size=12,
    ),
)
def test_whatever_a_log_says_judging_ends_and_time_goes_on(preset, polls):
    watch, now, judged = Counted(RUN, values(preset), preset), START, 0
    for records, later, age, stored in polls:
        now += later
        after = watch.state.seen_at
        window = None if after is None else Window(after, max(after, now - age))
        if window is not None:
            watch._prepare(records, window)
        for record in records:
            watch._take("log", record, window)
        if window is None:
            watch.anchor(Window(None, now - age))
        watch.look(now, now - age)
        if stored:
            watch.state = memory.load(memory.dump(watch.state))
        assert watch.judged_at == pytest.approx(now, abs=ROUNDING)
        assert watch.state.clock.at <= now + ROUNDING
        assert watch.deadline() is None or watch.deadline() > now - ROUNDING
        assert watch.judgements - judged <= 20 + 10 * len(records)
        judged = watch.judgements
        for incident in watch.active:
            assert incident.starts_at <= now + ROUNDING


class Counted(Watch):
    """A watch that counts its judgements."""

    judgements = 0

    def _judge_at(self, now):
        self.judgements += 1
        super()._judge_at(now)


def test_records_are_told_apart_from_those_seen_before():
    watch = Watch(RUN, values())
    assert watch.feed("log", (line(1, stamp=START) + line(1, stamp=START)).encode(), None) == 1
    assert watch.feed("log", line(2, stamp=START + 10).encode(), None) == 1


def points(watch):
    return [(point.at - START, point.iteration, point.first) for point in watch.points]


def test_each_progress_line_is_noted_with_the_time_at_which_it_was_placed():
    watch = Watch(RUN, values())
    watch.feed("log", (line(1, stamp=START + 3600) + line(2, stamp=START + 3610)).encode(), None)
    watch.anchor(Window(None, START + 10.0))
    watch.look(START + 15.0, START + 10.0)
    watch.feed("log", line(3, stamp=START + 3620, ms=9_900.0).encode(), Window(START + 15.0, START + 20.0))
    assert points(watch) == [(0.0, 1, True), (10.0, 2, False), (20.0, 3, False)]
    assert watch.points[-1][2:4] == (9_900.0, 2.314012)


def test_the_copy_of_a_line_by_another_rank_is_not_noted_and_a_new_launch_is():
    watch = Watch(RUN, values())
    for rank in ("rank0", "rank1"):
        watch.feed(rank, (line(8, stamp=START) + line(9, stamp=START + 10)).encode(), None)
    watch.feed("rank0", line(5, stamp=START + 500).encode(), None)
    watch.anchor(Window(None, START + 500.0))
    assert points(watch) == [(0.0, 8, True), (10.0, 9, False), (500.0, 5, True)]


def test_of_a_first_sight_without_end_only_the_newest_lines_are_noted():
    watch = Watch(RUN, values())
    watch.feed("log", "".join(line(n, stamp=START + n) for n in range(1, 20_101)).encode(), None)
    assert len(watch.points) == 20_000
    watch.anchor(Window(None, START + 20_100.0))
    assert [point.iteration for point in watch.points] == list(range(101, 20_101))
