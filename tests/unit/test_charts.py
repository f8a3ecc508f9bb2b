"""A chart shows how long iterations took, the loss, and what people were told when, in a picture for a phone."""

from __future__ import annotations

import io
import math
import struct
import subprocess
import sys
from itertools import pairwise
from pathlib import Path

import pytest
from matplotlib.image import imread

from monitor_core.errors import CommandError
from monitor_core.model.incidents import Kind, Phase, Severity
from monitor_core.notify.axis import Axis
from monitor_core.notify.charts import (
    Alert,
    Chart,
    Clock,
    Sample,
    Span,
    losses,
    odd_losses,
    png,
    silences,
    thin,
    times,
)
from monitor_core.notify.drawing import figure
from monitor_core.track.trace import Launch, Line

ROOT = Path(__file__).parents[2]
T0 = 1_795_514_400.0  # Tue 24 Nov 2026 10:00 UTC
BLUE, BROWN, INK, WHITE = (0x00, 0x72, 0xB2), (0xBF, 0x4B, 0x00), (0x1D, 0x1C, 0x1D), (255, 255, 255)


def lines(times_ms, *, first=1, at=T0, launch=1, losses=None, usual=1000.0, apart=10.0):
    """Progress lines, one each `apart` seconds."""
    return [
        Line(
            at + apart * n,
            launch,
            first + n,
            ms,
            3.0 - n / 100 if losses is None else losses[n],
            usual,
            apart if n else None,
            apart,
        )
        for n, ms in enumerate(times_ms)
    ]


def alert(name="SLOW 1.60x", kind=Kind.SLOW, severity=Severity.WARNING, since=80, until=119, **others):
    """An alert that spans some lines, told after three of them."""
    since, until = T0 + 10 * since, T0 + 10 * until
    told = min(since + 30, until)
    return Alert(name, kind, severity, since, told, until, **{"usual": 1.0 if kind is Kind.SLOW else None, **others})


def slowed(*alerts, name="llama", **others):
    return Chart(name, lines([*[1000.0] * 80, *[1600.0] * 40]), 1.1, alerts, **others)


def texts(made):
    return [text for panel in made.axes for text in panel.texts if text.get_text()]


def words(chart):
    return " | ".join(text.get_text() for text in texts(figure(chart)))


def check_places(made):
    """Nothing that is written covers anything else that is, or leaves the picture, or is too small for a phone."""
    made.canvas.draw()
    ticks = [text for panel in made.axes[1:] for text in panel.get_yticklabels() if text.get_text()]
    written = [*texts(made), *ticks]
    places = [(text.get_text(), text.get_window_extent()) for text in written]
    assert min(text.get_fontsize() * 200 / 72 * 360 / 1200 for text in written) >= 12
    for text, place in places:
        assert (place.x0 >= 0, place.x1 <= 1200, place.y0 >= -1, place.y1 <= 1120) == (True,) * 4, text
    # Descenders of one row may reach into the air of the next.
    boxes = [(text, place.padded(-4)) for text, place in places]
    assert [(a, b) for n, (a, here) in enumerate(boxes) for b, there in boxes[:n] if here.overlaps(there)] == []


class Picture:
    """A chart as it was drawn; colours are asked for by the moment and value where they are looked for."""

    def __init__(self, chart):
        self.axis = Axis(chart)
        self.bytes = png(chart)
        self.pixels = (imread(io.BytesIO(self.bytes))[:, :, :3] * 255).round().astype(int)
        self.panels = figure(chart).axes[1:]

    def at(self, line, value, panel=0):
        """Return the colour at the moment of a line and a value."""
        x, y = self.panels[panel].transData.transform((self.axis.place(T0 + 10 * line), value))
        return tuple(int(part) for part in self.pixels[round(len(self.pixels) - y), round(x)])

    def has(self, colour, left, right, panel=0):
        """Whether the colour stands between the moments of two lines of a panel."""
        box = self.panels[panel].get_window_extent()
        places = [(self.axis.place(T0 + 10 * line), 0.0) for line in (left, right)]
        x, _ = self.panels[panel].transData.transform(places).T
        height = len(self.pixels)
        part = self.pixels[height - round(box.y1) : height - round(box.y0), round(x[0]) : round(x[1])]
        return bool((abs(part - colour).sum(axis=2) < 12).any())


def test_a_chart_is_a_png_of_the_promised_size():
    picture = png(slowed(alert()))
    assert picture[:8] == b"\x89PNG\r\n\x1a\n"
    assert struct.unpack(">II", picture[16:24]) == (1200, 1120)


