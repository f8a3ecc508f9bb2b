"""Commands and buttons: real bolt, real SDK, Socket Mode, the real control on a SQLite file."""

from __future__ import annotations

import logging

import pytest
from sqlalchemy import text

from monitor_core.model.incidents import Kind
from monitor_core.model.records import Point
from monitor_core.store import progress
from tests.support import slack_people
from tests.support.bot import NOW, OTHER_CHANNEL, OWNER, Bot, answer_of
from tests.support.slack_people import wait_until
from tests.support.slack_server import SlackServer, refused

NO_BREAK = "\u00a0"


@pytest.fixture
def slack():
    with SlackServer(clock=lambda: NOW) as server:
        yield server


@pytest.fixture
def bot(slack, tmp_path):
    bot = Bot(slack, tmp_path)
    bot.start()
    yield bot
    bot.close()


# Reading


def test_the_bare_command_shows_all_runs_to_the_typist_alone(bot, slack):
    bot.runs()
    bot.fires("dense-13b")
    answer = bot.asked("")
    assert answer.only == slack.alice
    assert "2 runs: 1 needs someone" in answer.shown
    assert ":red_circle: *dense-13b*  STUCK 23m · gpu-07" in answer.shown
    assert ":large_green_circle: *moe-16x3b*  24.8%" in answer.shown
    assert f"data 9{NO_BREAK}s old · 1 of 1 hosts answer" in answer.shown


def test_a_run_is_shown_for_the_beginning_of_its_name(bot):
    bot.runs()
    number = bot.fires()
    shown = bot.ask("MOE")
    assert ":red_circle: moe-16x3b STUCK 23m · critical" in shown
    assert f"critical (incident {number})" in shown
    assert "*Iteration*  12,400 / 50,000 (24.8%)" in shown
    assert "*Owner*  <@U056CAROL>" in shown


def test_a_shared_answer_is_seen_by_all(bot, slack):
    bot.asked("status --share")
    assert [m for m in slack.messages(slack.channel) if "2 runs" in m.shown]


def test_the_menu_of_the_overview_opens_a_run(bot, slack):
    overview = bot.asked("")
    page = answer_of(slack.press(overview, "open_run", value="dense-13b"))
    assert "dense-13b unknown" in page.shown


def test_refresh_puts_the_newest_data_in_place_of_the_old(bot, slack):
    overview = bot.asked("")
    bot.fires()
    slack.press(overview, "refresh").wait_for_answer()
    [now] = [m for m in slack.messages(slack.channel, only=slack.alice) if m.ts == overview.ts]
    assert "2 runs: 1 needs someone" in now.shown


def test_help_is_given_for_one_command(bot):
    assert "/trainstatus mute RUN|HOST|all" in bot.ask("help mute")
    assert "trainstatus commands" in bot.ask("help")


# Mutes


def test_a_mute_is_kept_listed_and_ended(bot, slack):
    number = bot.fires()
    made = bot.asked("mute moe 2h fan &lt;swap&gt; &amp; photo", user=OWNER)
    assert "moe-16x3b muted for 2h" in made.shown
    assert "fan &lt;swap&gt; &amp; photo" in made.shown
    assert f"*Firing now*  STUCK of moe-16x3b (incident {number})" in made.shown
    [mute] = bot.control.mutes()
    assert (mute.until, mute.by, mute.reason) == (NOW + 7200, f"slack:{OWNER}", "fan <swap> & photo")
    assert "*moe-16x3b* until" in bot.ask("mutes")
    assert "moe-16x3b unmuted" in answer_of(slack.press(made, "redo_0", user=OWNER)).shown
    assert bot.control.mutes() == ()
    assert "Nothing is muted" in bot.ask("mutes")


def test_a_mute_of_one_kind_until_a_time_of_day(bot):
    assert "only SLOW" in bot.ask("mute gpu-07 slow until 11:00")
    [mute] = bot.control.mutes()
    assert (mute.kind, mute.until) == (Kind.SLOW, 1795518000.0)


def test_unmuting_what_is_not_muted_says_so(bot):
    assert "*moe-16x3b has no mute of its own.* Nothing was changed." in bot.ask("unmute moe")


# Thresholds


def test_thresholds_are_shown_with_their_source(bot):
    shown = bot.ask("threshold show dense")
    assert "*slow*  1.3 · config run dense-13b" in shown
    assert "Default: 1.3" not in shown
    assert "*stuck*  2 · default" in shown


