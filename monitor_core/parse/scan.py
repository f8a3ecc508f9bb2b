"""Finds the lines of a block that may matter, without looking at the others one by one."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

# Few enough for a processor's cache; a longer block is gone through in pieces of about this size.
_PIECE_BYTES = 256 * 1024
# What differs from one line of a kind to the next.
_VARYING = b"0123456789.+-"


def pieces(block: bytes) -> Iterator[bytes]:
    """Yield the block in pieces of whole lines."""
    at = 0
    while at < len(block):
        end = end_of_line(block, at + _PIECE_BYTES)
        yield block[at : end + 1]
        at = end + 1


def end_of_line(block: bytes, at: int) -> int:
    """Return where the line feed stands that ends the line; the length of the block if there is none."""
    end = block.find(b"\n", at)
    return len(block) if end < 0 else end


def count_lines(block: bytes) -> int:
    """Return how many lines a block has, whether or not the last of them is ended."""
    return block.count(b"\n") + (not block.endswith(b"\n"))


def end_of_lines(block: bytes, count: int) -> int:
    """Return where the line after so many begins, in a block that has at least so many."""
    at = 0
    for _ in range(count):
        at = end_of_line(block, at) + 1
    return at


def lines_with(block: bytes, literals: Iterable[bytes]) -> list[tuple[int, int]]:
    """Return where the lines begin and end that hold one of the literals, in order; each line holds an empty one."""
    lines = {}
    for literal in literals:
        at = block.find(literal)
        while 0 <= at < len(block):
            end = end_of_line(block, at)
            lines[block.rfind(b"\n", 0, at) + 1] = end
            at = block.find(literal, end + 1)
    return sorted(lines.items())


def present(block: bytes, literals: Iterable[bytes]) -> list[bytes]:
    """Return the literals that the block may hold; it holds none of the others.

    A log says the same things again and again with other numbers: without these few lines are distinct, and to look
    for many literals there costs less than to look for each in the block.
    """
    distinct = b"\n".join(set(block.translate(None, _VARYING).split(b"\n")))
    return [literal for literal in literals if literal.translate(None, _VARYING) in distinct]
