"""The generator of log streams: its noise is the one asked for, and its faults are where it says they are."""

from __future__ import annotations

import math
from dataclasses import replace
from itertools import islice, pairwise
from statistics import median, pstdev

import pytest

from monitor_core.model.records import Marker, MarkerKind, Progress
from monitor_core.parse.parser import Parser
from tests.bench.fit import fit
from tests.bench.noise import Noise, profiles, seeded
from tests.bench.streams import START, Fault, Pauses, Training, generate

CALM = replace(profiles()["quiet"], time=Noise(0.001, 0, 0, 0, 0, 1), loss=Noise(0.001, 0, 0, 0, 0, 1))
PLAIN = Training(seconds=40.0, pauses=())


def records(stream, kind=Progress):
    read = Parser().feed(b"".join(piece.lines for piece in stream.pieces))
    return [record for record in read if isinstance(record, kind)]


def lines(training=PLAIN, hours=4, profile=CALM, **fault):
    stream = generate(training, profile, 1, hours, Fault(**fault) if fault else None, after=100)
    return stream, records(stream)


def first_hit(stream):
    """Return the place of the first line that was written after the fault began."""
    return next(place for place, at in enumerate(stream.lines) if at > stream.began)


def test_the_same_seed_gives_the_same_stream_and_another_one_another():
    usual = profiles()["usual"]
    one, same, other = (generate(Training(), usual, seed, 5) for seed in (3, 3, 4))
    assert one == same
    assert one.pieces != other.pieces


def test_a_series_varies_as_its_noise_says():
    noise = Noise(sigma=0.02, drift=0.03, memory=0.98, spikes=0.01, spike_size=0.5, spike_length=1.5)
    found = fit(list(islice(noise.series(seeded("series")), 20_000)))
    assert found.sigma == pytest.approx(0.02, rel=0.2)
    assert found.drift == pytest.approx(0.03, rel=0.3)
    assert found.memory == pytest.approx(0.98, abs=0.011)
    assert found.spikes == pytest.approx(0.01, rel=0.3)
    assert found.spike_size == pytest.approx(0.5, rel=0.3)
    assert found.spike_length == pytest.approx(1.5, rel=0.2)


def test_the_parser_reads_what_was_generated():
    stream, read = lines(Training(pauses=(Pauses("save", 100, 60.0), Pauses("evaluation", 50, 40.0))), hours=3)
    assert [record.iteration for record in read] == list(range(1, len(stream.lines) + 1))
    assert [record.timestamp for record in read] == pytest.approx(stream.lines, abs=1e-5)
    assert median(record.ms_per_iteration for record in read) == pytest.approx(40_000, rel=0.01)
    kinds = [marker.kind for marker in records(stream, Marker)]
    for kind in (MarkerKind.CHECKPOINT_START, MarkerKind.CHECKPOINT_END, MarkerKind.EVALUATION_END):
        assert kinds.count(kind) == len(read) // (50 if kind is MarkerKind.EVALUATION_END else 100)
    assert stream.pauses == len(read) // 50 + len(read) // 100


def test_no_pause_is_longer_than_twice_the_longest_before():
    stream, _ = lines(Training(pauses=(Pauses("save", 5, 60.0, marked=False),)), hours=100)
    gaps = [b - a - 40 for a, b in pairwise(stream.lines)][5:]
    pauses = [gap for gap in gaps if gap > 20]
    longest = 60.0
    for pause in pauses:
        assert pause <= 2 * longest + 5
        longest = max(longest, pause)
    assert max(pauses) > 300
    assert median(pauses) < 100


@pytest.mark.parametrize("step", [1, 10])
def test_a_slowdown_holds_for_its_lines_and_no_longer(step):
    stream, read = lines(replace(PLAIN, log_interval=step, seconds=40 / step), kind="slow", lines=30, slower=1.5)
    begin = first_hit(stream)
    slow = [record.ms_per_iteration * step / 40_000 for record in read]
    assert 100 <= begin <= 200
    assert stream.lines_between(stream.began, stream.ended) in {30, 31}
    assert slow[begin + 2 : begin + 28] == pytest.approx([1.5] * 26, rel=0.02)
    assert [*slow[20:begin], *slow[begin + 31 :]] == pytest.approx([1.0] * (len(slow) - 51), rel=0.02)


