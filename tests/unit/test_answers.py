"""What commands answer."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bot import answers, manual, messages
from bot.grammar import Verb, parse
from bot.words import Names
from monitor_core.errors import CommandError
from monitor_core.model.effect import Effect, Firings, KindEffect, Stall
from monitor_core.model.incidents import Kind, Subject, SubjectKind
from monitor_core.model.views import (
    AckAnswer,
    MuteAnswer,
    ThresholdChange,
    ThresholdView,
)
from tests.support.answers import (
    DAY,
    HOUR,
    MINUTE,
    NOW,
    YESTERDAY,
    buttons,
    incident,
    mute,
    shown,
    understood,
)

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


@pytest.mark.parametrize(("seconds", "said"), [(20, "20s"), (89.96, "1m30s"), (3599.9, "1h"), (7199.98, "2h")])
def test_a_mute_says_how_long_it_lasts_as_it_was_asked_for(seconds, said):
    done = answers.muted(MuteAnswer((replace(mute(), until=NOW + seconds),), ()), "moe", NOW)
    assert f"moe muted for {said}, until" in shown(done)


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

FIRED = Effect((KindEffect(Kind.STUCK, Firings(1, 600.0), Firings(3, 900.0)),), covered=1, tried=1)
STUCK = ThresholdView(
    *("stuck", "Silence.", "20m", "set for run moe", "2", "1 to 7d", "slack:U034BOB", NOW - DAY),
    fired=1,
    by_default=FIRED,
)
SLOW = ThresholdView("slow", "Slowdown.", "1.1", "default", "1.1", "1.01 to 100")


def test_thresholds_show_value_source_and_default_if_different():
    lines = shown(answers.thresholds((STUCK, SLOW), "run moe", NOW)).splitlines()
    assert lines == [
        "Thresholds of moe",
        f"*stuck*  20m · set for run moe by <@U034BOB>, {YESTERDAY}",
        "Silence. Default: 2. Allowed: 1 to 7d. Last 24h: fired once; by default 3 times.",
        "*slow*  1.1 · default",
        "Slowdown. Allowed: 1.01 to 100. Last 24h: never fired.",
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


def test_a_changed_threshold_says_what_it_would_have_done_and_missed():
    kind = KindEffect(
        Kind.STUCK, Firings(2, 900.0), Firings(1, 60.0), (Stall(4127, missed=True), Stall(4129, False, 840.0))
    )
    change = ThresholdChange("stuck", "run moe", "6m", "20m", "set for run moe", "slack:U012ALICE", NOW)
    done = answers.threshold_changed(replace(change, effect=Effect((kind,), 1, 1)), "threshold reset stuck --run moe")
    assert shown(done).splitlines()[4:6] == [
        "*Tried on the last 24h*  would have fired once (now: 2 times); incident 4129 would have come 14m later",
        "*Missed*  1 of 2 stalls (incident 4127)",
    ]
    assert "Tried on the last 24h: would have fired once" in done.text
    assert done.text.endswith("; missed 1 of 2 stalls (incident 4127).")
    understood(done)


def test_a_threshold_that_is_tried_says_so_and_offers_the_change():
    change = ThresholdChange("unreachable", "all", "1m", "5m", "set for all", "slack:U012ALICE", NOW, tried=True)
    done = answers.threshold_tried(change, "threshold set unreachable 5m --all")
    assert shown(done).splitlines()[:3] == [
        "*unreachable of all runs: 1m → 5m, not changed yet*",
        "*Would cover*  all runs, from the next check",
        "*Not tried*  this cannot be tried on stored records",
    ]
    assert buttons(done)["Change it"] == "threshold set unreachable 5m --all"
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


def test_unmuting_says_what_still_covers_it():
    done = MuteAnswer((mute(),), (), still=(mute("gpu"),))
    assert "Still covered by the mute of gpu" in shown(answers.unmuted(done, "moe", NOW))
    assert "Messages come again" not in shown(answers.unmuted(done, "moe", NOW))
