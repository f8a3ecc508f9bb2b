from __future__ import annotations

from dataclasses import replace

import pytest

from bot import answers, manual, messages
from bot.answers import Answer
from bot.detail import run_page
from bot.grammar import Verb, parse
from bot.overview import overview
from bot.words import Names
from monitor_core.errors import CommandError
from monitor_core.model.incidents import Incident, IncidentState, Kind, Mute, Phase, Severity, Subject, SubjectKind
from monitor_core.model.views import (
    AckAnswer,
    HostView,
    MuteAnswer,
    Overview,
    RunView,
    ThresholdChange,
    ThresholdView,
)
from tests.support import slack_rules

NOW = 1795515350.0  # 10:15:50 UTC, Tue 24 Nov
MINUTE, HOUR, DAY = 60.0, 3600.0, 86400.0
NO_BREAK = "\u00a0"
AT_1115, AT_1215 = "<!date^1795518950^{time}|11:15 UTC>", "<!date^1795522550^{time}|12:15 UTC>"
YESTERDAY = "<!date^1795428950^{date_short_pretty} {time}|Mon 23 Nov 10:15 UTC>"


def run(name: str, state: str = "training", **more) -> RunView:
    usual = {"iteration": 12400, "total": 50000, "seen_at": NOW - 9, "eta": NOW + HOUR, "last_line_at": NOW - 35}
    facts = {"host": "gpu-07", "address": "192.0.2.7", "owner": "U034BOB", "phase": Phase.TRAINING, **usual, **more}
    return RunView(name=name, state=state, **facts)


def incident(kind: Kind = Kind.STUCK, severity: Severity = Severity.CRITICAL, name: str = "moe", **more) -> Incident:
    facts = {"starts_at": NOW - 23 * MINUTE, "number": 4127, **more}
    return Incident(Subject(SubjectKind.RUN, name), kind, severity, IncidentState.FIRING, **facts)


def mute(name: str = "moe", **more) -> Mute:
    facts = {"until": NOW + 2 * HOUR, "by": "slack:U012ALICE", "created_at": NOW, "reason": "fan <swap>", **more}
    return Mute(1, Subject(SubjectKind.RUN, name), facts.pop("kind", None), **facts)


def host(name: str = "gpu-07", *, answers: bool = True, runs=("moe",), **more) -> HostView:
    return HostView(name, "192.0.2.7", answers, NOW - 9, runs, **more)


def seen(*runs: RunView, hosts=(), **more) -> str:
    return shown(overview(Overview(NOW, runs, hosts or (host(),), **more)))


def shown(answer: Answer) -> str:
    """Every text of the answer, one block a paragraph; what Slack would not take fails here."""
    assert slack_rules.check_blocks(answer.blocks) == []
    assert slack_rules.size(answer.blocks) < 10_000
    assert 0 < len(answer.text) <= 300
    assert "Optional" not in answer.text
    return "\n".join(text["text"] for text in slack_rules.texts(answer.blocks))


def buttons(answer: Answer) -> dict[str, str]:
    elements = [element for block in answer.blocks for element in block.get("elements", [])]
    return {e["text"]["text"]: e["value"] for e in elements if e["type"] == "button"}


NAMES = Names(("moe", "dense-13b"), ("gpu-07",))


def understood(answer: Answer) -> None:
    """Every button that runs a command holds one that is understood."""
    for command in buttons(answer).values():
        assert parse(command, now=NOW, names=NAMES)


# The overview


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


# The page of one run


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


# Mutes


def test_a_mute_says_until_when_what_fires_and_what_happens_at_the_end():
    done = answers.muted(MuteAnswer((mute(),), (incident(),)), "moe", NOW)
    assert shown(done).splitlines() == [
        ":no_bell: *moe muted for 2h, until <!date^1795522550^{time}|12:15 UTC>*",
        "*Reason*  fan &lt;swap&gt;",
        "*Covers*  this run, all kinds, all receivers",
        "*By*  <@U012ALICE>",
        "*Firing now*  STUCK of moe (incident 4127)",
        "*Meanwhile*  still watched, and shown as muted",
        "*At the end*  one message if it is still wrong",
        *("Unmute", "All mutes"),
    ]
    assert buttons(done)["Unmute"] == "unmute moe"
    understood(done)


@pytest.mark.parametrize(
    ("subject", "kind", "covers"),
    [
        (None, None, "all runs and hosts, all kinds, all receivers"),
        (Subject(SubjectKind.HOST, "gpu-07"), None, "this host and its runs, all kinds, all receivers"),
        (Subject(SubjectKind.RUN, "moe"), Kind.SLOW, "this run, only slow, all receivers"),
    ],
)
def test_a_mute_says_what_it_covers(subject, kind, covers):
    done = answers.muted(MuteAnswer((replace(mute(), subject=subject, kind=kind),), ()), "moe", NOW)
    assert f"*Covers*  {covers}" in shown(done)


def test_unmuting_offers_to_mute_for_the_rest_of_the_time():
    done = answers.unmuted(MuteAnswer((mute(kind=Kind.SLOW, reason="fan"),), ()), "moe", NOW + HOUR)
    assert shown(done).splitlines()[0] == "*moe unmuted, only SLOW. Messages come again.*"
    assert buttons(done)["Mute again"] == "mute moe slow 1h fan"
    understood(done)


def test_mutes_are_listed_the_next_to_end_first():
    done = answers.mutes((mute("b", until=NOW + HOUR), mute("a", until=NOW + MINUTE, reason="")), NOW)
    lines = shown(done).splitlines()
    assert lines[0] == "2 mutes"
    assert lines[1] == "*a* until <!date^1795515410^{time}|10:16 UTC> · by <@U012ALICE>"
    assert lines[2].startswith("*b* until")


