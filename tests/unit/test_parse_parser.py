"""A parser takes a log in blocks of any bytes, and goes on after a restart as if there had been none."""

from __future__ import annotations

import json
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor_core.collect.lines import cut
from monitor_core.model.records import Failure, Marker, MarkerKind, Progress
from monitor_core.parse import AUTO, DIALECTS, Parser
from monitor_core.parse.counter import Counter

DATA = Path(__file__).parents[1] / "data" / "megatron"
FINISHED = (DATA / "finished.log").read_bytes()
FAILED = (DATA / "failed.log").read_bytes()
LOGS = sorted((Path(__file__).parents[1] / "data" / "logs").rglob("*.log"))
EXAMPLES = [line.encode() for dialect in DIALECTS.values() for line in dialect.example.splitlines()]
FRAGMENTS = [
    *FINISHED.splitlines(),
    *FAILED.splitlines(),
    *EXAMPLES,
    *(line.replace(b"1", b"2") for line in EXAMPLES),
    b"",
    b"\xff\xfe caf\xe9",
    b"x" * 9000,
    b"iteration 1/ 2 |",
]
any_line = st.one_of(st.sampled_from(FRAGMENTS), st.binary(max_size=80).map(lambda line: line.replace(b"\n", b" ")))
any_printed = st.sampled_from(LOGS).map(lambda path: cut(b"", path.read_bytes())[0])
any_log = st.lists(any_line, max_size=60).map(lambda lines: b"".join(line + b"\n" for line in lines))


def lines_of(log):
    return [line + b"\n" for line in log.split(b"\n")[:-1]]


def restarted(parser):
    return Parser.restore(json.loads(json.dumps(parser.state(), sort_keys=True)))


def in_pieces(log):
    """Feed line by line, through a restart before each."""
    parser = Parser()
    records = []
    for line in lines_of(log):
        parser = restarted(parser)
        records += parser.feed(line)
    return records, parser


def test_a_run_that_finished_is_told_from_start_to_end():
    parser = Parser()
    records = parser.feed(FINISHED)
    assert [record.iteration for record in records if isinstance(record, Progress)] == [10, 20, 30, 40]
    assert [record.kind for record in records if isinstance(record, Marker) and record.kind != MarkerKind.SETTING] == [
        MarkerKind.START,
        MarkerKind.EVALUATION,
        MarkerKind.EVALUATION,
        MarkerKind.EVALUATION_END,
        MarkerKind.CHECKPOINT_START,
        MarkerKind.CHECKPOINT_END,
        MarkerKind.TRAINING_DONE,
    ]
    assert {record.name: record.value for record in records if isinstance(record, Marker) and record.name} == {
        "eval_interval": "20",
        "log_interval": "10",
        "save_interval": "20",
        "train_iters": "40",
    }
    assert not any(isinstance(record, Failure) for record in records)
    assert (parser.format, parser.lines) == ("megatron", FINISHED.count(b"\n"))


def test_a_run_that_failed_is_told_with_the_cause_of_each_rank():
    failures = [record for record in Parser().feed(FAILED) if isinstance(record, Failure)]
    assert [(failure.signature, failure.role.value, failure.rank, failure.line_number) for failure in failures] == [
        ("cuda_oom", "root", "2", 10),
        ("peer_lost", "cascade", "1", 11),
        ("child_failed", "cascade", "", 12),
        ("child_failed", "cascade", "0", 17),
        ("srun_task", "cascade", "0", 19),
    ]


def test_the_format_is_not_known_before_the_first_progress_line():
    parser = Parser()
    parser.feed(b"[before the start of training step]\n")
    assert parser.format is None


def test_a_format_may_be_named():
    parser = Parser("megatron")
    assert parser.feed(FINISHED) == Parser(AUTO).feed(FINISHED)


def test_a_format_that_is_not_known_is_refused_with_those_that_are():
    with pytest.raises(ValueError, match=r"'megatrn' is not a log format .*auto, gpt-neox, megatron"):
        Parser("megatrn")


def test_an_empty_block_says_nothing():
    parser = Parser()
    assert (parser.feed(b""), parser.lines) == ([], 0)


