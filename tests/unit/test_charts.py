"""A chart shows how long iterations took, the loss, and what people were told, in a picture that a phone can show."""

from __future__ import annotations

import io
import math
import struct
import subprocess
import sys
from pathlib import Path

import pytest
from matplotlib.image import imread

from monitor_core.errors import CommandError
from monitor_core.model.incidents import Severity
from monitor_core.model.records import Progress
from monitor_core.notify.charts import Alert, Chart, losses, odd_losses, png, thin, times
from monitor_core.notify.drawing import figure

ROOT = Path(__file__).parents[2]
BLUE, BROWN, WHITE = (0x00, 0x72, 0xB2), (0xBF, 0x4B, 0x00), (255, 255, 255)
SLOW = Alert("SLOW 1.60x", Severity.WARNING, 81, 120)


def lines(times_ms, *, first=1, losses=None):
    return [
        Progress(first + n, ms_per_iteration=ms, loss=3.0 - n / 100 if losses is None else losses[n])
        for n, ms in enumerate(times_ms)
    ]


def slowed(*alerts, name="llama"):
    return Chart(name, lines([*[1000.0] * 80, *[1600.0] * 40]), usual=1.0, limit=1.1, alerts=alerts)


def words(chart):
    made = figure(chart)
    shown = [text for panel in made.axes for text in [*panel.texts, panel.title, panel._left_title, panel.xaxis.label]]
    return " | ".join(text.get_text() for text in shown if text.get_text())


class Picture:
    """A chart as it was drawn; colours are asked for by the iteration and value where they are looked for."""

    def __init__(self, chart):
        self.bytes = png(chart)
        self.pixels = (imread(io.BytesIO(self.bytes))[:, :, :3] * 255).round().astype(int)
        self.panels = figure(chart).axes

    def at(self, iteration, value, panel=0):
        x, y = self.panels[panel].transData.transform((iteration, value))
        return tuple(int(part) for part in self.pixels[round(len(self.pixels) - y), round(x)])

    def has(self, colour, left, right, panel=0):
        """Whether the colour stands between two iterations of a panel."""
        box = self.panels[panel].get_window_extent()
        x, _ = self.panels[panel].transData.transform([(left, 0.0), (right, 0.0)]).T
        height = len(self.pixels)
        part = self.pixels[height - round(box.y1) : height - round(box.y0), round(x[0]) : round(x[1])]
        return bool((abs(part - colour).sum(axis=2) < 12).any())


def test_a_chart_is_a_png_of_the_promised_size():
    picture = png(slowed(SLOW))
    assert picture[:8] == b"\x89PNG\r\n\x1a\n"
    assert struct.unpack(">II", picture[16:24]) == (1200, 1120)


def test_what_is_usual_is_blue_and_what_is_slow_is_brown():
    picture = Picture(slowed())
    assert picture.at(60, 1.0) == BLUE
    assert picture.at(100, 1.6) == BROWN
    assert not picture.has(BROWN, 1, 15)
    assert not picture.has(BLUE, 82, 119)


def test_what_is_slow_has_a_marker_of_its_own():
    markers = {line.get_marker(): list(line.get_xdata()) for line in figure(slowed()).axes[0].lines}
    assert {"o", "D"} <= markers.keys()
    assert markers["D"]
    assert min(markers["D"]) == 81


def test_a_slow_stretch_with_short_recoveries_is_one():
    chart = Chart("llama", lines([*[1000.0] * 50, *[1150.0, 1150.0, 1090.0] * 20]), 1.0, 1.1)
    assert "1.15 s (1.15x)\nsince iteration 51" in words(chart)


def test_single_slow_iterations_are_no_stretch():
    chart = Chart("llama", lines([*[1000.0] * 9, 1500.0] * 10), 1.0, 1.1)
    assert "since iteration" not in words(chart)


def test_words_of_limit_and_slow_stretch_and_names_do_not_cover_each_other():
    for slow in (1100.1, 1120.0, 1600.0, 4000.0):
        for healthy in (30, 60, 90):
            told = [Alert(f"SLOW {n}", Severity.WARNING, n, n + 5) for n in (1, 20, 40, healthy)]
            chart = Chart("llama", lines([*[1000.0] * healthy, *[slow] * (120 - healthy)]), 1.0, 1.1, told)
            places = [text.get_window_extent() for text in figure(chart).axes[0].texts]
            assert not any(a.overlaps(b) for n, a in enumerate(places) for b in places[:n]), (slow, healthy)


