"""Stuck: silence is judged against what this run is doing, and against how often it speaks."""

from __future__ import annotations

import pytest

from tests.support.training import START, Told, Training, line

FIRING = ("stuck", "firing", "warning")
CRITICAL = ("stuck", "escalated", "critical")
RESOLVED = ("stuck", "resolved", "critical")


def test_silence_is_told_at_the_floor_and_escalates_at_five_floors_and_ends_with_the_next_line():
    run = Training().train(60).wait(1800).train(10)
    silent = 600.0
    assert run.told == [
        Told("stuck", "firing", "warning", silent + 120.0),
        Told("stuck", "escalated", "critical", silent + 600.0),
        Told("stuck", "resolved", "critical", 2460.0),
    ]


def test_a_healthy_run_is_never_stuck():
    assert Training().train(500).told == []


@pytest.mark.parametrize("step", [1, 10, 100])
@pytest.mark.parametrize("unit", ["ms", "s"])
def test_the_limit_follows_the_gap_between_lines_whatever_the_log_interval_and_unit(step, unit):
    run = Training(step=step).train(40, every=10.0 * step, unit=unit).wait(10.0 * step + 1)
    assert run.told == []
    run.wait(60 * 10.0 * step)
    assert run.told[0] == Told("stuck", "firing", "warning", 400.0 * step + max(120.0, 20.0 * step))


def test_a_duration_is_the_limit_itself_even_under_the_floor():
    run = Training(stuck="30s").train(60).wait(100)
    assert run.told == [Told("stuck", "firing", "warning", 630.0)]


def test_a_longer_duration_than_the_silence_tells_nothing():
    assert Training(stuck="20m").train(60).wait(1190).told == []


def test_critical_never_comes_before_warning():
    run = Training(stuck="20m").train(60).wait(3000)
    assert run.words()[0] == FIRING


def test_a_marked_checkpoint_may_take_seven_and_a_half_floors():
    run = Training().train(60).write("saving checkpoint at iteration 60 to /ckpt in torch format", 1).wait(890)
    run.write("  successfully saved checkpoint from iteration 60 to /ckpt").train(30)
    assert run.told == []


def test_a_checkpoint_that_never_ends_is_stuck():
    run = Training().train(60).write("saving checkpoint at iteration 60 to /ckpt in torch format", 1).wait(910)
    assert run.told == [Told("stuck", "firing", "warning", 601.0 + 900.0)]


def test_a_checkpoint_may_take_three_times_as_long_as_the_longest_before():
    run = Training().train(60)
    for seconds in (840, 2390):
        run.write("saving checkpoint at iteration 60 to /ckpt in torch format", 1).wait(seconds)
        run.write("  successfully saved checkpoint from iteration 60 to /ckpt").train(30)
    assert run.told == []


def test_an_evaluation_without_a_start_marker_is_expected_at_multiples_of_its_interval():
    run = Training().write("  eval_interval ................. 60").train(60).wait(880)
    run.write(" validation loss at iteration 60 | lm loss value: 2.1 | lm loss PPL: 8.2 | ").train(20)
    assert run.told == []


def test_after_the_evaluation_has_ended_the_usual_limit_holds():
    run = Training().write("  eval_interval ................. 60").train(60).wait(300)
    run.write(" validation loss at iteration 60 | lm loss value: 2.1 | lm loss PPL: 8.2 | ").wait(200)
    assert run.told == [Told("stuck", "firing", "warning", 900.0 + 120.0)]


def test_a_checkpoint_that_another_rank_marks_is_expected_at_multiples_of_its_interval():
    assert Training().write("  save_interval ................. 60").train(60).wait(880).train(10).told == []


def test_a_checkpoint_in_the_middle_of_an_evaluation_leaves_the_limit_of_a_pause():
    run = Training().train(60).write("Evaluating iter 1/50", 1).wait(100)
    run.write("saving checkpoint at iteration 60 to /ckpt in torch format").wait(100)
    run.write("  successfully saved checkpoint from iteration 60 to /ckpt").write("Evaluating iter 9/50").wait(880)
    assert run.told == []
    assert run.wait(60).words() == [FIRING]


