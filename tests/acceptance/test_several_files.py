"""One run whose log is several files: streams, ranks, and launches beside each other."""

from __future__ import annotations

import pytest

from tests.support.story import RUN

TRACEBACK = (
    "[rank3]: Traceback (most recent call last):\n"
    '[rank3]:   File "pretrain_gpt.py", line 240, in forward_step\n'
    "[rank3]: torch.OutOfMemoryError: CUDA out of memory. Tried to allocate 2.00 GiB. GPU 3 has 79.1 GiB"
)
ARGUMENTS = (
    "------------------------ arguments ------------------------\n"
    "  log_interval .................................... 1\n"
    "  train_iters ..................................... 1000"
)
FAILED = [f":red_circle: {RUN} FAILED · critical"]


def ranks(folder, launch, count=4):
    return [folder / f"{launch}_rank_{rank}.output" for rank in range(count)]


@pytest.fixture
def streams(tell, slack, tmp_path):
    """A story whose progress goes to train.out and whose errors go to train.err."""

    def begin(**how):
        story = tell(slack=slack, logs=[f"{tmp_path}/train.*"], **how)
        story.log = tmp_path / "train.out"
        story.write(
            "W1124 09:52:35 torch/distributed/run.py:792] Setting OMP_NUM_THREADS to 1", to=tmp_path / "train.err"
        )
        return story

    return begin


@pytest.fixture
def launches(tell, slack, tmp_path):
    """A story each launch of which writes one file a rank."""
    return tell(slack=slack, logs=[f"{tmp_path}/*_rank_*.output"])


@pytest.mark.parametrize("check_interval", ["10s", "20m"])
def test_a_run_whose_output_stops_fails_of_what_its_error_file_says(streams, slack, tmp_path, check_interval):
    story = streams(check_interval=check_interval)
    story.train(5)
    story.play(60)
    story.train(100)
    story.write(TRACEBACK, after=3, to=tmp_path / "train.err")
    story.play(1500)
    assert story.texts("post") == FAILED
    (message,) = slack.messages(slack.channel)
    assert "Tried to allocate 2.00 GiB" in message.shown
    assert story.control.run(RUN).iteration == 105


@pytest.mark.parametrize("check_interval", ["10s", "20m"])
def test_what_the_output_says_after_the_cause_takes_nothing_from_it(streams, tmp_path, check_interval):
    story = streams(check_interval=check_interval)
    story.train(5)
    story.play(60)
    story.train(100)
    story.write(TRACEBACK, after=3, to=tmp_path / "train.err")
    story.write("destroying process groups", after=5)
    story.play(1500)
    assert story.texts("post") == FAILED


def test_an_error_file_that_tells_of_what_was_caught_fails_no_run_that_goes_on(streams, tmp_path):
    story = streams(check_interval="20m")
    story.train(100)
    story.write(TRACEBACK, after=3, to=tmp_path / "train.err")
    story.train(300)
    story.play()
    assert story.told == []


def test_a_failure_is_known_at_first_sight_though_its_file_is_the_first_by_name(streams, tmp_path):
    story = streams()
    story.train(100)
    story.write(TRACEBACK, after=3, to=tmp_path / "train.err")
    story.silence(600)
    story.skip()
    story.play(60)
    assert story.texts("post") == FAILED


@pytest.mark.parametrize("check_interval", ["10s", "5m"])
def test_four_ranks_that_all_print_the_same_iterations_are_one_run(launches, tmp_path, check_interval):
    launches.train(120, to=ranks(tmp_path, "a"))
    launches.play()
    state = launches.control.run(RUN)
    assert (state.iteration, state.launches, launches.told) == (120, 1, [])
    assert launches.execute("SELECT count(*) FROM progress") == [(120,)]


@pytest.mark.parametrize("names", [("a", "b"), ("b", "a")])
@pytest.mark.parametrize("dumped", [True, False])
def test_the_files_of_a_restart_are_a_launch_and_those_before_count_no_more(launches, tmp_path, names, dumped):
    first, second = (ranks(tmp_path, name) for name in names)
    launches.train(60, to=first)
    launches.write(TRACEBACK, after=3, to=first[3])
    launches.play(300)
    launches.silence(300)
    if dumped:
        launches.write(ARGUMENTS, to=second[0])
    launches.iteration = 40
    launches.train(40, to=second)
    launches.play(60)
    run = launches.control.run(RUN)
    assert (run.iteration, run.launches, run.state, run.cause) == (80, 2, "training", "")
    assert launches.incidents() == [("failed", "resolved")]
    assert launches.execute("SELECT count(*) FROM progress") == [(100,)]


@pytest.mark.parametrize("names", [("a", "b"), ("b", "a")])
def test_at_first_sight_the_newest_launch_counts_whatever_its_files_are_called(launches, tmp_path, names):
    first, second = (ranks(tmp_path, name) for name in names)
    launches.write(ARGUMENTS, to=first[0])
    launches.train(60, to=first)
    launches.write(TRACEBACK, after=3, to=first[3])
    launches.silence(300)
    launches.write(ARGUMENTS, to=second[0])
    launches.iteration = 40
    launches.train(30, to=second)
    launches.skip()
    launches.play(30)
    run = launches.control.run(RUN)
    assert (run.iteration, run.launches, run.state) == (70, 2, "training")
    assert launches.told == []


def test_the_interleaved_lines_of_two_ranks_in_one_file_are_one_run(tell, slack):
    story = tell(slack=slack)
    story.write(ARGUMENTS)
    for _ in range(60):
        story.train(1)
        story.write(f"[rank7]:{story.line(story.iteration, 10_000.0)}", after=0.2)
    story.play(60)
    run = story.control.run(RUN)
    assert (run.iteration, run.launches, story.told) == (60, 1, [])
    assert story.execute("SELECT count(*) FROM progress") == [(60,)]
