from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor_core import units

SECOND, MINUTE, HOUR, DAY = 1, 60, 3600, 86400


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("30s", 30), ("20m", 1200), ("1h30m", 5400), ("2d", 172800), ("0.5s", 0.5), (" 1H 30M ", 5400), ("1.5h", 5400)],
)
def test_a_duration_is_read_as_people_write_it(text, seconds):
    assert units.parse_duration(text) == seconds


@pytest.mark.parametrize("text", ["", "5", "m", "5 minuts", "-5m", "1h30", "5m!", "1e3s", ".5s", "5.m", "1:30"])
def test_what_is_no_duration_is_refused_as_it_was_typed(text):
    with pytest.raises(ValueError) as refusal:
        units.parse_duration(text)
    assert str(refusal.value) == f"{text!r} is not a duration (examples: 30s, 20m, 1h30m)"


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (-5, "0 s"), (0, "0 s"), (41.9, "41 s"), (59.99, "59 s"),
        (MINUTE, "1m"), (6 * MINUTE + 12, "6m 12s"), (10 * MINUTE - 1, "9m 59s"),
        (10 * MINUTE, "10m"), (53 * MINUTE + 35, "53m"),
        (HOUR, "1h"), (HOUR + 56 * MINUTE, "1h 56m"), (10 * HOUR - 1, "9h 59m"),
        (10 * HOUR, "10h"), (14 * HOUR + 59 * MINUTE, "14h"), (48 * HOUR - 1, "47h"),
        (48 * HOUR, "2d"), (3 * DAY + 4 * HOUR + 59 * MINUTE, "3d 4h"),
    ],
)  # fmt: skip
def test_a_duration_is_written_shorter_the_longer_it_is_and_rounded_down(seconds, text):
    assert units.duration(seconds) == text.replace(" s", units.NBSP + "s")


def test_an_exact_duration_keeps_what_the_short_one_drops():
    assert units.duration(53 * MINUTE + 35, exact=True) == "53m 35s"
    assert units.duration(14 * HOUR + 59 * MINUTE, exact=True) == "14h 59m"


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "0s"), (1200, "20m"), (5400, "1h30m"), (90061, "1d1h1m1s"), (2.5, "2.5s"), (59.9999, "1m")],
)
def test_a_compact_duration_is_what_a_person_would_type(seconds, text):
    assert units.compact_duration(seconds) == text


@given(st.integers(0, 10**9))
def test_a_compact_duration_reads_back_to_the_millisecond(milliseconds):
    seconds = milliseconds / 1000
    assert units.parse_duration(units.compact_duration(seconds)) == pytest.approx(seconds, abs=1e-6)


@pytest.mark.parametrize(
    ("iteration", "total", "text"),
    [
        (12400, 50000, "12,400 / 50,000 (24.8%)"),
        (12400, None, "12,400"),
        (5, 0, "5"),
        (50000, 50000, "50,000 / 50,000 (100.0%)"),
    ],
)
def test_progress_names_the_share_where_the_total_is_known(iteration, total, text):
    assert units.progress(iteration, total) == text


def test_a_ratio_has_two_decimals():
    assert units.ratio(1.6159) == "1.62x"


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (2.13456, "2.135"), (11.0, "11.00"), (1234.5, "1,234"), (0.0, "0.000"), (-2.5, "-2.500"),
        (0.00012345, "0.0001234"),
        (3.2e-5, "3.200e-05"), (4.5e7, "4.500e+07"), (math.nan, "NaN"), (math.inf, "infinite"), (-math.inf, "infinite"),
    ],
)  # fmt: skip
def test_a_number_keeps_four_significant_digits(value, text):
    assert units.significant(value) == text


@pytest.mark.parametrize(("ms", "text"), [(408.4, "0.408"), (11100, "11.1"), (661, "0.661")])
def test_a_time_per_iteration_has_three_digits_in_seconds(ms, text):
    assert units.seconds_per_iteration(ms) == text


@pytest.mark.parametrize(
    ("octets", "text"),
    [(0, "0 B"), (999, "999 B"), (2e3, "2.0 kB"), (82e9, "82 GB"), (1.9e12, "1.9 TB"), (5e15, "5,000 TB")],
)
def test_a_size_has_two_digits_at_least(octets, text):
    assert units.size(octets).replace(units.NBSP, " ") == text


def test_times_without_a_zone_of_the_reader_name_utc():
    at = 1795513955
    assert units.utc_time(at) == "09:52:35 UTC"
    assert units.utc_time(at, seconds=False) == "09:52 UTC"
    assert units.utc_date(at) == "Tue 24 Nov"