def test_what_is_usual_is_blue_and_what_was_told_to_be_slow_is_brown_and_has_marks_of_its_own():
    chart = slowed(alert())
    picture = Picture(chart)
    assert picture.at(60, 1.0) == BLUE
    assert picture.at(100, 1.6) == BROWN
    assert not picture.has(BROWN, 1, 15)
    marks = {line.get_marker() for line in figure(chart).axes[1].lines}
    assert {"o", "D"} <= marks


def test_what_was_not_told_to_be_slow_is_not_drawn_as_such():
    assert Picture(slowed()).at(100, 1.6) == BLUE


def test_values_alerts_and_facts_are_written_in_the_picture():
    shown = words(slowed(alert(), state="training", facts=("1 alert", "megatron")))
    for text in (
        "llama: training",
        "1 alert, megatron",
        "SLOW 1.60x, warning",
        "seconds per iteration",
        "usual 1.00 s",
        "limit 1.10 s (1.10x)",
        "1.60 s (1.60x)\nsince 81",
        "loss: 3.000 to 1.810",
        "UTC, Tue 24 Nov, and iteration",
        "10:10\n61",
    ):
        assert text in shown


def test_the_usual_time_and_the_limit_are_drawn_as_they_were_at_each_moment():
    learned = [*lines([1000.0] * 20, usual=None), *lines([1000.0] * 40, first=21, at=T0 + 200)]
    ramped = [*learned, *lines([2000.0] * 60, first=61, at=T0 + 600, usual=2000.0)]
    made = figure(Chart("llama", ramped, 1.1))
    axis = Axis(Chart("llama", ramped, 1.1))
    (limit,) = (line for line in made.axes[1].lines if line.get_linestyle() == "--")
    (usual,) = (line for line in made.axes[1].lines if line.get_linewidth() == 5)
    assert limit.get_drawstyle() == usual.get_drawstyle() == "steps-post"
    drawn = dict(zip(limit.get_xdata(), limit.get_ydata(), strict=True))
    assert min(drawn) == axis.place(T0 + 200)
    assert drawn[axis.place(T0 + 590)] == pytest.approx(1.1)
    assert drawn[axis.place(T0 + 600)] == pytest.approx(2.2)
    assert list(usual.get_ydata()[[0, -1]]) == [1.0, 2.0]


def test_the_interval_of_an_alert_is_shaded_in_both_panels():
    told, untold = Picture(slowed(alert())), Picture(slowed())
    for panel, value in ((0, 1.3), (1, 2.9)):
        assert told.at(101, value, panel) != WHITE
        assert told.at(40, value, panel) == untold.at(101, value, panel) == WHITE


def test_a_warning_that_becomes_critical_is_said_and_changes_its_shade_then():
    stuck = alert("STUCK 10m", Kind.STUCK, Severity.CRITICAL, 30, 90, worse=T0 + 600)
    chart = slowed(stuck)
    assert "STUCK 10m, warning, then critical" in words(chart)
    picture = Picture(chart)
    assert picture.at(45, 2.9, 1) == picture.at(55, 2.9, 1) != picture.at(65, 2.9, 1) == picture.at(85, 2.9, 1)


def test_the_bar_of_an_alert_is_empty_until_people_were_told():
    chart = slowed(alert("STUCK 10m", Kind.STUCK, Severity.WARNING, 30, 90))
    axis = Axis(chart)
    hollow, filled = [patch for patch in figure(chart).axes[0].patches if patch.get_height() == 13]
    assert hollow.get_facecolor()[:3] == (1.0, 1.0, 1.0) != filled.get_facecolor()[:3]
    assert filled.get_x() - hollow.get_x() == pytest.approx(
        (axis.place(T0 + 330) - axis.place(T0 + 300)) * (1200 - 24 - 158) / 1.024
    )


def test_a_warning_that_became_critical_between_its_end_and_the_look_at_it_shows_both():
    late = alert("STUCK 25 s", Kind.STUCK, Severity.CRITICAL, 30, 60, worse=T0 + 620)
    shades = {patch.get_facecolor() for patch in figure(slowed(late)).axes[0].patches if patch.get_height() == 13}
    assert len(shades) == 3


def test_an_alert_between_two_lines_can_still_be_seen():
    chart = Chart("llama", lines([1000.0] * 5000), 1.1, [alert("STUCK", Kind.STUCK, Severity.CRITICAL, 2500, 2501)])
    picture = Picture(chart)
    assert picture.at(2501, 1.07) != WHITE
    assert picture.at(2400, 1.07) == WHITE


