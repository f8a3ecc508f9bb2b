"""Dates and times as training frameworks print them."""

from __future__ import annotations

import re
from datetime import datetime

_STAMP = re.compile(rb"\d{4}[-/]\d\d[-/]\d\d[ T_]\d\d:\d\d:\d\d(?:[.,]\d{1,6})?")


def first_stamp(text: bytes) -> float | None:
    """Return the first date and time in the text as if it were UTC, in seconds since 1970; None if there is none."""
    match = _STAMP.search(text)
    return _epoch(match[0]) if match else None


def last_stamp(text: bytes) -> float | None:
    """Return the last date and time in the text as if it were UTC, in seconds since 1970; None if there is none."""
    stamps = _STAMP.findall(text)
    return _epoch(stamps[-1]) if stamps else None


def _epoch(stamp: bytes) -> float | None:
    try:
        return datetime.fromisoformat(stamp.replace(b"/", b"-").decode() + "Z").timestamp()
    except ValueError:  # the 31st of June
        return None