def test_a_line_of_a_megabyte_does_no_harm():
    line = FINISHED.splitlines()[11]
    records = Parser().feed(b"x" * 2**20 + b" error: CUDA out of memory\n" + line + b"\n")
    assert [type(record) for record in records] == [Progress]


@pytest.mark.parametrize("log", [FINISHED, FAILED])
def test_a_block_may_be_of_any_length(log):
    long = b"".join(b"a line of something else, with the number %d\n" % number for number in range(20_000)) + log
    whole = Parser()
    parser = Parser()
    assert whole.feed(long * 2) == [record for line in lines_of(long * 2) for record in parser.feed(line)]
    assert whole.lines == 2 * long.count(b"\n")


def test_what_is_kept_does_not_grow_with_the_log():
    parser = Parser()
    for _ in range(100):
        parser.feed(FINISHED + FAILED + b"a line of something else\n" * 50)
    assert len(json.dumps(parser.state())) < 1000


@pytest.mark.parametrize("log", [FINISHED, FAILED])
def test_a_restart_between_any_two_lines_changes_nothing(log):
    assert in_pieces(log)[0] == Parser().feed(log)


@given(any_log)
def test_any_bytes_are_taken_and_blocks_and_restarts_change_nothing(log):
    whole = Parser()
    records = whole.feed(log)
    pieces, parser = in_pieces(log)
    assert repr(pieces) == repr(records)  # by repr, since NaN is not equal to itself
    assert (parser.lines, parser.format) == (whole.lines, whole.format) == (log.count(b"\n"), whole.format)


@given(any_log, st.integers(min_value=1, max_value=59))
def test_a_log_may_be_cut_at_any_line_end(log, at):
    lines = lines_of(log)
    parser = Parser()
    records = parser.feed(b"".join(lines[:at])) + parser.feed(b"".join(lines[at:]))
    assert repr(records) == repr(Parser().feed(log))


@given(st.lists(any_printed, min_size=1, max_size=2), st.data())
def test_what_frameworks_print_may_be_cut_by_restarts_at_any_line_end_in_one_file_after_the_other(logs, data):
    lines = lines_of(b"".join(logs))
    places = data.draw(st.sets(st.integers(min_value=0, max_value=len(lines)), max_size=12))
    whole, parser, records = Parser(), Parser(), []
    for start, stop in pairwise([0, *sorted(places), len(lines)]):
        parser = restarted(parser)
        records += parser.feed(b"".join(lines[start:stop]))
    assert repr(records) == repr(whole.feed(b"".join(lines)))
    assert json.dumps(parser.state(), sort_keys=True) == json.dumps(whole.state(), sort_keys=True)


@pytest.mark.parametrize("path", LOGS, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_a_restart_before_each_line_of_what_a_framework_prints_changes_nothing(path):
    log = cut(b"", path.read_bytes())[0]
    records, parser = in_pieces(log)
    whole = Parser()
    assert repr(records) == repr(whole.feed(log))
    assert json.dumps(parser.state(), sort_keys=True) == json.dumps(whole.state(), sort_keys=True)


@given(
    any_log, st.sampled_from([b"\n", b"\r", b"\r\n"]), st.lists(st.integers(min_value=0, max_value=3000), max_size=8)
)
def test_bytes_may_be_cut_anywhere(log, end, cuts):
    raw = log.replace(b"\n", end)
    places = [0, *sorted(place for place in cuts if place < len(raw)), len(raw)]
    whole, parts, partial, records = Parser(), Parser(), b"", []
    for start, stop in pairwise(places):
        lines, partial = cut(partial, raw[start:stop])
        records += parts.feed(lines)
    assert repr(records) == repr(whole.feed(cut(b"", raw)[0]))
    assert json.dumps(parts.state()) == json.dumps(whole.state())


def test_each_dialect_looks_only_at_lines_that_hold_one_of_its_literals():
    for dialect in DIALECTS.values():
        assert all(literal and b"\n" not in literal for literal in dialect.literals)
        assert dialect.record(b"a line of something else", Counter()) is None