def test_a_drift_creeps():
    stream, read = lines(hours=30, kind="slow", slower=1.3, creeps=2000)
    begin = first_hit(stream)
    assert read[begin + 1000].ms_per_iteration == pytest.approx(1.15 * 40_000, rel=0.01)
    assert read[begin + 2000].ms_per_iteration == pytest.approx(1.3 * 40_000, rel=0.01)


def test_a_hang_is_a_gap_in_the_lines():
    stream, _ = lines(hours=8, kind="stuck", lines=1, stops=1800.0)
    place = first_hit(stream)
    assert stream.lines[place] - stream.lines[place - 1] == pytest.approx(1840, abs=1)
    assert stream.ended - stream.began == 1800


@pytest.mark.parametrize(("how", "printed"), [("nan", b"lm loss: nan |"), ("left out", b"")])
def test_a_loss_that_is_no_number_is_printed_as_megatron_does(how, printed):
    stream, read = lines(kind="loss_nan", nan=how)
    place = first_hit(stream)
    assert read[place - 1].loss is not None
    assert all(record.loss is None or math.isnan(record.loss) for record in read[place:])
    text = b"".join(piece.lines for piece in stream.pieces if piece.at > stream.began)
    assert printed in text
    assert (b"lm loss" in text) == bool(printed)


def test_half_of_the_lines_of_a_loss_spike_stand_out():
    stream, read = lines(kind="loss_spike", lines=10, loss=2.0, share=0.5)
    place = first_hit(stream)
    high = [b.loss / read[place - 1].loss > 1.5 for b in read[place : place + 20]]
    assert high == [False, True] * 5 + [False] * 10


def test_a_crash_ends_the_log_with_what_it_prints():
    stream, _ = lines(kind="failed", ends="RuntimeError: boom")
    assert stream.pieces[-1].lines == b"RuntimeError: boom\n"


def test_lines_come_in_blocks_where_they_are_not_flushed():
    stream, read = lines(replace(PLAIN, block=8192))
    assert len(read) == len(stream.lines) > 10 * len(stream.pieces)
    assert all(len(piece.lines) >= 8192 for piece in stream.pieces[:-1])


def test_a_resumed_training_goes_on_from_its_last_checkpoint():
    training = Training(pauses=(Pauses("save", 80, 30.0),), launch=100)
    _, read = lines(training, hours=5)
    numbers = [record.iteration for record in read]
    assert numbers[:220] == [*range(1, 101), *range(81, 181), *range(161, 181)]


def test_a_growing_batch_takes_longer_and_says_so():
    stream, read = lines(replace(PLAIN, ramp=50), hours=6)
    assert read[60].ms_per_iteration == pytest.approx(2 * 40_000, rel=0.01)
    assert b"global batch size:   512 |" in b"".join(piece.lines for piece in stream.pieces)


def test_a_clock_may_be_wrong_or_missing():
    ahead, read = lines(replace(PLAIN, skew=480.0))
    assert read[0].timestamp == pytest.approx(ahead.lines[0] + 480, abs=1e-5)
    _, read = lines(replace(PLAIN, stamps=False))
    assert {record.timestamp for record in read} == {None}


def test_a_stream_lasts_for_about_as_long_as_asked():
    stream, _ = lines(hours=10)
    assert stream.hours == pytest.approx(10, abs=0.1)
    assert stream.at - START == stream.hours * 3600


def test_the_profiles_are_ever_rougher():
    spreads = [pstdev(islice(profile.time.series(seeded("rough")), 5000)) for profile in profiles().values()]
    assert spreads == sorted(spreads)
    assert spreads[0] < 0.01
    assert spreads[2] > 0.05
