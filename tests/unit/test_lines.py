"""What `cut` makes of the bytes of a log."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor_core.collect.lines import INSIDE_A_LINE, MAX_LINE, cut


def cut_pieces(pieces, partial=b""):
    lines = b""
    for piece in pieces:
        more, partial = cut(partial, piece)
        lines += more
    return lines, partial


def divide(data, places):
    ends = sorted({place % (len(data) + 1) for place in places})
    return [data[a:b] for a, b in zip([0, *ends], [*ends, len(data)], strict=True)]


# Fragments that make every interesting neighbourhood likely: line ends, sequences whole and broken, long lines.
FRAGMENTS = st.sampled_from(
    [
        *(b"\r", b"\n", b"\r\n", b"\0", b"\x1b", b"\x07", b"\\", b"]", b"[", b"3", b";", b"m", b" ", b"(", b"\t"),
        *(b"\x1b[31m", b"\x1b[0;1;38;5;9", b"\x1b]0;title\x07", b"\x1b]8;;http://x\x1b\\", b"\x1bP1", b"\x1b(B"),
        *(b"\xff\xfe", "é".encode(), b"iteration 7/ 10 | loss: 1.0 |", b"\x7f\x08"),
        *(b"x" * (MAX_LINE - 1), b"y" * (MAX_LINE + 1), b"\x1b[" + b"1" * 70, b"\x1b]" + b"t" * 4100),
    ]
)
STREAMS = st.lists(FRAGMENTS, max_size=25).map(b"".join)


@given(STREAMS, st.lists(st.integers(0, 10**6), max_size=12))
def test_the_same_lines_come_out_however_the_stream_is_cut(data, places):
    assert cut_pieces(divide(data, places)) == cut(b"", data)


@given(STREAMS, st.lists(st.integers(0, 10**6), max_size=12))
def test_a_stream_that_begins_inside_a_line_gives_the_same_lines_however_it_is_cut(data, places):
    assert cut_pieces(divide(data, places), INSIDE_A_LINE) == cut(INSIDE_A_LINE, data)


@given(STREAMS)
def test_lines_are_clean_whole_and_short(data):
    lines, partial = cut(b"", data)
    assert not lines or lines.endswith(b"\n")
    assert not set(lines) & ({*range(32), 127} - {9, 10})
    assert all(len(line) <= MAX_LINE for line in lines.split(b"\n"))
    assert len(partial) <= MAX_LINE + 1 + 4100


def test_an_unfinished_line_waits_for_its_end():
    assert cut(b"", b"one\ntw") == (b"one\n", b"tw")
    assert cut(b"tw", b"o\n") == (b"two\n", b"")


def test_nothing_new_changes_nothing():
    assert cut(b"tw", b"") == (b"", b"tw")


@pytest.mark.parametrize(
    ("raw", "lines"),
    [
        (b"a\r\nb\r\n", b"a\nb\n"),
        (b" 10%\r 20%\r 30%\n", b" 10%\n 20%\n 30%\n"),
        (b"\x1b[1;31mred\x1b[0m\n", b"red\n"),
        (b"\x1b]0;a title\x07text\n", b"text\n"),
        (b"\x1b]8;;http://x\x1b\\link\x1b]8;;\x1b\\\n", b"link\n"),
        (b"\x1b(Bplain\x1b7\x1b8\n", b"plain\n"),
        (b"\0\0\0hole\n", b"hole\n"),
        (b"a\tb\x08\x7f\x0bc\n", b"a\tbc\n"),
        (b"\x1b[broken \x1b\nnext\n", b"roken \nnext\n"),
        (b"\x1b]never ended\nnext\n", b"never ended\nnext\n"),
        (b"caf\xc3\xa9 \xff\n", b"caf\xc3\xa9 \xff\n"),
    ],
)
def test_line_ends_are_made_one_and_control_bytes_go(raw, lines):
    assert cut(b"", raw) == (lines, b"")


def test_a_carriage_return_at_the_very_end_waits_for_the_next_byte():
    lines, partial = cut(b"", b"a\r")
    assert lines == b""
    assert cut(partial, b"\nb\n") == (b"a\nb\n", b"")
    assert cut(partial, b"b\n") == (b"a\nb\n", b"")


def test_a_line_as_long_as_allowed_is_kept():
    line = b"x" * MAX_LINE + b"\n"
    assert cut(b"", line) == (line, b"")
    assert cut_pieces([line[:-1], b"\n"]) == (line, b"")


def test_a_megabyte_line_keeps_its_first_part_and_little_memory():
    partial = b""
    for _ in range(40):
        lines, partial = cut(partial, b"x" * 65536)
        assert lines == b""
        assert len(partial) <= MAX_LINE + 1
    assert cut(partial, b"end\nnext\n") == (b"x" * MAX_LINE + b"\nnext\n", b"")


def test_lines_around_long_ones_are_whole():
    long = b"y" * (3 * MAX_LINE)
    lines, partial = cut(b"", b"a\n" + long + b"\nb\n" + long + b"\n" + b"c\nd")
    short = long[:MAX_LINE]
    assert lines == b"a\n" + short + b"\nb\n" + short + b"\nc\n"
    assert partial == b"d"


def test_the_line_in_whose_middle_a_read_begins_comes_out_empty():
    assert cut(INSIDE_A_LINE, b"rest of a line\nwhole\n") == (b"\nwhole\n", b"")
