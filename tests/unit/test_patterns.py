"""Formats of people's own: what a pattern reads, what is wrong with one, and that none can hang the monitor."""

from __future__ import annotations

import json
import time

import pytest

from monitor_core.model.records import Marker, MarkerKind, Progress
from monitor_core.parse import AUTO, Parser
from monitor_core.parse.scan import lines_with
from monitor_core.patterns import check_marker, check_progress, dialect, is_pattern, reach

STEP = "step {iteration}/{total} took {s}s loss={loss}"


def read(*lines, progress=STEP, pause=(), end=()):
    own = dialect("ours", (progress,) if isinstance(progress, str) else progress, pause, end)
    return Parser((own,)).feed("".join(f"{line}\n" for line in lines).encode())


def kinds(records):
    return [record.kind if isinstance(record, Marker) else record.iteration for record in records]


def test_a_named_pattern_reads_its_fields_in_our_units():
    (record,) = read("2026-11-24 10:00:00 INFO step   5/1,000 took 0.25s loss=3.2e-1 and more")
    assert record == Progress(5, 1000, 250.0, 0.32, timestamp=1795514400.0)


def test_rates_and_unfinite_losses_are_read():
    (record,) = read("[7] loss nan at 2.5 it/s", progress="[{iteration}] loss {loss} at {it_per_s} it/s")
    assert record.ms_per_iteration == 400.0
    assert record.loss != record.loss


def test_a_pattern_may_tell_what_fp16_skips():
    progress = "step {iteration} scale {loss_scale} skipped {skipped} nan {nan_iterations} seq {sequence_length}"
    (record,) = read("step 10 scale 65536.0 skipped 2 nan 1 seq 2048", progress=progress)
    assert (record.loss_scale, record.skipped, record.nan_iterations, record.sequence_length) == (65536, 2, 1, 2048)


def test_a_regular_expression_with_named_groups_reads_the_same():
    expression = r"regex:^step (?P<iteration>\d+)/(?P<total>\d+) took (?P<s>\S+)s loss=(?P<loss>\S+)$"
    line = "step 5/10 took 0.5s loss=3.2"
    assert read(line, progress=expression) == read(line)


def test_a_group_that_holds_no_number_is_no_progress():
    assert read("step five", progress=r"regex:step (?P<iteration>\w+)") == []


def test_the_first_of_several_patterns_that_fits_counts():
    records = read("step 5 loss 3.0", "step 6", progress=("step {iteration} loss {loss}", "step {iteration}"))
    assert [(record.iteration, record.loss) for record in records] == [(5, 3.0), (6, None)]


def test_places_in_epochs_are_counted_through():
    records = read(
        "epoch 1/3 batch 99/100", "epoch 2/3 batch 1/100", progress="epoch {epoch}/{epochs} batch {batch}/{batches}"
    )
    assert [(record.iteration, record.total) for record in records] == [(99, 300), (101, 300)]


def test_pauses_and_the_end_are_told_by_patterns_of_their_own():
    records = read(
        "step 5/10 took 1s loss=1",
        "saving to /ckpt/5",
        "step 6/10 took 1s loss=1",
        "training complete",
        pause=("saving {any}",),
        end=("training complete",),
    )
    assert kinds(records) == [5, MarkerKind.CHECKPOINT_START, 6, MarkerKind.TRAINING_DONE]


def test_without_an_end_the_last_iteration_is_one_and_with_one_it_is_not():
    last = "step 10/10 took 1s loss=1"
    assert kinds(read(last)) == [10, MarkerKind.LAST_ITERATION]
    assert kinds(read(last, end=("done",))) == [10]


def test_a_count_in_a_line_that_pauses_may_be_anything():
    records = read("saved 1,200", "saved many", pause=(r"regex:saved (?P<iteration>\S+)",))
    assert [record.iteration for record in records] == [1200, None]


def test_errors_are_found_beside_the_patterns():
    records = read("RuntimeError", "torch.OutOfMemoryError: CUDA out of memory.", "step 5/10 took 1s loss=1")
    assert [getattr(record, "signature", "") for record in records] == ["cuda_oom", ""]


