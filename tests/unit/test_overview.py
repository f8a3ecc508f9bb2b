"""The overview of all runs."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bot.overview import overview
from monitor_core.model.incidents import Kind, Severity, Subject, SubjectKind
from monitor_core.model.views import (
    Overview,
)
from tests.support.answers import AT_1115, AT_1215, DAY, HOUR, NO_BREAK, NOW, host, incident, mute, run, seen


def test_the_overview_groups_runs_worst_first():
    text = seen(
        run("moe", incidents=(incident(),)),
        run("dense-13b", incidents=(incident(Kind.SLOW, facts={"factor": 1.62}, acknowledged_by="slack:U056CAROL"),)),
        run("distill", "unknown"),
        run("tok-1b", mutes=(mute("tok-1b"),)),
        run("sft-7b", "finished", loss=0.8421, ended_at=NOW - HOUR),
    )
    assert text.splitlines() == [
        "5 runs: 1 needs someone",
        "*Needs someone*",
        ":red_circle: *moe*  STUCK 23m · gpu-07",
        "*Acknowledged*",
        ":eyes: *dense-13b*  SLOW 1.62x 23m · <@U056CAROL>",
        "*Unknown, not stuck*",
        ":large_purple_square: *distill*  24.8% when last seen · gpu-07",
        "*Running*",
        f":large_green_circle: *tok-1b*  24.8% · ETA {AT_1115} · gpu-07 · :no_bell: until {AT_1215}",
        "*Finished in the last 24h*",
        ":checkered_flag: *sft-7b*  loss 0.8421 · ended <!date^1795511750^{time}|09:15 UTC>",
        *("Show a run", "moe", "dense-13b", "distill", "tok-1b", "sft-7b", "Refresh", "Share here"),
        f"At <!date^1795515350^{{time_secs}}|10:15:50 UTC> · data 9{NO_BREAK}s old · 1 of 1 hosts answer",
    ]


def test_the_text_of_the_overview_names_what_needs_someone_and_counts_the_rest():
    view = Overview(NOW, (run("moe", incidents=(incident(),)), run("a"), run("b", "unknown")), (host(),))
    assert overview(view).text == "3 runs: 1 needs someone (moe STUCK 23m), 1 unknown, 1 running."


@pytest.mark.parametrize(
    ("runs", "title"),
    [
        ((), "No runs are configured"),
        ((run("a"),), "1 run: none needs someone"),
        ((run("a"), run("b")), "2 runs: none needs someone"),
        ((run("a", incidents=(incident(),)), run("b", incidents=(incident(),))), "2 runs: 2 need someone"),
    ],
)
def test_the_title_counts_what_matters(runs, title):
    assert seen(*runs).splitlines()[0] == title


@pytest.mark.parametrize(
    ("kind", "severity", "line"),
    [
        (Kind.STUCK, Severity.WARNING, ":large_orange_diamond: *moe*  STUCK 23m · gpu-07"),
        (Kind.FAILED, Severity.CRITICAL, ":red_circle: *moe*  FAILED · gpu-07"),
        (Kind.STOPPED, Severity.WARNING, ":large_orange_diamond: *moe*  STOPPED EARLY · gpu-07"),
        (Kind.LOG_MISSING, Severity.WARNING, ":large_purple_square: *moe*  UNKNOWN 23m · gpu-07"),
        (Kind.FLAPPING, Severity.WARNING, ":arrows_counterclockwise: *moe*  FLAPPING 23m · gpu-07"),
        (Kind.LOSS_NAN, Severity.CRITICAL, ":red_circle: *moe*  NaN LOSS · gpu-07"),
    ],
)
def test_a_line_has_mark_word_and_measure(kind, severity, line):
    assert line in seen(run("moe", incidents=(incident(kind, severity),))).splitlines()


def test_a_finished_run_needs_nobody():
    done = run("moe", "finished", ended_at=NOW - HOUR, incidents=(incident(Kind.FINISHED, Severity.INFO),))
    assert "1 run: none needs someone" in seen(done)


def test_a_run_that_ended_long_ago_is_counted_and_not_shown():
    text = seen(run("moe", "finished", ended_at=NOW - 2 * DAY), run("a"))
    assert "*Ended before*\n1 not shown" in text
    assert "*moe*" not in text


def test_a_host_that_does_not_answer_is_told_once_with_its_runs():
    away = incident(Kind.UNREACHABLE, Severity.WARNING, starts_at=NOW - 180)
    away = replace(away, subject=Subject(SubjectKind.HOST, "gpu-07"))
    text = seen(
        run("a", "unknown", incidents=(away,)),
        run("b", "unknown", incidents=(away,)),
        hosts=(host(answers=False, runs=("a", "b"), incidents=(away,)),),
    )
    assert ":large_purple_square: *gpu-07*  UNREACHABLE 3m · 2 runs\n" in text
    assert "no data yet · 0 of 1 hosts answer" in text
    assert text.count("UNREACHABLE") == 1


def test_the_worst_comes_first_and_what_cannot_be_seen_last():
    away = incident(Kind.UNREACHABLE, Severity.WARNING)
    text = seen(
        run("slow", incidents=(incident(Kind.SLOW, Severity.WARNING, name="slow"),)),
        run("moe", incidents=(incident(),)),
        hosts=(host("gpu-12", answers=False, incidents=(replace(away, subject=Subject(SubjectKind.HOST, "gpu-12")),)),),
    )
    assert [line.split("*")[1] for line in text.splitlines()[2:5]] == ["moe", "slow", "gpu-12"]


def test_the_mute_of_a_host_is_shown_once_where_its_runs_cannot_be_seen():
    away = replace(incident(Kind.UNREACHABLE, Severity.WARNING), subject=Subject(SubjectKind.HOST, "gpu-07"))
    of_host, of_run = replace(mute(), subject=away.subject), mute("b", until=NOW + HOUR)
    text = seen(
        run("a", "unknown", incidents=(away,), mutes=(of_host,)),
        run("b", "unknown", incidents=(away,), mutes=(of_host, of_run)),
        hosts=(host(answers=False, runs=("a", "b"), incidents=(away,), mutes=(of_host,)),),
    )
    assert f"UNREACHABLE 23m · 2 runs · :no_bell: until {AT_1215}\n" in f"{text}\n"
    assert "*a*  24.8% when last seen · gpu-07\n" in text
    assert f"*b*  24.8% when last seen · gpu-07 · :no_bell: until {AT_1115}" in text


def test_trouble_of_the_monitor_itself_is_shown():
    trouble = incident(Kind.MONITOR_ERROR, Severity.WARNING)
    assert ":large_purple_square: *trainstatus*  MONITOR ERROR 23m · the monitor itself" in seen(incidents=(trouble,))


def test_more_than_twenty_runs_are_counted():
    text = seen(run("worst", incidents=(incident(),)), *(run(f"run-{n}") for n in range(31)))
    assert text.splitlines()[2].startswith(":red_circle: *worst*")
    assert text.count("large_green_circle") == 19
    assert "\nand 12 more\n" in text


def test_a_hundred_runs_with_long_names_still_fit():
    runs = [run(f"llama-{'x' * 60}-{n}", incidents=(incident(),), mutes=(mute(),)) for n in range(120)]
    assert "*llama-xxxxxxxxxx…" in seen(run("x" * 200), *runs)


def test_names_cannot_mention_anybody():
    assert "<!channel>" not in seen(run("<!channel>", incidents=(incident(),)))


def test_a_day_is_told_when_it_is_not_today():
    assert "{date_short_pretty} {time}" in seen(run("moe", eta=NOW + 3 * DAY))