def test_a_threshold_is_set_shown_undone_and_set_again(bot, slack):
    changed = bot.asked("threshold set slow=1.5 --run dense", user=OWNER)
    assert "You may not change thresholds of dense-13b" in changed.shown
    changed = bot.asked("threshold set slow=1.5 --run dense", user=slack.bob)
    assert "*slow of dense-13b: 1.3 → 1.5*" in changed.shown
    assert "*slow*  1.5 · set for run dense-13b by <@U034BOB>" in bot.ask("threshold dense")
    assert changed.buttons["redo_0"]["value"] == "threshold reset slow --run dense-13b"
    undone = answer_of(slack.press(changed, "redo_0", user=slack.bob))
    assert "*slow of dense-13b: 1.5 → 1.3*" in undone.shown
    again = answer_of(slack.press(undone, "redo_0", user=slack.bob))
    assert "*slow of dense-13b: 1.3 → 1.5*" in again.shown


def test_anybody_may_try_a_threshold_and_nothing_is_written_down(bot, slack):
    shown = bot.asked("threshold set slow=1.5 --run dense --dry-run", user=OWNER)
    assert "*slow of dense-13b: 1.3 → 1.5, not changed yet*" in shown.shown
    assert "*Not tried*  there are no records of the last 24h to try it on" in shown.shown
    assert "1.3 · config run dense-13b" in bot.ask("threshold dense slow")
    assert bot.audit() == []
    changed = answer_of(slack.press(shown, "redo_0", user=slack.bob))
    assert "*slow of dense-13b: 1.3 → 1.5*" in changed.shown
    shown = bot.asked("threshold reset slow --run dense --dry-run", user=OWNER)
    assert "*slow of dense-13b: 1.5 → 1.3, not changed yet*" in shown.shown
    assert shown.buttons["redo_0"]["value"] == "threshold reset slow --run dense-13b"


def test_a_change_says_what_it_would_have_done_in_the_last_24_hours(bot, slack):
    bot.runs()
    with bot.engine.begin() as connection:
        points = [Point(NOW - 4000 + 10.0 * n + 300.0 * (n > 50), n + 1, 10_000.0, 2.3, n == 0) for n in range(100)]
        progress.add(connection, "moe-16x3b", points, full_since=0.0)
    shown = bot.ask("threshold set stuck 30m --run moe", user=slack.bob)
    assert "*Tried on the last 24h*  would not have fired (now: once)" in shown
    assert "*Missed*  0 stalls" in shown
    shown = bot.ask("threshold show moe")
    assert "Last 24h: never fired; by default once." in shown


def test_undoing_a_second_change_brings_the_first_back(bot, slack):
    bot.ask("threshold slow 1.4 --host gpu-07", user=slack.bob)
    changed = bot.asked("threshold slow 1.6 --host gpu-07", user=slack.bob)
    assert changed.buttons["redo_0"]["value"] == "threshold set slow 1.4 --host gpu-07"


def test_a_value_that_is_not_allowed_changes_nothing(bot, slack):
    shown = bot.ask("threshold set slow 0.5 --all", user=slack.bob)
    assert "out of range; allowed for slow: 1.01 to 100" in shown
    assert "Nothing was changed." in shown
    assert all(view.source == "default" for view in bot.control.thresholds())


# Acknowledgements


def test_an_acknowledgement_by_command_and_back(bot, slack):
    number = bot.fires()
    taken = bot.asked("ack moe", user=OWNER)
    assert f"*You are on STUCK of moe-16x3b (incident {number}).*" in taken.shown
    assert bot.incident(number).acknowledged_by == f"slack:{OWNER}"
    assert "Already acknowledged by <@U056CAROL>" in bot.ask(f"ack {number}")
    slack.press(taken, "redo_0", user=OWNER).wait_for_answer()
    assert bot.incident(number).acknowledged_by == ""


def test_a_press_on_an_alert_acknowledges_without_another_message(bot, slack):
    number = bot.fires()
    done = slack.press(bot.alert("ack", number=number), "ack", user=slack.bob)
    wait_until(lambda: bot.incident(number).acknowledged_by == f"slack:{slack.bob}")
    bot.asked("mutes")  # whatever the press brings would have come before this
    assert done.answers == []


