"""What people are told of a training whose process is known: it dies without a word, stays, or is queued again."""

from __future__ import annotations

import functools
import os
import subprocess
import sys

import pytest

from tests.support.story import RUN

FAILED = f":red_circle: {RUN} FAILED · critical"
FINISHED = f":checkered_flag: {RUN} FINISHED in 20m"
NOT_EXITING = f":large_orange_diamond: {RUN} NOT EXITING 10m · warning"
DONE = "[after training is done] datetime: 2026-11-24 10:12:35"


@pytest.fixture
def process(tmp_path):
    """A process as a training would be, with a word in its command line that no other has."""
    started = subprocess.Popen([sys.executable, "-c", "input()", str(tmp_path)], stdin=subprocess.PIPE)
    yield started
    end(started)
    started.stdin.close()


def end(process):
    process.kill()
    process.wait()


@pytest.fixture
def tell_of(tell, slack, process, tmp_path):
    """Tell the story of a run that names the process."""
    return functools.partial(tell, slack=slack, process={"command": str(tmp_path)})


def slurm(folder, monkeypatch):
    """Put Slurm's programs, as scripts, where shells find them; return what changes them."""
    tools = folder / "slurm"
    tools.mkdir()
    monkeypatch.setenv("PATH", f"{tools}{os.pathsep}{os.environ['PATH']}")

    def become(squeue, sacct="exit 1"):
        for name, script in (("squeue", squeue), ("sacct", sacct)):
            (tools / name).write_text(f"#!/bin/sh\n{script}\n")
            (tools / name).chmod(0o755)

    return become


def test_a_process_that_is_killed_without_a_word_is_a_failure(tell_of, process, slack):
    story = tell_of()
    story.train(60)
    story.play()
    end(process)
    last_line = story.at
    story.play(300)
    assert story.texts("post") == [FAILED]
    assert story.told[0].at + story.began - last_line <= 100
    (message,) = slack.messages(slack.channel)
    assert "Its process is gone without a word in the log" in message.shown


def test_without_a_process_to_ask_for_the_same_silence_is_stuck(tell_of, process):
    story = tell_of(process=None)
    story.train(60)
    story.play()
    end(process)
    story.play(300)
    assert story.texts("post") == [f":large_orange_diamond: {RUN} STUCK 2m · warning"]


def test_a_training_that_is_done_but_does_not_exit_is_told_and_resolved_when_it_has(tell_of, process, slack):
    story = tell_of()
    story.total = 120
    story.train(120)
    story.write(DONE)
    story.play(590)
    assert story.told == []
    story.play(60)
    assert sorted(story.texts("post")) == sorted([FINISHED, NOT_EXITING])
    end(process)
    story.play(120)
    shown = [message.shown for message in slack.messages(slack.channel)]
    assert any(f"{RUN} resolved · NOT EXITING" in text and "Its processes are gone" in text for text in shown)


def test_a_training_that_is_done_and_exits_has_finished_within_two_looks(tell_of, process):
    story = tell_of()
    story.total = 120
    story.train(120)
    story.write(DONE)
    story.play(5)
    end(process)
    story.play(90)
    assert story.texts("post") == [FINISHED]


def test_a_monitor_that_was_away_while_the_process_died_tells_of_it(tell_of, process):
    story = tell_of()
    story.train(60)
    story.play()
    story.close()
    end(process)
    story.silence(3600)
    story.skip()
    story.open()
    story.play(300)
    assert FAILED in story.texts("post")


def test_a_job_that_slurm_stopped_at_its_limit_has_stopped_as_planned(tell, slack, tmp_path, monkeypatch):
    jobs = slurm(tmp_path, monkeypatch)
    story = tell(slack=slack, process={"slurm": "llama"})
    jobs("echo '4711|RUNNING'")
    story.train(60)
    story.write('Traceback (most recent call last):\n  File "train.py", line 1, in <module>\nSystemError: signal 15')
    story.play()
    jobs("true", f"""[ "${{5}}" = --jobs=4711 ] && echo '4711|TIMEOUT|0:0|{story.at:.0f}'""")
    story.play(120)
    assert story.texts("post") == [f":large_orange_diamond: {RUN} STOPPED EARLY · warning"]
    (message,) = slack.messages(slack.channel)
    assert "Slurm stopped it at its time limit" in message.shown


def test_a_job_that_slurm_queues_again_is_starting_and_then_goes_on(tell, slack, tmp_path, monkeypatch):
    jobs = slurm(tmp_path, monkeypatch)
    story = tell(slack=slack, process={"slurm": "4711"})
    jobs("echo '4711|RUNNING'")
    story.train(60)
    story.play()
    jobs("echo '4711|PENDING'")
    story.play(7200)
    assert story.told == []
    jobs("echo '4711|RUNNING'")
    story.train(60)
    story.play()
    assert story.told == []
    jobs("true")
    story.play(300)
    assert story.texts("post") == [FAILED]