def test_the_interval_of_an_alert_is_shaded_in_both_panels():
    told, untold = Picture(slowed(SLOW)), Picture(slowed())
    for panel, value in ((0, 1.3), (1, 2.9)):
        assert told.at(101, value, panel) != WHITE
        assert told.at(40, value, panel) == untold.at(101, value, panel) == WHITE


def test_an_alert_between_two_iterations_can_still_be_seen():
    chart = Chart("llama", lines([1000.0] * 5000), 1.0, 1.1, [Alert("STUCK 9m", Severity.CRITICAL, 2500, 2501)])
    picture = Picture(chart)
    assert picture.at(2485, 1.043) != WHITE
    assert picture.at(2400, 1.043) == WHITE


def test_values_and_alerts_are_written_in_the_picture():
    shown = words(slowed(SLOW))
    for text in (
        "llama: seconds per iteration",
        "usual 1.00 s",
        "warning limit 1.10 s (1.10x)",
        "1.60 s (1.60x)\nsince iteration 81",
        "SLOW 1.60x",
        "loss: 3.000 to 1.810",
    ):
        assert text in shown


def test_all_that_is_written_is_inside_and_at_least_12_px_high_on_a_phone():
    alerts = [Alert(f"STUCK {n}m", Severity.WARNING, 10 * n, 10 * n + 1) for n in range(12)]
    quick = lines([*[12.34] * 80, *[12.46] * 40], losses=[0.01] * 120)
    made = figure(Chart("a_very_long_name_of_a_training_log_2026-11-24.log", quick, 0.01234, 1.005, alerts))
    made.canvas.draw()
    drawn = [text for panel in made.axes for text in (*panel.texts, panel._left_title, panel.xaxis.label)]
    ticks = [text for panel in made.axes for text in (*panel.get_xticklabels(), *panel.get_yticklabels())]
    left, right = made.axes[0].get_xlim()
    ticks = [text for text in ticks if left <= text.get_position()[0] <= right]
    assert min(text.get_fontsize() * 200 / 72 * 360 / 1200 for text in (*drawn, *ticks) if text.get_text()) >= 12
    for text in (*drawn, *ticks):
        place = text.get_window_extent()
        assert (place.x0 >= 0, place.x1 <= 1200, place.y0 >= 0, place.y1 <= 1120) == (True,) * 4, text.get_text()


def test_names_of_alerts_do_not_cover_each_other_and_those_without_room_are_counted():
    alerts = [Alert(f"STUCK {n}m", Severity.WARNING, 5 * n, 5 * n + 1) for n in range(20)]
    made = figure(slowed(*alerts))
    places = [text.get_window_extent() for text in made.axes[0].texts if text.get_text().startswith("STUCK")]
    assert 3 <= len(places) < 20
    assert not any(a.overlaps(b) for n, a in enumerate(places) for b in places[:n])
    assert f"{20 - len(places)} without a name" in words(slowed(*alerts))


def test_one_long_iteration_does_not_flatten_the_rest_and_is_told_with_its_value():
    chart = Chart("llama", lines([*[1000.0, 1040.0] * 50, 60_000.0, *[1000.0, 1040.0] * 50]), 1.02, 1.1)
    _, top = figure(chart).axes[0].get_ylim()
    assert top < 2
    assert "60.0 s at iteration 101" in words(chart)


def test_the_first_iterations_of_each_launch_are_not_slow():
    launch = [*[5000.0] * 5, *[1000.0] * 30]
    chart = Chart("llama", [*lines(launch), *lines(launch, first=21)], 1.0, 1.1)
    assert not any(sample.slow for sample in times(chart))
    assert {sample.launch for sample in times(chart)} == {0, 1}


def test_launches_are_not_joined_by_a_line():
    chart = Chart("llama", [*lines([1000.0] * 30), *lines([1000.0] * 30, first=11)], 1.0, 1.1)
    lines_drawn = figure(chart).axes[0].lines
    blue = [line for line in lines_drawn if line.get_linewidth() and line.get_color() == "#0072B2"]
    assert [(line.get_xdata()[0], line.get_xdata()[-1]) for line in blue] == [(1, 30), (11, 40)]


