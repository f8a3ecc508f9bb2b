from __future__ import annotations

import pytest

from bot.auth import Caller, Covered, Right, Verdict, judge

HOME, OPERATORS = "T0HOME", frozenset({"U0OPER"})
ALICES = Covered(frozenset({"U0ALICE"}), frozenset({"C0ALERTS"}))
BOBS = Covered(frozenset({"U0BOB"}), frozenset({"C0OTHER"}))
NOBODYS = Covered(frozenset(), frozenset({"C0ALERTS"}))

READ, ACT, TUNE = Right
ALLOWED, OUTSIDER, APP, NOT_THEIRS, NOT_TUNER = Verdict


def verdict(user, right, covered=(ALICES,), *, channel="C0LOBBY", team=HOME, is_app=False, workspace=HOME):
    caller = Caller(user, team, channel, is_app=is_app)
    return judge(caller, right, workspace=workspace, operators=OPERATORS, covered=covered)


@pytest.mark.parametrize(
    ("user", "channel", "read", "act", "tune"),
    [
        ("U0OPER", "C0LOBBY", ALLOWED, ALLOWED, ALLOWED),
        ("U0ALICE", "C0LOBBY", ALLOWED, ALLOWED, ALLOWED),
        ("U0BOB", "C0LOBBY", ALLOWED, NOT_THEIRS, NOT_TUNER),
        ("U0BOB", "C0ALERTS", ALLOWED, ALLOWED, NOT_TUNER),
    ],
)
def test_who_may_do_what_with_a_run(user, channel, read, act, tune):
    assert verdict(user, READ, channel=channel) == read
    assert verdict(user, ACT, channel=channel) == act
    assert verdict(user, TUNE, channel=channel) == tune


@pytest.mark.parametrize("right", Right)
@pytest.mark.parametrize("user", ["U0OPER", "U0ALICE"])
def test_people_of_another_workspace_may_nothing(user, right):
    assert verdict(user, right, team="T0FOREIGN", channel="C0ALERTS") == OUTSIDER


@pytest.mark.parametrize("right", Right)
def test_nobody_may_anything_while_our_workspace_is_unknown(right):
    assert verdict("U0OPER", right, workspace="") == OUTSIDER
    assert verdict("U0OPER", right, workspace="", team="") == OUTSIDER


@pytest.mark.parametrize("right", Right)
def test_a_caller_without_an_id_may_nothing(right):
    assert verdict("", right, (Covered(frozenset({""}), frozenset({"C0LOBBY"})),)) == OUTSIDER


def test_an_app_reads_but_changes_nothing():
    assert verdict("U0OPER", READ, is_app=True) == ALLOWED
    assert verdict("U0OPER", ACT, is_app=True) == APP
    assert verdict("U0OPER", TUNE, is_app=True) == APP


@pytest.mark.parametrize(
    ("user", "channel", "covered", "expected"),
    [
        ("U0ALICE", "C0LOBBY", (ALICES, BOBS), NOT_THEIRS),
        ("U0ALICE", "C0OTHER", (ALICES, BOBS), ALLOWED),
        ("U0CAROL", "C0ALERTS", (ALICES, BOBS), NOT_THEIRS),
        ("U0CAROL", "C0ALERTS", (ALICES, NOBODYS), ALLOWED),
        ("U0OPER", "C0LOBBY", (ALICES, BOBS), ALLOWED),
    ],
)
def test_what_covers_several_runs_needs_the_right_for_each(user, channel, covered, expected):
    assert verdict(user, ACT, covered, channel=channel) == expected


def test_what_covers_no_run_is_for_operators():
    assert verdict("U0ALICE", ACT, (), channel="C0ALERTS") == NOT_THEIRS
    assert verdict("U0OPER", ACT, ()) == ALLOWED


def test_a_run_without_owner_or_channel_belongs_to_nobody():
    assert verdict("U0ALICE", ACT, (Covered(frozenset({""}), frozenset({""})),), channel="") == NOT_THEIRS
