"""Until there is a baseline a run is said to be learning, and not to be well."""

from __future__ import annotations

import pytest

from bot.detail import run_page
from bot.overview import overview
from monitor_core.cli import text
from monitor_core.detect.ending import learns
from monitor_core.model.views import Overview
from monitor_core.thresholds import Preset
from tests.support.answers import NOW, host, run, shown
from tests.support.training import Training


def test_a_run_is_learning_until_eight_lines_after_the_warm_up_have_told_its_pace():
    training = Training(poll=10.0).train(17).wait(0)
    assert learns(training.state)
    training.train(1).wait(0)
    assert not learns(training.state)


def test_a_run_whose_first_line_is_far_from_its_start_is_learning_until_the_gap_is_known():
    training = Training(poll=10.0)
    training.iteration = 5_000
    assert learns(training.train(1, ms="nan").wait(10).state)
    assert not learns(training.train(1, ms="nan").wait(10).state)


def test_each_launch_learns_anew():
    training = Training().train(40).wait(0)
    training.iteration = 0
    training.wait(60).train(5).wait(0)
    assert (training.state.launches, learns(training.state)) == (2, True)


def test_the_rules_of_the_original_tool_need_one_line_to_compare_with():
    training = Training(poll=10.0, preset=Preset.SEED).train(1).wait(0)
    assert learns(training.state)
    assert not learns(training.train(1).wait(0).state)


@pytest.mark.parametrize("ms", ["nan", 0.0])
def test_a_log_that_tells_no_time_per_iteration_has_no_pace_to_wait_for(ms):
    training = Training(poll=10.0).train(3, ms=ms).wait(0)
    assert (training.state.iteration, learns(training.state)) == (3, False)


def test_a_run_that_starts_or_has_ended_is_not_said_to_be_learning():
    training = Training(poll=10.0).write("[before the start of training step] datetime: 2026-11-24 09:52:35").wait(0)
    assert not learns(training.state)
    training.train(5).write("[after training is done] datetime: 2026-11-24 10:12:35").wait(10)
    assert not learns(training.state)


def test_slack_says_learning_where_it_would_say_running():
    young = run("moe", learning=True)
    shown_all = shown(overview(Overview(NOW, (young,), (host(),))))
    assert ":large_green_circle: *moe*  24.8% · learning · ETA" in shown_all
    assert shown(run_page(young, NOW)).splitlines()[0] == ":large_green_circle: moe learning"


def test_the_shell_says_learning_where_it_would_say_training():
    young = run("moe", learning=True)
    assert " learning " in text.overview(Overview(NOW, (young,), (host(),)), NOW)
    assert "State:       learning" in text.run(young, NOW)
