"""The lines that hold one of some words are found in a block of any bytes."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from monitor_core.parse.scan import lines_with, pieces, present

LITERALS = (b"error", b"v1.5 ready", b"exit-code 7", b"42", b"[done]")
words = st.one_of(
    st.sampled_from([*LITERALS, b"err", b"or", b"v1", b".5", b" ready", b"v15 ready", b"\n", b"\r", b"7.1", b"-"]),
    st.binary(max_size=6),
)
blocks = st.lists(words, max_size=40).map(lambda parts: b"".join([*parts, b"\n"]))


@given(blocks)
def test_the_lines_that_hold_a_literal_are_found_and_no_others(block):
    found = [block[start:end] for start, end in lines_with(block, present(block, LITERALS))]
    assert found == [line for line in block.split(b"\n") if any(literal in line for literal in LITERALS)]


def test_a_literal_made_of_numbers_alone_is_found():
    assert lines_with(b"41\n42\n", (b"42",)) == [(3, 5)]


def test_pieces_are_whole_lines_and_together_the_block():
    block = b"".join(b"%d: some words\n" % number for number in range(100_000))
    found = list(pieces(block))
    assert b"".join(found) == block
    assert len(found) > 3
    assert all(piece.endswith(b"\n") and len(piece) < 300_000 for piece in found)


def test_a_line_longer_than_a_piece_stays_whole():
    block = b"one\n" + b"x" * 1_000_000 + b"\ntwo\n"
    assert [piece.count(b"\n") for piece in pieces(block)] == [2, 1]
