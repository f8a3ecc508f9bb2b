"""What a log should never hold, and what it costs all the same: bytes that are made to take a parser long."""

from __future__ import annotations

import random
import time
from collections.abc import Iterator

from monitor_core.collect.lines import cut
from monitor_core.parse.parser import Parser

MB = 10**6
_READ = 256 * 1024
_RANDOM = random.Random(1).randbytes(MB)
_HEAD = b"iteration 1/ 2 | elapsed time per iteration (ms): "
# Name, what is repeated, and how many bytes of it.
CASES = (
    ("one line of 200 MB", b"x" * MB, 200 * MB),
    ("10 million carriage returns", b"\r" * MB, 10 * MB),
    ("100 MB of random bytes", _RANDOM, 100 * MB),
    ("100 MB of lines of `|`", (b"|" * 199 + b"\n") * 5000, 100 * MB),
    ("20 MB of progress lines without an end", (_HEAD * 300 + b"\n") * 66, 20 * MB),
)


def seconds(pattern: bytes, size: int) -> float:
    """Return how long it takes to cut into lines, and to parse, so many bytes."""
    parser, partial, began_at = Parser(), b"", time.perf_counter()
    for data in _reads(pattern, size):
        lines, partial = cut(partial, data)
        parser.feed(lines)
    return time.perf_counter() - began_at


def _reads(pattern: bytes, size: int) -> Iterator[bytes]:
    for at in range(0, size, _READ):
        start = at % len(pattern)
        data = pattern[start : start + _READ]
        yield data + pattern[: _READ - len(data)]