def test_phases_are_shaded_and_named_once_with_their_number():
    spans = [Span(Phase.STARTING, T0 - 300, T0)]
    for begin in (20, 50, 80):
        spans.append(Span(Phase.TRAINING, spans[-1].until, T0 + 10 * begin))
        spans.append(Span(Phase.CHECKPOINTING, T0 + 10 * begin, T0 + 10 * begin + 60))
    chart = slowed(phases=[*spans, Span(Phase.EVALUATING, T0 + 1000, T0 + 1100)])
    shown = words(chart)
    assert ("starting" in shown, "3 checkpoints" in shown, "1 evaluation" in shown) == (True,) * 3
    picture = Picture(chart)
    assert picture.at(23, 1.3) == picture.at(53, 1.3) != WHITE
    assert picture.at(-10, 1.3) not in {WHITE, picture.at(23, 1.3)}
    assert picture.at(40, 1.3) == WHITE


def test_an_ending_that_takes_no_time_is_no_phase():
    chart = slowed(phases=[Span(Phase.TRAINING, T0, T0 + 1190), Span(Phase.ENDING, T0 + 1190, T0 + 1190)])
    assert "ending" not in words(chart)


def test_a_launch_is_a_line_with_what_was_resumed_and_done_again():
    again = [*lines([1000.0] * 40), *lines([1000.0] * 40, first=31, at=T0 + 400, launch=2)]
    chart = Chart("llama", again, 1.1, launches=[Launch(1, T0), Launch(2, T0 + 400, 30, 10)])
    assert "launch 2, resumed from 30, 10 redone" in words(chart)
    for panel in figure(chart).axes[1:]:
        places = [line.get_xdata()[0] for line in panel.lines if len(set(line.get_xdata())) == 1]
        assert Axis(chart).place(T0 + 400) in places


def test_launches_are_not_joined_by_a_line():
    chart = Chart("llama", [*lines([1000.0] * 30), *lines([1000.0] * 30, first=11, at=T0 + 300, launch=2)], 1.1)
    axis, drawn = Axis(chart), figure(chart).axes[1].lines
    blue = [line for line in drawn if line.get_color() == "#0072B2"]
    ends = [(line.get_xdata()[0], line.get_xdata()[-1]) for line in blue]
    assert ends == [tuple(axis.places([T0, T0 + 290])), tuple(axis.places([T0 + 300, T0 + 590]))]


def hung(seconds):
    return Chart("llama", [*lines([1000.0] * 60), *lines([1000.0] * 60, first=61, at=T0 + 600 + seconds)], 1.1)


def test_a_silence_has_the_width_that_it_lasted_and_no_line_crosses_it():
    chart = hung(600)
    axis = Axis(chart)
    assert silences(chart) == [(T0 + 590, T0 + 1200)]
    assert axis.cuts == []
    assert axis.place(T0 + 1200) - axis.place(T0 + 590) == pytest.approx(610 / 1790)
    for panel in figure(chart).axes[1:]:
        crossing = [
            (here, after)
            for line in panel.lines
            if line.get_color() in {"#0072B2", "#1D1C1D"} and line.get_linestyle() == "-"
            for here, after in pairwise(line.get_xdata())
            if here <= axis.place(T0 + 590) < axis.place(T0 + 1200) <= after
        ]
        assert crossing == []


def test_a_silence_that_would_leave_no_room_for_the_rest_is_shortened_and_says_so():
    chart = hung(9 * 3600)
    axis = Axis(chart)
    assert axis.place(T0 + 600 + 9 * 3600) - axis.place(T0 + 590) == pytest.approx(0.6, abs=0.01)
    assert "9h without a line, shortened" in words(chart)
    moments = [T0 + each for each in (0, 300, 590, 1000, 33_000, 33_200)]
    assert axis.places(moments) == sorted(axis.places(moments))


def test_months_between_launches_leave_room_for_what_was_heard():
    month = 30 * 86400
    runs = [lines([1000.0] * 50, at=T0 + n * month, first=40 * n + 1, launch=n + 1) for n in range(4)]
    chart = Chart("llama", [line for run in runs for line in run], 1.1)
    axis = Axis(chart)
    assert len(axis.cuts) == 3
    heard = [axis.place(run[-1].at) - axis.place(run[0].at) for run in runs]
    assert sum(heard) == pytest.approx(0.4, abs=0.01)
    check_places(figure(chart))