def test_many_mutes_with_long_reasons_still_fit():
    text = shown(answers.mutes([mute(f"run-{n}", until=NOW + n, reason="x" * 200) for n in range(25)], NOW))
    assert [f"*run-{n}*" in text for n in range(25)] == [True] * 20 + [False] * 5
    assert text.endswith("and 5 more")


def test_no_mutes():
    assert shown(answers.mutes((), NOW)) == "*Nothing is muted.*"


# Thresholds

STUCK = ThresholdView("stuck", "Silence.", "20m", "set for run moe", "2", "1 to 7d", "slack:U034BOB", NOW - DAY)
SLOW = ThresholdView("slow", "Slowdown.", "1.1", "default", "1.1", "1.01 to 100")


def test_thresholds_show_value_source_and_default_if_different():
    lines = shown(answers.thresholds((STUCK, SLOW), "run moe", NOW)).splitlines()
    assert lines == [
        "Thresholds of moe",
        f"*stuck*  20m · set for run moe by <@U034BOB>, {YESTERDAY}",
        "Silence. Default: 2. Allowed: 1 to 7d.",
        "*slow*  1.1 · default",
        "Slowdown. Allowed: 1.01 to 100.",
        messages.SOURCE_ORDER,
    ]


@pytest.mark.parametrize(
    ("scope", "who", "covers"),
    [
        ("run moe", "moe", "this run only, from the next check"),
        ("host gpu-07", "gpu-07", "the runs of this host, from the next check"),
        ("all", "all runs", "all runs, from the next check"),
    ],
)
def test_a_changed_threshold_says_old_new_and_what_it_covers(scope, who, covers):
    change = ThresholdChange("stuck", scope, "6m", "20m", f"set for {scope}", "slack:U012ALICE", NOW)
    done = answers.threshold_changed(change, "threshold reset stuck --all")
    assert shown(done).splitlines()[:3] == [
        f"*stuck of {who}: 6m → 20m*",
        f"*Covers*  {covers}",
        "*By*  <@U012ALICE> at <!date^1795515350^{time}|10:15 UTC>",
    ]
    assert buttons(done)["Undo"] == "threshold reset stuck --all"
    understood(done)


def test_a_threshold_that_stays_as_it_is_has_nothing_to_undo():
    change = ThresholdChange("stuck", "all", "6m", "6m", "set for all", "slack:U012ALICE", NOW)
    done = answers.threshold_changed(change, "threshold reset stuck --all")
    assert "*stuck of all runs stays at 6m*" in shown(done)
    assert "Undo" not in buttons(done)


# Acknowledgements


def test_an_acknowledgement_can_be_taken_back():
    done = answers.acknowledged(AckAnswer((incident(),)), NOW)
    assert shown(done).splitlines()[0] == "*You are on STUCK of moe (incident 4127).*"
    assert buttons(done) == {"Unacknowledge": "unack 4127"}
    back = answers.acknowledged(AckAnswer((incident(),)), NOW, undone=True)
    assert shown(back).splitlines()[0] == "*Nobody is on STUCK of moe (incident 4127) any more.*"
    assert buttons(back) == {"Acknowledge": "ack 4127"}


def test_who_was_quicker_is_named():
    taken = incident(acknowledged_by="slack:U034BOB", acknowledged_at=NOW - MINUTE)
    done = answers.acknowledged(AckAnswer((), (taken,)), NOW)
    assert done.unchanged
    assert done.text == "Already acknowledged by <@U034BOB> at <!date^1795515290^{time}|10:14 UTC>. It is STUCK of moe."


# Errors


def test_an_error_says_what_is_wrong_and_offers_the_nearest_command():
    done = answers.error(CommandError("No run is named <mo>. Write more.", "mute moe 2h"))
    assert shown(done).splitlines() == [
        "*No run is named &lt;mo&gt;.* Write more. Nothing was changed.",
        "Did you mean *mute moe 2h*?",
        *("Mute moe 2h", "All runs"),
    ]
    assert buttons(done)["Mute moe 2h"] == "mute moe 2h"
    assert done.text.startswith(
        "No run is named &lt;mo&gt;. Write more. Nothing was changed.\nDid you mean mute moe 2h?"
    )
    assert done.unchanged


def test_an_error_without_a_suggestion_is_one_sentence():
    assert shown(answers.error(CommandError("20 is not a duration."))) == "*20 is not a duration.* Nothing was changed."


def test_an_error_about_a_very_long_command_still_fits():
    shown(answers.error(CommandError(f"No run is named {'x' * 4000}.", f"mute moe {'x' * 4000}")))


def test_a_refusal_names_who_may():
    may = messages.who_may(["U034BOB"], ["S012ONCALL", "U0OPER1"], in_channel=True)
    done = answers.refusal(messages.not_allowed("mute moe", may))
    assert shown(done) == (
        "*You may not mute moe.* Who may: owner <@U034BOB>; operators <!subteam^S012ONCALL>, <@U0OPER1>;"
        " whoever types it in the alert channel.\nNothing was changed. The attempt is in the audit log."
    )


def test_a_refusal_where_nobody_may_says_so():
    assert messages.who_may([], [], in_channel=False)[1] == "only operators, and none is configured"


# Help


def test_help_names_every_command():
    text = shown(answers.help_all())
    for verb in Verb:
        assert f"`{manual.HELP[verb.split()[0]].usage}`" in text


@pytest.mark.parametrize("verb", manual.HELP)
def test_help_for_one_command_shows_usage_and_examples_that_work(verb):
    assert manual.HELP[verb].meaning in shown(answers.help_one(verb)).replace("&amp;", "&")
    for example in manual.HELP[verb].examples:
        assert parse(example, now=NOW, names=Names(("llama-70b",), ("gpu-01",)))