def test_a_second_press_answers_the_presser_alone(bot, slack):
    number = bot.fires()
    alert = bot.alert("ack", number=number)
    slack.press(alert, "ack", user=slack.bob)
    wait_until(lambda: bot.incident(number).acknowledged_by)
    late = answer_of(slack.press(alert, "ack", user=OWNER))
    assert late.only == OWNER
    assert "Already acknowledged by <@U034BOB>" in late.shown
    assert bot.incident(number).acknowledged_by == f"slack:{slack.bob}"


@pytest.mark.parametrize("button", ["ack", "unack", "mute_1h", "unmute"])
def test_a_stale_press_says_when_it_was_resolved(bot, slack, button):
    number = bot.fires()
    bot.resolve(number)
    late = answer_of(slack.press(bot.alert(button, number=number), button, user=slack.bob))
    assert f"*Incident {number} was already resolved at 10:14 UTC.* Nothing was changed." in late.shown
    assert bot.control.mutes() == ()


def test_a_press_mutes_for_an_hour_and_unmutes(bot, slack):
    number = bot.fires()
    alert = bot.alert("mute_1h", "unmute", number=number)
    slack.press(alert, "mute_1h")
    [mute] = wait_until(bot.control.mutes, "a mute")
    assert (mute.subject.name, mute.until) == ("moe-16x3b", NOW + 3600)
    slack.press(alert, "unmute")
    wait_until(lambda: not bot.control.mutes(), "the end of the mute")


# What happened and why


def test_history_why_and_audit_are_answered_to_the_typist_and_lead_to_each_other(bot, slack):
    number = bot.fires()
    bot.ask("ack moe", user=OWNER)
    listed = bot.asked("history moe")
    assert listed.only == slack.alice
    assert f"*{number}*  moe-16x3b STUCK · critical · " in listed.shown
    assert "acknowledged by <@U056CAROL>" in listed.shown
    account = answer_of(slack.press(listed, "redo_0"))
    assert f"Incident {number}: moe-16x3b STUCK on gpu-07, critical, firing for 23m" in account.shown
    assert f"<@U056CAROL> ack incident {number}: STUCK of moe-16x3b" in account.shown
    assert f"<@U056CAROL> ack incident {number}: STUCK of moe-16x3b" in bot.ask("audit")
    assert "*There is no incident 99.*" in bot.ask("why #99")


def test_a_false_alarm_is_marked_by_the_owner_and_undone_by_a_press(bot, slack):
    number = bot.fires()
    refusal = bot.ask(f"false-alarm {number}")
    assert f"*You may not mark incident {number} as a false alarm.*" in refusal
    assert "whoever types it" not in refusal
    marked = bot.asked(f"false alarm #{number}", user=OWNER)
    assert f"*STUCK of moe-16x3b (incident {number}) is marked as a false alarm.*" in marked.shown
    assert bot.incident(number).false_alarm_by == f"slack:{OWNER}"
    assert "Already marked as a false alarm by <@U056CAROL>" in bot.ask(f"false-alarm {number}", user=slack.bob)
    assert ":eyes: *moe-16x3b*  STUCK 23m · false alarm, <@U056CAROL>" in bot.ask("")
    assert "Marked as a false alarm by <@U056CAROL>" in bot.ask("moe")
    undone = answer_of(slack.press(marked, "redo_0", user=OWNER))
    assert "is no false alarm any more" in undone.shown
    assert bot.incident(number).false_alarm_by == ""
    assert [entry[1] for entry in bot.audit()] == ["refused", "false-alarm", "false-alarm undo"]


# Who may


def test_a_refusal_names_who_may_and_is_audited(bot):
    shown = bot.ask("mute moe 2h", channel=OTHER_CHANNEL)
    assert "*You may not mute moe-16x3b.*" in shown
    assert "owner <@U056CAROL>; operators <!subteam^S012ONCALL>; whoever types it in the alert channel" in shown
    assert bot.control.mutes() == ()
    assert bot.audit() == [
        ("slack:U012ALICE", "refused", "mute moe 2h", "neither operator nor owner, nor in the alert channel")
    ]


@pytest.mark.parametrize("user", [OWNER, SlackServer.bob])
def test_the_owner_and_the_operators_may_from_anywhere(bot, user):
    assert "moe-16x3b muted" in bot.ask("mute moe 2h", user=user, channel=OTHER_CHANNEL)
    assert "stuck of moe-16x3b: 2 → 3" in bot.ask("threshold stuck 3 --run moe", user=user, channel=OTHER_CHANNEL)