@pytest.mark.parametrize(
    ("apart", "labels"),
    [
        (0.1, ["10:00:00", "10:00:05", "10:00:10"]),
        (10.0, ["10:00", "10:05", "10:10", "10:15"]),
        (3600.0, ["25 Nov", "26 Nov", "27 Nov", "28 Nov", "29 Nov"]),
    ],
)
def test_times_are_written_in_round_numbers(apart, labels):
    chart = Chart("llama", lines([1000.0] * 120, apart=apart))
    assert [text.partition("\n")[0] for _, text in Axis(chart).ticks()] == labels


def test_a_log_without_dates_counts_from_its_start():
    chart = Chart("llama", lines([1000.0] * 120, at=7.0), clock=Clock.ELAPSED)
    assert [text for _, text in Axis(chart).ticks()] == ["0s\n1", "5m\n31", "10m\n61", "15m\n91"]
    assert "time since the start, and iteration" in words(chart)


def test_a_log_without_times_is_drawn_by_iteration():
    untimed = [Line(float(n), 1, n, None, 2.0 + 1 / n) for n in range(1, 201)]
    chart = Chart("llama", untimed, clock=Clock.NONE)
    assert [text for _, text in Axis(chart).ticks()] == ["50", "100", "150", "200"]


def test_where_no_line_tells_a_time_the_seconds_between_lines_are_drawn():
    chart = Chart("llama", lines([None] * 60))
    shown = words(chart)
    assert ("seconds between lines" in shown, "usual 10.0 s" in shown) == (True, True)
    assert Picture(chart).at(30, 10.0) == BLUE
    assert "no line tells of a time per iteration" in words(Chart("llama", lines([None] * 60), clock=Clock.ELAPSED))


@pytest.mark.parametrize(
    ("last", "word"), [(math.nan, "NaN"), (math.inf, "infinite"), (-math.inf, "infinite"), (None, "not printed")]
)
def test_a_loss_that_is_not_finite_is_crossed_out_with_where_it_began(last, word):
    chart = Chart("llama", lines([1000.0] * 40, losses=[*[2.5] * 30, *[last] * 10]), 1.1)
    assert [iteration for _, iteration, _ in odd_losses(chart)] == list(range(31, 41))
    assert f"loss: 2.500, then {word} from 31" in words(chart)
    picture = Picture(chart)
    assert picture.has(BROWN, 30, 39, panel=1)
    assert not picture.has(BROWN, 1, 20, panel=1)


def test_a_loss_that_is_a_number_again_says_from_where_to_where_it_was_none():
    chart = Chart("llama", lines([1000.0] * 40, losses=[*[2.5] * 10, *[math.nan] * 5, *[2.0] * 25]), 1.1)
    assert "loss: 2.500 to 2.000, NaN from 11 to 15" in words(chart)
    assert not Picture(chart).has(INK, 9.6, 14.4, panel=1)


def test_a_log_that_tells_the_loss_now_and_then_lacks_nothing():
    chart = Chart("llama", lines([1000.0] * 40, losses=[2.0 if n % 10 == 0 else None for n in range(40)]), 1.1)
    assert odd_losses(chart) == []
    assert len(losses(chart)) == 4


def test_a_log_that_never_tells_of_a_loss_says_so():
    chart = Chart("llama", lines([1000.0] * 40, losses=[None] * 40), 1.1)
    assert odd_losses(chart) == []
    assert "no line tells of a loss" in words(chart)


def test_a_loss_that_spans_decades_is_on_a_logarithmic_scale():
    falling = [11 * math.exp(-n / 20) + 0.01 for n in range(200)]
    assert figure(Chart("llama", lines([1000.0] * 200, losses=falling))).axes[2].get_yscale() == "log"
    assert figure(slowed()).axes[2].get_yscale() == "linear"


def test_one_spike_does_not_flatten_the_loss_and_is_told_with_its_value():
    spiked = [2.0 + math.exp(-n / 20) for n in range(100)]
    spiked[60] = 800.0
    chart = Chart("llama", lines([1000.0] * 100, losses=spiked))
    assert figure(chart).axes[2].get_ylim()[1] < 10
    assert "800 at 61" in words(chart)


def test_one_long_iteration_does_not_flatten_the_rest_and_is_told_with_its_value():
    chart = Chart("llama", lines([*[1000.0, 1040.0] * 50, 60_000.0, *[1000.0, 1040.0] * 50]), 1.1)
    _, top = figure(chart).axes[1].get_ylim()
    assert top < 2
    assert "60.0 s at 101" in words(chart)


STUCKS = [
    alert(f"STUCK {n}m", Kind.STUCK, Severity.CRITICAL, 9 * n, 9 * n + 3, worse=T0 + 90 * n + 20) for n in range(12)
]


