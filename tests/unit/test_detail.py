"""The page of one run."""

from __future__ import annotations

import pytest

from bot.detail import run_page
from monitor_core.model.incidents import Kind
from tests.support.answers import AT_1115, HOUR, MINUTE, NO_BREAK, NOW, buttons, incident, mute, run, shown, understood


def test_the_page_of_a_run_that_is_well():
    page = run_page(
        run(
            "moe",
            loss=2.0714,
            ms_per_iteration=661.0,
            usual_ms=408.0,
            checkpoint=12000,
            checkpoint_at=NOW - MINUTE,
            started_at=NOW - HOUR,
            launches=2,
        ),
        NOW,
    )
    assert shown(page).splitlines() == [
        ":large_green_circle: moe running",
        "*Iteration*  12,400 / 50,000 (24.8%)",
        "*Loss*  2.071",
        f"*Speed*  0.661{NO_BREAK}s per iteration, usually 0.408{NO_BREAK}s",
        "*ETA*  <!date^1795518950^{time}|11:15 UTC>",
        "*Host*  gpu-07 (192.0.2.7)",
        "*Checkpoint*  12,000 at <!date^1795515290^{time}|10:14 UTC>",
        "*Started*  <!date^1795511750^{time}|09:15 UTC>, launch 2",
        "*Muted*  no",
        "*Seen*  last line <!date^1795515315^{time_secs}|10:15:15 UTC>",
        "*Owner*  <@U034BOB>",
        *("Mute 1h", "Thresholds", "Refresh"),
        f"Data 9{NO_BREAK}s old",
    ]
    understood(page)


def test_the_page_says_what_is_wrong_and_who_is_on_it():
    slow = incident(
        Kind.SLOW,
        facts={"factor": 1.62, "usual_ms": 408.0, "now_ms": 661.0, "since_iteration": 12400},
        acknowledged_by="slack:U056CAROL",
        acknowledged_at=NOW - MINUTE,
    )
    page = run_page(run("moe", incidents=(slow,), mutes=(mute(),), clock_skew=-3600.0), NOW)
    lines = shown(page).splitlines()
    assert lines[0] == ":eyes: moe SLOW 1.62x 23m · critical"
    assert lines[1] == (
        "*Acknowledged by <@U056CAROL> at <!date^1795515290^{time}|10:14 UTC>.*"
        " *SLOW since <!date^1795513970^{time_secs}|09:52:50 UTC>*, critical (incident 4127)."
        f" Takes 0.408 → 0.661{NO_BREAK}s per iteration since iteration 12,400."
    )
    assert "*Muted*  until <!date^1795522550^{time}|12:15 UTC> by <@U012ALICE> · fan &lt;swap&gt;" in lines
    assert any(line.endswith("its clock is 1h behind") for line in lines)
    assert buttons(page) == {"Unmute": "unmute moe", "Thresholds": "threshold show moe", "Refresh": "run moe"}
    assert page.text.startswith("moe SLOW 1.62x 23m · critical on gpu-07. 12,400 / 50,000 (24.8%).")


@pytest.mark.parametrize(
    ("trouble", "eta"),
    [
        (incident(), f"{AT_1115} → <!date^1795520330^{{time}}|11:38 UTC> (+23m and growing)"),
        (
            incident(Kind.SLOW, facts={"factor": 1.5}),
            f"{AT_1115} → <!date^1795520767^{{time}}|11:46 UTC> (+30m) if it stays",
        ),
    ],
)
def test_what_a_run_loses_by_its_trouble_shows_in_its_eta(trouble, eta):
    page = run_page(run("moe", incidents=(trouble,)), NOW)
    assert f"*ETA*  {eta}" in shown(page).splitlines()
    assert f"ETA {eta}" in page.text


def test_a_pace_that_is_as_usual_is_not_told_twice():
    text = shown(run_page(run("moe", ms_per_iteration=408.0, usual_ms=408.2), NOW))
    assert f"*Speed*  0.408{NO_BREAK}s per iteration" in text.splitlines()


def test_the_page_of_a_stuck_run_names_the_limit():
    text = shown(run_page(run("moe", incidents=(incident(facts={"limit": 120.0}),)), NOW))
    assert "critical (incident 4127). The limit is 2m." in text


def test_what_nobody_is_on_can_be_acknowledged():
    assert buttons(run_page(run("moe", incidents=(incident(),)), NOW))["Acknowledge"] == "ack moe"


def test_the_page_of_a_run_that_was_never_seen():
    nothing = {"iteration": None, "total": None, "seen_at": None, "eta": None, "last_line_at": None}
    text = shown(run_page(run("moe", "unknown", **nothing), NOW))
    assert ":large_purple_square: moe unknown" in text
    assert "*Iteration*  none yet" in text
    assert "no line yet" in text
    assert text.endswith("No data yet")
