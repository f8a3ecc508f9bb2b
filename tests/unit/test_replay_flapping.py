"""Replaying a recording whose trouble comes and goes."""

from __future__ import annotations

from pathlib import Path

import pytest

from monitor_core.cli.charted import chart_of
from monitor_core.replay.recording import read
from monitor_core.replay.simulate import simulate
from monitor_core.thresholds import Preset
from tests.support.training import values
from tests.unit.test_replay import lines


def swings(times, *, silent=160.0, well=13):
    """Return a training that falls silent for nearly three minutes, again and again, and goes on for two."""
    pieces = lines(60)
    for _ in range(times):
        pieces += lines(well, first=len(pieces) + 1, began=pieces[-1][0] + silent)
    return pieces


def test_what_comes_and_goes_flaps_until_it_is_calm_and_what_that_holds_back_is_listed_too(replay, written):
    pieces = swings(5)
    report = replay(*written([*pieces, *lines(150, first=len(pieces) + 1, began=pieces[-1][0])]))
    assert [incident["kind"] for incident in report["incidents"]] == ["stuck"] * 3 + ["flapping"] + ["stuck"] * 2
    flapping = report["incidents"][3]
    assert flapping["severity"] == "warning"
    third, last = report["incidents"][2], report["incidents"][5]
    assert flapping["at"] == third["resolved_at"]
    assert 86 < flapping["iteration"] < 100
    assert 0 <= flapping["resolved_at"] - (last["resolved_at"] + 1200) <= 60
    assert flapping["summary"].replace("\u00a0", " ").startswith("FLAPPING 40m. STUCK fired and resolved 3 times since")


@pytest.mark.parametrize(("times", "options"), [(2, []), (5, ["--set", "flapping=5m"]), (5, ["--preset", "seed"])])
def test_what_comes_and_goes_rarely_does_not_flap(replay, written, times, options):
    report = replay(*written(swings(times)), *options)
    assert {incident["kind"] for incident in report["incidents"]} == {"stuck"}


def test_what_flaps_is_drawn_where_that_began(written, tmp_path):
    log, _, rows = written(swings(4))
    recording = read(Path(log), Path(rows), "auto")
    chart = chart_of("x", values(), recording, simulate(recording, values(), Preset.DEFAULT, "auto", 60.0, 0.0))
    (flapping,) = (alert for alert in chart.alerts if alert.name.startswith("FLAPPING"))
    first = next(alert for alert in chart.alerts if alert.name.startswith("STUCK"))
    assert first.since <= flapping.since <= first.until < flapping.told <= flapping.until == chart.until