@pytest.mark.parametrize(
    "chart",
    [
        slowed(),
        slowed(alert(), state="training", facts=("1 alert", "megatron", "iteration 120 of 200")),
        slowed(*STUCKS, name="a_very_long_name_of_a_training_log_2026-11-24_on_gpu-01.log", state="finished"),
        slowed(
            *STUCKS[:2], alert(since=10), facts=("2 alerts", "a format with a long name", "iteration 120", "2 launches")
        ),
        slowed(
            alert("FINISHED in 21m", Kind.FINISHED, Severity.INFO, 119, 119),
            phases=[Span(Phase.STARTING, T0 - 200, T0), Span(Phase.CHECKPOINTING, T0 + 400, T0 + 500)],
            launches=[Launch(n, T0 + 200 * n, 10 * n, 5) for n in range(6)],
        ),
        Chart("x", lines([1000.0]), 1.1),
        Chart("x", lines([1000.0, 1001.0]), 1.1),
        Chart("x", lines([12.34] * 80, usual=12.34, losses=[0.00001] * 80), 1.005),
        Chart("x", lines([4e6] * 80, usual=4e6, losses=[1234567.0] * 80), 1.1, until=T0 + 86400),
        hung(86400 * 3),
    ],
)
def test_nothing_covers_anything_and_all_is_inside_and_large_enough_for_a_phone(chart):
    check_places(figure(chart))


@pytest.mark.parametrize("slow", [1100.1, 1120.0, 1600.0, 4000.0])
@pytest.mark.parametrize("healthy", [30, 60, 90])
def test_words_of_limit_usual_and_slow_stretch_do_not_cover_each_other(slow, healthy):
    told = alert(since=healthy, name=f"SLOW {slow / 1000:.2f}x")
    chart = Chart("llama", lines([*[1000.0] * healthy, *[slow] * (120 - healthy)]), 1.1, [told])
    check_places(figure(chart))
    assert all(text in words(chart) for text in ("usual 1.00 s", "limit 1.10 s", f"since {healthy + 1}"))


def test_alerts_without_room_for_their_names_have_bars_and_are_counted():
    alerts = [alert(f"STUCK {n}m", Kind.STUCK, Severity.WARNING, 5 * n, 5 * n + 1) for n in range(20)]
    chart = slowed(*alerts)
    named = words(chart).count("STUCK")
    assert 6 <= named < 20
    assert f"{20 - named} alerts without a name" in words(chart)
    assert len({patch.get_x() for patch in figure(chart).axes[0].patches}) >= 20


def test_a_time_that_was_not_told_is_left_out():
    assert [sample.iteration for sample in times(Chart("llama", lines([1000.0, None, 1000.0])))] == [1, 3]


@pytest.mark.parametrize("chart", [Chart("llama", lines([1000.0])), Chart("llama", lines([None], losses=[math.nan]))])
def test_one_line_is_enough(chart):
    assert struct.unpack(">II", png(chart)[16:24]) == (1200, 1120)


def test_what_looks_like_a_formula_in_a_name_is_none():
    assert "a$x^$b.log" in words(slowed(name="a$x^$b.log"))
    png(slowed(name="a$x^$b.log"))


@pytest.mark.parametrize("chart", [Chart("llama", []), Chart("llama", lines([None], losses=[None]))])
def test_nothing_to_draw_is_told_in_a_sentence(chart):
    with pytest.raises(CommandError, match=r"^There is nothing to draw: no line tells"):
        png(chart)


def samples(values):
    return [Sample(1, T0 + n, n, value) for n, value in enumerate(values)]


def test_thinning_keeps_extremes_ends_and_order():
    values = [1000.0 + n % 7 for n in range(50_000)]
    values[12_345], values[40_001] = 9000.0, 10.0
    kept = thin(samples(values), [n / 49_999 for n in range(50_000)], 2000)
    assert 1000 < len(kept) <= 2000
    assert kept == sorted(kept)
    assert {0, 12_345, 40_001, 49_999} <= set(kept)


def test_few_samples_are_not_thinned():
    assert thin(samples([1.0] * 120), [0.0] * 120, 120) == list(range(120))


def test_a_long_run_is_drawn_with_few_points_and_its_one_spike():
    values = [1000.0 + n % 7 for n in range(30_000)]
    values[20_000] = 90_000.0
    chart = Chart("llama", lines(values), 1.1)
    assert sum(len(line.get_xdata()) for panel in figure(chart).axes for line in panel.lines) < 12_000
    assert "90.0 s at 20,001" in words(chart)


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
