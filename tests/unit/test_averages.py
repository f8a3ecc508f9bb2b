"""What a bar prints is an average; what is read is how long the last iterations took."""

from __future__ import annotations

import json
import random

import pytest

from monitor_core.model.records import Progress
from monitor_core.parse import Parser


def rate(seconds):
    """Return a rate as tqdm prints it."""
    return f"{1 / seconds:5.2f}it/s" if seconds < 1 else f"{seconds:5.2f}s/it"


def bars(times, *, every=1, smoothing=0.3, start=0):
    """Return the bars of iterations that took so long (seconds), drawn after every so many."""
    done, taken, spent, lines = 0.0, 0.0, 0.0, []
    since = 0.0
    for number, seconds in enumerate(times, start + 1):
        spent, since = spent + seconds, since + seconds
        if number % every:
            continue
        done, taken = done + smoothing * (every - done), taken + smoothing * (since - taken)
        average = taken / done if smoothing else spent / number
        clock = f"{int(spent) // 60:02d}:{int(spent) % 60:02d}"
        lines.append(f"Epoch 0:  10%|#   | {number}/9000 [{clock}<09:00, {rate(average)}, v_num=0, train_loss=2.31]\n")
        since = 0.0
    return lines


def times_of(lines, style="tqdm"):
    """Return the times (seconds) that are read, by iteration, through a restart before each line."""
    parser, found = Parser(style), {}
    for text in lines:
        parser = Parser.restore(json.loads(json.dumps(parser.state())), style)
        for record in parser.feed(text.encode()):
            if isinstance(record, Progress) and record.ms_per_iteration is not None:
                found[record.iteration] = record.ms_per_iteration / 1000
    return found


@pytest.mark.parametrize("usual", [0.12, 0.9, 1.1, 14.0])
@pytest.mark.parametrize("every", [1, 5])
def test_a_pause_is_in_the_line_after_it_and_in_no_other(usual, every):
    took = times_of(bars([usual] * 50 + [usual + 10.0 * every] + [usual] * 50, every=every))
    slow = [iteration for iteration, seconds in took.items() if seconds > 1.1 * usual]
    assert slow == [51 if every == 1 else 55]
    assert took[slow[0]] == pytest.approx(usual + 10.0, rel=0.05)


def test_a_slowdown_is_seen_in_its_first_line():
    took = times_of(bars([2.0] * 50 + [3.0] * 10))
    assert [round(took[iteration], 1) for iteration in (50, 51, 60)] == [2.0, 3.0, 3.0]


def test_bars_that_are_drawn_after_more_or_fewer_iterations_tell_each_time():
    chance, number, done, taken, lines = random.Random(3), 0, 0.0, 0.0, []
    for _ in range(100):
        count = chance.choice([1, 2, 3])
        number += count
        done, taken = done + 0.3 * (count - done), taken + 0.3 * (0.05 * count - taken)
        lines.append(f"  1%|#   | {number}/9000 [00:10<09:00, {rate(taken / done)}]\n")
    times = list(times_of(lines).values())
    assert times == pytest.approx([0.05] * 100, rel=0.02)


def test_a_slowdown_is_seen_in_an_average_since_the_beginning():
    took = times_of(bars([0.5] * 600 + [1.0] * 200, every=10, smoothing=0), "lightning")
    later = [seconds for iteration, seconds in took.items() if iteration > 620]
    assert min(later) > 0.9
    before = [seconds for iteration, seconds in took.items() if iteration <= 600]
    assert before == pytest.approx([0.5] * len(before), rel=0.1)


def test_what_the_digits_do_not_tell_is_left_out():
    chance = random.Random(5)
    took = times_of(bars([1.2 * chance.lognormvariate(0, 0.01) for _ in range(3000)], smoothing=0), "lightning")
    assert 50 < len(took) < 1000
    assert list(took.values()) == pytest.approx([1.2] * len(took), rel=0.1)


def test_the_next_epoch_begins_anew():
    first = bars([0.5] * 60, smoothing=0)
    second = [text.replace("Epoch 0", "Epoch 1") for text in bars([0.7] * 60, smoothing=0)]
    took = times_of(first + second, "lightning")
    later = [seconds for iteration, seconds in took.items() if iteration > 60]
    assert later
    assert later == pytest.approx([0.7] * len(later), rel=0.1)


@pytest.mark.parametrize("printed", ["0.00it/s", "?it/s", " nanit/s", " infit/s"])
def test_a_rate_that_says_nothing_is_left_out(printed):
    assert times_of([f"  1%|#   | {number}/9000 [00:10<09:00, {printed}]\n" for number in (1, 2)]) == {}