@pytest.mark.parametrize(
    ("pattern", "literal"),
    [
        ("step {iteration}/{total} seconds={s}", b"seconds="),
        ("{iteration} {loss}", b""),
        (r"regex:ab?cde+f(gh|i)*j(?P<iteration>\d+)", b"cde"),
        (r"regex:one|(?P<iteration>\d+)", b""),
        (r"regex:(?i)step (?P<iteration>\d+)", b""),
        (r"regex:\x41bc\.de{2}(?P<iteration>\d+)", b"bc.de"),
        (r"regex:[a|b]foo\[(?P<iteration>\d+)", b"foo["),
        (r"regex:x{0,3}(?P<iteration>\d+)", b""),
        ("损失 {iteration}", "损失".encode()),
    ],
)
def test_only_lines_with_what_is_fixed_in_a_pattern_are_tried(pattern, literal):
    assert dialect("ours", (pattern,)).rules[0].literal == literal


def test_where_nothing_is_fixed_each_line_is_tried():
    records = read("loss", "  5   3.25", "", "  6   3.24", progress="{iteration} {loss}")
    assert kinds(records) == [5, 6]
    assert lines_with(b"a\n\nbc\n", [b""]) == [(0, 1), (2, 2), (3, 5)]


def test_bytes_that_are_no_utf8_are_any_text():
    own = dialect("ours", ("step {iteration} {any} loss {loss}",))
    (record,) = Parser((own,)).feed(b"step 5 \xcb\xf0\xca\xa7 loss 3.5\n")
    assert (record.iteration, record.loss) == (5, 3.5)


@pytest.mark.parametrize(
    ("pattern", "sentence"),
    [
        ("step {iter}", "{iter} is not a field (known: any, iteration, total,"),
        ("step {iteration", "a brace at character 6 has no partner"),
        ("step {iteration} {iteration}", "{iteration} stands in it twice"),
        ("loss {loss}", "has neither {iteration} nor {batch}: say where the number stands (example: step"),
        (r"regex:loss (?P<loss>\d+)", "has neither a group iteration nor batch"),
        (r"regex:(?P<step>\d+)", "the group 'step' is not a field (known: iteration, total,"),
        (r"regex:(?P<iteration>\d+", "is not a regular expression of RE2: missing )"),
        (r"regex:(?P<iteration>\d+)(?=x)", "is not a regular expression of RE2: invalid perl operator"),
        (r"regex:(?P<iteration>(\d{1,900}){900})", "is not a regular expression of RE2: invalid repetition size"),
        ("", "is empty (example: step"),
        ("regex:", "is empty (example: step"),
    ],
)
def test_what_is_wrong_with_a_pattern_is_a_sentence(pattern, sentence):
    with pytest.raises(ValueError) as refused:
        check_progress(pattern)
    assert str(refused.value).startswith(sentence)


def test_a_line_that_pauses_tells_no_values():
    assert check_marker("saved {iteration} {any}") == "saved {iteration} {any}"
    with pytest.raises(ValueError, match=r"^{loss} has no meaning here \(known: any, iteration\)$"):
        check_marker("saved {loss}")


def test_a_pattern_that_would_hang_other_engines_does_not():
    own = dialect("ours", (r"regex:step (a+)+(a|aa)+b (?P<iteration>\d+)",))
    began = time.process_time()
    assert Parser((own,)).feed(b"step " + b"a" * 8000 + b"\n") == []
    assert time.process_time() - began < 5  # where others need ages


def test_a_parser_of_ones_own_goes_on_after_a_restart_and_begins_anew_if_the_pattern_changed():
    own = dialect("ours", ("epoch {epoch} batch {batch}/{batches}",))
    parser = Parser((own,))
    parser.feed(b"epoch 1 batch 5/10\n")
    state = json.loads(json.dumps(parser.state()))
    again = Parser.restore(state, (own,))
    assert (again.format, again.lines, again.unrecognised) == ("ours", 1, 0)
    other = Parser.restore(state, (dialect("ours", ("step {iteration}",)),))
    other.feed(b"what is this\n")
    assert (other.format, other.lines, other.unrecognised) == (None, 2, 1)
    assert Parser.restore(state, AUTO).format is None


@pytest.mark.parametrize(
    ("line", "fits"),
    [
        (b"step 5/10 took 1s loss=1", STEP),
        (b"step 5/10 in 1s", "step {iteration}/{total}"),
        (b"STEP 5/10", ""),
    ],
)
def test_a_line_tells_how_far_a_pattern_fits(line, fits):
    assert reach(STEP, line) == fits


def test_what_is_a_pattern_and_what_a_name():
    assert is_pattern("step {iteration}")
    assert is_pattern(r"regex:step (?P<iteration>\d+)")
    assert not is_pattern("megatron")