@pytest.mark.parametrize(
    ("last", "word"), [(math.nan, "NaN"), (math.inf, "infinite"), (-math.inf, "infinite"), (None, "not printed")]
)
def test_a_loss_that_is_not_finite_is_marked_as_such(last, word):
    chart = Chart("llama", lines([1000.0] * 40, losses=[*[2.5] * 30, *[last] * 10]), 1.0, 1.1)
    assert [iteration for iteration, _ in odd_losses(chart)] == list(range(31, 41))
    shown = words(chart)
    assert f"loss: 2.500, then {word}" in shown
    assert f"{word} in 10 lines" in shown
    picture = Picture(chart)
    assert picture.has(BROWN, 31, 40, panel=1)
    assert not picture.has(BROWN, 1, 20, panel=1)


def test_a_log_that_never_tells_of_a_loss_says_so():
    chart = Chart("llama", lines([1000.0] * 40, losses=[None] * 40), 1.0, 1.1)
    assert odd_losses(chart) == []
    assert "no line tells of a loss" in words(chart)


def test_a_log_that_never_tells_of_times_shows_its_loss():
    chart = Chart("llama", lines([None] * 40))
    assert "no line tells of a time per iteration" in words(chart)
    assert Picture(chart).has((0x1D, 0x1C, 0x1D), 1, 40, panel=1)


def test_a_time_that_cannot_be_true_is_left_out():
    odd = [math.nan, math.inf, -1.0, 0.0, 1e12]
    assert [sample.iteration for sample in times(Chart("llama", lines([1000.0, *odd, 1000.0])))] == [1, 7]


@pytest.mark.parametrize("chart", [Chart("llama", lines([1000.0])), Chart("llama", lines([1000.0], losses=[math.nan]))])
def test_one_line_is_enough(chart):
    assert struct.unpack(">II", png(chart)[16:24]) == (1200, 1120)


def test_what_looks_like_a_formula_in_a_name_is_none():
    assert "a$x^$b.log: " in words(slowed(name="a$x^$b.log"))
    png(slowed(name="a$x^$b.log"))


@pytest.mark.parametrize("chart", [Chart("llama", []), Chart("llama", lines([None] * 3, losses=[None] * 3))])
def test_nothing_to_draw_is_told_in_a_sentence(chart):
    with pytest.raises(CommandError, match=r"^There is nothing to draw: no line tells"):
        png(chart)


def test_thinning_keeps_extremes_ends_and_order():
    values = [1000.0 + n % 7 for n in range(50_000)]
    values[12_345], values[40_001] = 9000.0, 10.0
    samples = times(Chart("llama", lines(values)))
    thinned = thin(samples, 2000)
    assert 1000 < len(thinned) <= 2000
    assert [thinned[0], thinned[-1]] == [samples[0], samples[-1]]
    assert {12_346, 40_002} <= {sample.iteration for sample in thinned}
    assert sorted(thinned, key=lambda sample: sample.iteration) == thinned


def test_few_samples_are_not_thinned():
    samples = losses(slowed())
    assert thin(samples, 120) == samples


def test_a_long_run_is_drawn_with_few_points():
    chart = Chart("llama", lines([1000.0 + n % 7 for n in range(30_000)]), 1.0, 1.1)
    assert sum(len(line.get_xdata()) for panel in figure(chart).axes for line in panel.lines) < 8000


_WITHOUT = """
import sys

class Absent:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] == "matplotlib":
            raise ModuleNotFoundError(f"No module named {name!r}")

sys.meta_path.insert(0, Absent())
from monitor_core.cli import main

sys.exit(main(sys.argv[1:]))
"""


def without_matplotlib(*arguments):
    command = [sys.executable, "-c", _WITHOUT, "replay", str(ROOT / "tests/data/megatron_stuck.log"), *arguments]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)


def test_without_matplotlib_one_is_told_what_to_install(tmp_path):
    done = without_matplotlib("--plot", str(tmp_path / "out.png"))
    assert done.returncode == 2
    assert done.stderr == (
        "A chart needs matplotlib (No module named 'matplotlib'):"
        " install it with `pip install 'trainstatus[charts]'`.\n"
    )
    assert "state: finished" in done.stdout
    assert not (tmp_path / "out.png").exists()


def test_without_a_chart_matplotlib_is_not_needed():
    assert without_matplotlib().returncode == 0
