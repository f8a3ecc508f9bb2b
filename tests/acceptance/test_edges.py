"""Stories of what looks like trouble and is none, and of trouble that hides."""

from __future__ import annotations

import os

import pytest

from tests.support.story import RUN

CAUGHT = 'Traceback (most recent call last):\n  File "a.py", line 1, in f\nValueError: caught elsewhere'


@pytest.mark.parametrize(("every", "step"), [(12, 1), (60, 1), (100, 10), (1000, 100)])
def test_a_caught_exception_is_no_crash_whatever_the_log_interval(tell, slack, every, step):
    story = tell(slack=slack)
    story.total = 100_000
    story.write("[before the start of training step] datetime: 2026-11-24 09:52:35")
    story.train(30, every=every, step=step)
    story.write(CAUGHT, after=every / 3)
    story.train(30, every=every, step=step)
    story.play()
    assert story.told == []


def test_an_exception_that_was_caught_just_before_the_end_does_not_make_it_a_failure(tell, slack):
    story = tell(slack=slack)
    story.total = 60
    story.train(58)
    story.write(CAUGHT, after=3)
    story.train(2)
    story.write("[after training is done] datetime: 2026-11-24 10:02:35")
    story.play(600)
    assert [text.split(" in ")[0] for text in story.texts("post")] == [f":checkered_flag: {RUN} FINISHED"]


def test_an_exception_that_a_save_retries_is_no_crash(tell, slack):
    story = tell(slack=slack)
    story.train(40)
    story.write("saving checkpoint at iteration      40 to /ckpt in torch_dist format")
    story.write(CAUGHT, after=20)
    story.write("  successfully saved checkpoint from iteration      40 to /ckpt", after=80)
    story.train(40)
    story.play()
    assert story.told == []


@pytest.mark.parametrize("minutes", [-12, -5, -2, 1.5, 5, 10])
def test_a_run_whose_clock_is_wrong_by_minutes_is_not_stuck(tell, slack, minutes):
    story = tell(slack=slack, zone=60 * minutes)
    story.due += 400
    story.train(90)
    last = story.at
    story.play(200)
    (post,) = [told for told in story.told if told.how == "post"]
    assert post.text == f":large_orange_diamond: {RUN} STUCK 2m · warning"
    assert 119 < post.at + story.began - last < 125


def test_evaluations_that_only_their_end_tells_of_are_learned(tell, slack):
    story = tell(slack=slack)
    for number in range(1, 6):
        story.train(30)
        story.write(f" validation loss at iteration {30 * number} | lm loss value: 2.1 | lm loss PPL: 8.2 |", after=300)
    story.train(10)
    story.play()
    assert len(story.texts("post")) <= 1


@pytest.mark.parametrize("how", ["renamed", "copied and truncated"])
def test_an_end_that_was_rotated_away_before_anybody_looked_is_seen(tell, slack, how):
    story = tell(slack=slack)
    story.total = 60
    story.train(58)
    story.play()
    story.train(2)
    story.write("[after training is done] datetime: 2026-11-24 10:02:35")
    story.skip()
    old = story.log.with_name("train.log.1")
    if how == "renamed":
        story.log.rename(old)
        story.log.touch()
    else:
        old.write_bytes(story.log.read_bytes())
        os.truncate(story.log, 0)
    os.utime(old, (story.at, story.at))
    os.utime(story.log, (story.at, story.at))
    story.play(600)
    assert [text.split(" in ")[0] for text in story.texts("post")] == [f":checkered_flag: {RUN} FINISHED"]


def test_a_run_whose_log_is_rotated_every_few_minutes_is_not_stuck_and_keeps_its_iterations(tell, slack):
    story = tell(slack=slack)
    for number in range(8):
        story.train(25)
        story.play()
        story.train(2)
        story.skip()
        story.log.rename(story.log.with_name(f"train.log.{8 - number}"))
    story.train(25)
    story.play(60)
    assert story.told == []
    run = story.control.run(RUN)
    assert (run.iteration, run.launches) == (8 * 27 + 25, 1)


def test_a_log_that_comes_back_is_resolved_when_it_is_read_again(tell, slack):
    story = tell(slack=slack)
    story.train(60)
    story.play()
    kept = story.log.read_bytes()
    story.log.unlink()
    story.play(600)
    assert "UNKNOWN 3m" in story.texts("post")[0]
    story.log.write_bytes(kept)
    story.train(1, every=10)
    story.play(90)
    resolved = slack.messages(slack.channel)[0].shown.splitlines()[0]
    assert resolved == f":white_check_mark: {RUN} resolved · UNKNOWN 10m"