def test_a_press_needs_the_same_right_as_the_command(bot, slack):
    number = bot.fires()
    slack.add_channel("C0OTHER01", "other")
    alert = bot.alert("ack", number=number)
    alert.channel = "C0OTHER01"
    shown = answer_of(slack.press(alert, "ack")).shown
    assert f"*You may not acknowledge incident {number}.*" in shown
    assert bot.incident(number).acknowledged_by == ""
    assert [entry[:3] for entry in bot.audit()] == [("slack:U012ALICE", "refused", f"ack {number}")]


def test_who_is_in_a_group_is_asked_once_in_five_minutes(bot, slack):
    bot.ask("threshold stuck 3", user=slack.bob)
    bot.ask("threshold stuck 4", user=slack.bob)
    assert len(slack.calls_of("usergroups.users.list")) == 1


def test_nobody_is_let_in_while_slack_does_not_say_who_is_in_the_group(bot, slack):
    slack.fail("usergroups.users.list", refused("internal_error"))
    shown = bot.ask("threshold stuck 3", user=slack.bob)
    assert "Slack did not say who is in the group S012ONCALL" in shown
    assert "Nothing was changed." in shown
    assert "stuck of all runs: 2 → 3" in bot.ask("threshold stuck 3", user=slack.bob)


@pytest.mark.parametrize("command", ["", "mute moe 2h", "mute mo-16x3b", "help"])
def test_people_of_another_workspace_are_refused(bot, slack, command):
    payload = slack_people.slash(slack.world, "/trainstatus", command, slack.bob, slack.channel)
    payload["team_id"] = "T0FOREIGN"
    url = slack.world.new_url(slack.channel, slack.bob)
    shown = answer_of(slack._send("slash_commands", payload, url, 60.0)).shown
    assert "Only people of the workspace that trainstatus belongs to may ask" in shown
    assert "moe-16x3b" not in shown
    assert bot.audit() == [("slack:U034BOB", "refused", command, "not of our workspace")]
    assert bot.control.mutes() == ()


# Errors


def test_a_misspelt_run_comes_with_a_button_that_does_what_was_meant(bot, slack):
    answer = bot.asked("mute mo-16x3b 2h")
    assert "*No run or host is named mo-16x3b.* Nothing was changed." in answer.shown
    assert bot.control.mutes() == ()
    assert "moe-16x3b muted for 2h" in answer_of(slack.press(answer, "redo_0")).shown
    assert len(bot.control.mutes()) == 1


def test_a_repeat_runs_with_the_rights_of_who_presses(bot, slack):
    answer = bot.asked("threshold set slwo 1.5", user=slack.bob)
    assert "You may not change thresholds of all runs" in answer_of(slack.press(answer, "redo_0")).shown


def test_another_command_is_told_apart(bot, slack):
    done = slack.command("status", name="/trainstate")
    assert done.wait_for_answer()["text"].startswith("/trainstate is not answered here.")


def test_a_button_of_another_version_says_so(bot, slack):
    shown = answer_of(slack.press(bot.alert("explode", number="1"), "explode")).shown
    assert "This button is not known here" in shown


def test_what_is_of_no_use_here_is_acknowledged(bot, slack):
    assert slack.event({"type": "app_home_opened", "user": slack.alice, "tab": "home"}).ack_seconds is not None


def test_a_failure_becomes_one_sentence_and_a_log_line_without_secrets(bot, slack, caplog):
    caplog.set_level(logging.DEBUG)
    with bot.engine.begin() as connection:
        connection.execute(text("DROP TABLE mutes"))
    assert "Something went wrong here. Nothing was changed." in bot.ask("mutes")
    assert any(record.exc_info and record.name == "bot.app" for record in caplog.records)
    assert slack.bot_token not in caplog.text
    assert slack.app_token not in caplog.text
    assert "/respond/" not in caplog.text


def test_a_command_is_acknowledged_while_the_database_is_busy(bot, slack):
    with bot.engine.begin():
        waiting = [slack.command("status") for _ in range(10)]
        assert all(done.ack_seconds is not None and done.ack_seconds < 3 for done in waiting)
        assert not any(done.answers for done in waiting)
    for done in waiting:
        assert "2 runs" in answer_of(done).shown


def test_more_than_can_be_queued_is_told_to_come_back(bot, slack):
    with bot.engine.begin():
        done = [slack.command("status") for _ in range(65)]
        assert "Too many commands at the same time" in done[-1].wait_for_answer()["text"]
    assert all(one.wait_for_answer() for one in done)
