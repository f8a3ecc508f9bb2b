"""Makes log lines short enough to be read on a phone."""

from __future__ import annotations

import re

_WIDTH = 64
_TAIL = 22
_DATE = re.compile(r"\[?\d{4}[-/]\d\d[-/]\d\d[ T](\d\d:\d\d:\d\d)(?:[.,]\d+)?\]?")
_SPACES = re.compile(r"\s+")


def shorten(line: str, width: int = _WIDTH) -> str:
    """Return the line with single spaces, its time without the date, and its middle cut out if it is too long."""
    line = _SPACES.sub(" ", _DATE.sub(r"\1", line, count=1)).strip()
    if len(line) <= width:
        return line
    return f"{line[: width - _TAIL - 3].rstrip()} … {line[-_TAIL:].lstrip()}"
