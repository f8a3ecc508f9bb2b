"""Dates and times as training frameworks print them."""

from __future__ import annotations

import re
from datetime import datetime
from functools import lru_cache

STAMP = rb"\d{4}[-/]\d\d[-/]\d\d[ T_]\d\d:\d\d:\d\d(?:[.,]\d{1,6})?"
_STAMP = re.compile(STAMP)
_SECONDS = 17  # where they begin
_MINUTE = 60.0


def first_stamp(text: bytes) -> float | None:
    """Return the first date and time in the text as if it were UTC, in seconds since 1970; None if there is none."""
    match = _STAMP.search(text)
    return stamp(match[0]) if match else None


def last_stamp(text: bytes) -> float | None:
    """Return the last date and time in the text as if it were UTC, in seconds since 1970; None if there is none."""
    stamps = _STAMP.findall(text)
    return stamp(stamps[-1]) if stamps else None


def stamp(text: bytes) -> float | None:
    """Return a date and time as if it were UTC, in seconds since 1970; None for one that cannot be."""
    minute, seconds = _minute(text[: _SECONDS - 1]), float(text[_SECONDS:].replace(b",", b"."))
    return minute + seconds if minute is not None and seconds < _MINUTE else None


@lru_cache(maxsize=64)
def _minute(text: bytes) -> float | None:
    """Return when a minute begins; lines come in the order of time, so that few have to be known."""
    try:
        return datetime.fromisoformat(text.replace(b"/", b"-").replace(b"_", b"T").decode() + ":00Z").timestamp()
    except ValueError:  # the 31st of June
        return None
