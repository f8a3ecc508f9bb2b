"""The preset `seed`: the rules of the original tool's README to the letter, with their false alarms."""

from __future__ import annotations

import pytest

from monitor_core.thresholds import Preset
from tests.support.training import Told, Training


def seed(**how):
    return Training(preset=Preset.SEED, **how)


def test_stuck_is_twice_the_elapsed_time_of_the_last_line_without_a_floor():
    run = seed(poll=5.0).train(5).train(1, every=12.0).wait(60)
    assert run.told == [Told("stuck", "firing", "warning", 62.0 + 24.0)]


def test_stuck_counts_one_iteration_whatever_the_log_interval():
    run = seed(step=10).train(3, every=100.0)
    assert [told.kind for told in run.told][:1] == ["stuck"]


def test_stuck_knows_no_pause():
    run = seed().train(20).write("saving checkpoint at iteration 20 to /ckpt in torch format").wait(60)
    assert [told.kind for told in run.told] == ["stuck"]


def test_stuck_never_becomes_critical():
    assert [told.severity for told in seed().train(20).wait(9000).told] == ["warning"]


def test_a_start_is_never_stuck():
    assert seed().write("using world size: 8").wait(9000).told == []


def test_slow_is_one_line_beyond_one_and_a_half_times_the_mean_of_all_before_it():
    run = seed(poll=1.0).train(10).train(1, every=10.0, ms=15_000.0)
    assert run.told == []
    run.train(1, every=10.0, ms=16_000.0)
    assert run.told == [Told("slow", "firing", "warning", 120.0)]
    assert run.watch.active[0].facts["usual_ms"] == pytest.approx((10 * 10_000 + 15_000) / 11)


def test_slow_ends_with_the_next_line_that_is_not():
    run = seed(poll=1.0).train(10).train(1, every=10.0, ms=16_000.0).train(1)
    assert [told.reason for told in run.told] == ["firing", "resolved"]


def test_slow_has_no_warm_up_so_that_the_first_iteration_hides_a_slowdown():
    assert seed(poll=1.0).train(1, every=10.0, ms=200_000.0).train(8, ms=15_000.0).told == []


def test_the_second_line_is_judged_already():
    assert [t.kind for t in seed(poll=1.0).train(1, ms=10_000.0).train(1, ms=20_000.0).told] == ["slow"]


def test_endings_are_told_as_ever():
    run = seed().train(20).write("[after training is done] datetime: 2026-11-24 10:00:00").wait(100)
    assert [told.kind for told in run.told] == ["finished"]
