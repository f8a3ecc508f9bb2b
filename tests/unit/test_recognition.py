"""The dialect of a log is found from its lines, and found anew when they turn out to be another's."""

from __future__ import annotations

import json

from monitor_core.model.records import Detail, Marker, MarkerKind, Progress
from monitor_core.parse import Parser
from monitor_core.track.course import apply
from monitor_core.track.state import RunState

TALK = "a line of something else"


def iteration(number, total=100):
    return (
        f" iteration {number:8d}/{total:8d} | elapsed time per iteration (ms): 812.3 | lm loss: 6.23E+00 |"
        " number of nan iterations:   0 |"
    )


def bar(number, total=100, name=""):
    return f"{name}{100 * number // total:3d}%|███   | {number}/{total} [00:10<00:20,  2.00it/s]"


def values(loss):
    return f"{{'loss': {loss}, 'grad_norm': 1.0, 'learning_rate': 5e-05, 'epoch': 0.1}}"


def read(*lines, parser=None):
    parser = parser or Parser()
    return parser.feed("".join(f"{line}\n" for line in lines).encode()), parser.format


def iterations(records):
    return [record.iteration for record in records if isinstance(record, Progress)]


def kinds(records):
    return [record.kind for record in records if isinstance(record, Marker)]


def test_one_progress_line_is_told_at_once():
    records, name = read(TALK, iteration(1))
    assert (iterations(records), name) == ([1], "megatron")


def test_a_bar_alone_is_a_bar():
    assert read(bar(1), bar(2))[1] == "tqdm"


def test_a_bar_with_values_below_is_that_of_a_framework_and_goes_on():
    records, name = read(bar(1), bar(2), values(2.5), bar(3), values(2.4))
    assert (iterations(records), name, kinds(records)) == ([1, 2, 3], "hf-trainer", [])
    assert [record for record in records if isinstance(record, Detail)][-1].loss == 2.4


def test_bars_before_the_training_are_taken_back():
    records, name = read(bar(1, 7), bar(2, 7), iteration(1), iteration(2), iteration(3))
    assert name == "megatron"
    assert kinds(records) == [MarkerKind.REVISED]
    assert iterations(records[records.index(Marker(MarkerKind.REVISED)) :]) == [1, 2, 3]


def test_what_was_taken_back_is_no_launch_of_the_run():
    state = RunState()
    for at, record in enumerate(read(bar(5, 7), bar(6, 7), iteration(10), iteration(20), iteration(30))[0]):
        apply(state, record, float(at))
    assert (state.launches, state.first_iteration, state.iteration, state.total, state.lines) == (1, 10, 30, 100, 3)


def test_bars_of_something_else_in_the_middle_change_nothing():
    records, name = read(iteration(1), iteration(2), bar(1, 7), bar(2, 7), iteration(3))
    assert (iterations(records), name, kinds(records)) == ([1, 2, 3], "megatron", [])


def test_a_stray_line_of_another_framework_does_not_decide():
    records, name = read(iteration(1), values(2.5), iteration(2), iteration(3))
    assert (iterations(records), name) == ([1, 2, 3], "megatron")


def test_another_framework_after_a_long_silence_is_a_new_launch():
    before = [iteration(1), iteration(2), *[TALK] * 5000]
    records, name = read(*before, bar(1, 70), values(2.5), bar(2, 70), values(2.4), bar(3, 70))
    assert (iterations(records), name) == ([1, 2, 1, 2, 3], "hf-trainer")
    assert kinds(records) == [MarkerKind.START]


def test_a_silence_alone_changes_nothing():
    records, name = read(iteration(1), iteration(2), *[TALK] * 6000, iteration(3), bar(1), values(2.5), bar(2))
    assert (iterations(records), name) == ([1, 2, 3], "megatron")


def test_what_was_recognised_outlives_a_restart():
    parser = Parser()
    read(bar(1), bar(2), values(2.5), parser=parser)
    again = Parser.restore(json.loads(json.dumps(parser.state())))
    assert read(bar(3), values(2.4), parser=again) == read(bar(3), values(2.4), parser=parser)
    assert again.format == "hf-trainer"


def test_a_format_that_is_named_is_not_doubted():
    parser = Parser("tqdm")
    records, name = read(iteration(1), iteration(2), bar(1), bar(2), parser=parser)
    assert (iterations(records), name) == ([1, 2], "tqdm")