def pausing(run, after, seconds):
    """Train with a pause that no line marks after each of these iterations."""
    for iteration in after:
        run.train((iteration - run.iteration) // run.step).wait(seconds)
    return run


def limit(run):
    """Return for how long the run may be silent now before it is told."""
    told, began = len(run.told), run.at
    while len(run.told) == told:
        run.wait(5)
    assert run.told[-1].kind == "stuck"
    return round(run.told[-1].at - (began - START))


def test_a_pause_that_no_line_marks_may_come_again_after_a_multiple_of_its_iteration_and_last_twice_as_long():
    assert limit(pausing(Training(), [70], 90).train(70)) == 2 * 100


def test_after_other_iterations_it_may_be_twice_as_long_as_what_was_not_told():
    assert limit(pausing(Training(), [70], 90).train(35)) == 2 * 100
    assert limit(pausing(Training(), [70], 190).train(35)) == 120


def test_a_run_whose_lines_came_late_now_and_then_is_stuck_once_they_are_as_late_as_critical():
    assert limit(Training().train(60, every=40)) == 120
    uneven = Training().train(60, every=40).train(1, every=70).train(20, every=40)
    assert limit(uneven) == 5 * 40


def test_what_a_person_has_set_as_a_time_is_not_changed_by_what_was_learned():
    uneven = Training(stuck="90s").train(60, every=40).train(1, every=70).train(20, every=40)
    assert limit(uneven) == 90


def test_a_pause_may_come_as_far_after_the_last_time_as_that_was_after_the_time_before():
    assert limit(pausing(Training(), [31, 81], 90).train(50)) == 2 * 100


def test_of_two_kinds_of_pauses_each_is_expected_at_its_own_iterations():
    run = pausing(Training(), [70, 120], 90)
    assert run.train(20).wait(150).told == []
    assert run.train(100).wait(150).told == []
    assert limit(run.train(30)) == 2 * 100


def test_after_three_pauses_that_nothing_foretold_one_may_come_at_any_time():
    assert limit(pausing(Training(), [53, 94, 139], 90).train(17)) == 2 * 100


def test_a_bar_that_is_not_drawn_at_each_iteration_may_pause_one_line_earlier():
    assert pausing(Training(step=2), [120], 90).train(59).wait(150).told == []


def test_a_silence_that_was_told_as_a_warning_is_a_pause_when_the_run_goes_on():
    run = pausing(Training(), [70], 190)
    assert run.words() == [FIRING]
    run.train(70).wait(350)
    assert run.words() == [FIRING, ("stuck", "resolved", "warning")]


def test_a_silence_that_was_critical_was_a_stall_and_is_not_learned():
    assert limit(pausing(Training(), [60], 3600).train(60)) == 120


def test_who_does_not_work_for_three_times_as_long_as_it_pauses_stalls():
    assert limit(pausing(Training(), [60, 85, 110], 190).train(25)) == 120


def test_pauses_are_remembered_across_launches():
    run = pausing(Training(), [70], 90).train(30)
    run.write("[before the start of training step] datetime: 2026-11-24 10:30:00", 60)
    run.iteration = 100
    assert run.train(40).wait(150).told == []


def test_a_start_is_stuck_after_fifteen_floors_without_a_word():
    run = Training().write("[before the start of training step] datetime: 2026-11-24 09:52:35").wait(1790)
    assert run.told == []
    assert run.wait(20).told == [Told("stuck", "firing", "warning", 1800.0)]


def test_a_start_that_keeps_writing_has_sixty_floors():
    run = Training().write("using world size: 64")
    for _ in range(9):
        run.wait(900).write("NCCL INFO waiting for the others")
    assert run.told == [Told("stuck", "firing", "warning", 7200.0)]


def test_an_evaluation_before_the_first_line_does_not_hide_a_start_that_hangs():
    run = Training().write("Evaluating iter 1/50").write(" validation loss at iteration 0 | lm loss value: 11.0 | ", 60)
    assert run.wait(1900).words() == [FIRING]


def test_an_empty_file_that_appears_is_a_start():
    run = Training()
    run.watch.look(START, START)
    assert (run.state.phase, run.state.launches) == ("starting", 1)


def test_output_that_is_no_progress_does_not_end_the_silence():
    run = Training().train(60)
    for _ in range(20):
        run.wait(30).write("[rank5] retrying shard 812")
    assert run.wait(1).words() == [FIRING, CRITICAL]
    stuck = run.watch.active[0]
    assert stuck.facts["still_written"] is True


def test_a_planned_end_is_no_silence():
    run = Training().train(60).write("[exiting program at iteration 60] datetime: 2026-11-24 10:02:35", 1).wait(7200)
    assert run.words() == [("stopped", "firing", "warning")]


def test_a_log_that_is_written_in_blocks_is_not_stuck_and_its_longest_wait_counts():
    run = Training(poll=10.0).train_in_blocks(10, lines=30)
    assert run.told == []
    run.wait(500)
    assert run.told[0].at == pytest.approx(3000.0 + 1.5 * 300, abs=1)


def seen_first_after(lines):
    """Return a run that is seen for the first time when so many lines are there."""
    run = Training(poll=10.0).skip(10.0 * lines)
    run.at = START
    return run.train(lines)


def test_a_log_that_looks_like_a_first_block_may_be_silent_for_one_and_a_half_until_lines_are_seen_to_come():
    fits = 8192 // len(line(1, stamp=START))
    assert limit(seen_first_after(fits)) == pytest.approx(1.5 * fits * 10, rel=0.05)


def test_a_log_of_another_size_is_not_taken_for_one():
    assert limit(seen_first_after(20)) == limit(seen_first_after(60)) == 120


def test_a_line_that_came_by_itself_shows_that_a_log_is_not_written_in_blocks():
    fits = 8192 // len(line(1, stamp=START))
    assert limit(seen_first_after(fits).train(1)) == 120


def test_a_first_line_that_does_not_tell_the_log_interval_is_followed_for_the_time_of_a_start():
    run = Training()
    run.iteration = 14_000
    run.train(1).wait(1790)
    assert run.told == []
    assert run.wait(30).words() == [FIRING]


def test_a_first_line_without_a_time_is_followed_for_the_time_of_a_start_though_the_log_interval_is_known():
    run = (
        Training().write("  log_interval ................................... 1").write("step 1 loss 2.5", 60).wait(1700)
    )
    assert run.told == []


def test_the_first_line_of_a_training_tells_its_log_interval():
    assert Training(step=100).train(3, every=3000.0).told == []


def test_the_log_interval_of_the_argument_dump_is_known_before_the_second_line():
    run = Training(step=10).write("  log_interval ................... 10")
    run.iteration = 14_000
    run.train(1, every=100.0).wait(300)
    assert run.told == [Told("stuck", "firing", "warning", 300.0)]


def test_the_end_of_a_pause_that_was_too_long_does_not_make_it_critical():
    run = Training().train(100).write("saving checkpoint at iteration     100 to /data/ckpt", 1).wait(1200)
    run.write("  successfully saved checkpoint from iteration     100 to /data/ckpt").wait(60)
    assert run.words() == [FIRING]
