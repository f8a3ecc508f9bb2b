"""Dates and times as training frameworks print them."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from functools import lru_cache

STAMP = rb"\d{4}[-/]\d\d[-/]\d\d[ T_]\d\d:\d\d:\d\d(?:[.,]\d{1,6})?"
_STAMP = re.compile(STAMP)
_SECONDS = 17  # where they begin
_MINUTE = 60.0
# `E0603 17:48:01.005` of glog, and PyTorch's `E603`: the last two digits are the day; no year is printed.
_GLOG = re.compile(rb"(?<!\w)[IWEF](\d{1,2})(\d\d) (\d\d:\d\d:\d\d(?:\.\d{1,6})?)")
# It has a 29th of February.
_ANY_YEAR = 1972
_YEAR_PRINTED_FROM = datetime(_ANY_YEAR + 1, 1, 1, tzinfo=UTC).timestamp()


def first_stamp(text: bytes) -> float | None:
    """Return the first date and time in the text as if it were UTC, in seconds since 1970; None if there is none."""
    match = _STAMP.search(text)
    return stamp(match[0]) if match else None


def yearless_stamp(text: bytes) -> float | None:
    """Return the first date and time without a year in the text, as if it were UTC in 1972; None if there is none."""
    match = _GLOG.search(text)
    return stamp(b"%d-%02d-%s %s" % (_ANY_YEAR, int(match[1]), match[2], match[3])) if match else None


def seconds_between(one: float, other: float) -> float:
    """Return how many seconds the other printed time is after the one; one without a year is of the other's."""
    if (one < _YEAR_PRINTED_FROM) != (other < _YEAR_PRINTED_FROM):
        one, other = (_without_year(moment) for moment in (one, other))
    return other - one


def _without_year(moment: float) -> float:
    return datetime.fromtimestamp(moment, UTC).replace(year=_ANY_YEAR).timestamp()


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
