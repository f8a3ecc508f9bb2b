"""What people are told when nobody looked for a while: once, when somebody looks again, with what came and went."""

from __future__ import annotations

import pytest

from tests.support.story import RUN


@pytest.fixture
def away(tell, slack, mail):
    """Begin a story of a run that trains for ten minutes, then stop the monitor."""
    story = tell(slack=slack, mail=mail)
    story.train(60)
    story.play()
    story.close()
    return story


def again(story):
    """Start the monitor again after what was planned, and let it look."""
    story.skip()
    story.open()
    story.play(61)


def lines(slack):
    (message,) = (m for m in slack.messages(slack.channel) if "BLIND" in m.shown)
    return [line.replace("\u00a0", " ") for line in message.shown.splitlines()]


def test_a_monitor_that_was_down_says_so_once_and_that_nothing_happened(away, slack):
    away.train(180)
    again(away)
    away.play(600)
    assert away.texts("post")[0] == ":large_purple_square: trainstatus was BLIND 30m · warning"
    assert sum("BLIND" in text for text in away.texts()) == 2, "one in Slack, one mail"
    shown = lines(slack)
    assert shown[1].startswith("*I did not look from <!date^")
    assert ": trainstatus was not running. Every log that I can see has been read" in shown[1]
    assert "*Fine*  1 run, by their logs" in shown
    assert shown[-1] == "Incident 1 · type commands of that time again · `/trainstatus why 1`"


def test_what_came_and_went_meanwhile_is_named_and_told_to_nobody_else(away, slack):
    away.train(60)
    away.silence(300)
    away.train(90)
    again(away)
    assert [text for text in away.texts() if "STUCK" in text] == []
    (line,) = (line for line in lines(slack) if line.startswith("*Came and went*"))
    assert line.startswith(f"*Came and went*  {RUN} STUCK 5m 10s from <!date^")
    assert away.incidents() == [("stuck", "resolved"), ("blind", "resolved")]
    why = away.control.why("1")
    assert why.judgements[0].at == why.incident.fired_at < why.incident.ends_at


def test_a_run_that_was_in_trouble_before_is_not_among_those_that_are_fine(tell, slack, mail):
    story = tell(slack=slack, mail=mail)
    story.train(60)
    story.silence(900)
    story.play()
    story.close()
    story.silence(1800)
    again(story)
    assert ("stuck", "firing") in story.incidents()
    assert [line for line in lines(slack) if line.startswith("*Fine*")] == []


def test_an_alert_that_came_late_is_told_and_named(away, slack):
    away.total = 120
    away.train(60)
    away.write("[after training is done] datetime: 2026-11-24 10:12:35")
    away.silence(1200)
    again(away)
    assert f":checkered_flag: {RUN} FINISHED in 20m" in away.texts("post")
    assert f"*Late alerts*  {RUN} FINISHED, 19m late" in lines(slack)


def test_a_log_that_cannot_be_told_is_named(away, slack):
    away.silence(1200)
    away.skip()
    away.log.unlink()
    away.open()
    away.play(61)
    assert f"*Cannot tell*  {RUN}: its log cannot be read" in lines(slack)


def test_a_machine_that_slept_says_so(tell, slack):
    story = tell(slack=slack)
    story.train(60)
    story.play()
    story.train(120)
    story.skip()
    story.play(61)
    assert ": its machine slept, or it stood still." in lines(slack)[1]


def test_a_short_restart_is_no_news(away):
    away.train(17)
    again(away)
    assert away.told == []


def test_who_looks_every_twenty_minutes_has_missed_nothing_after_half_an_hour(tell, slack):
    story = tell(slack=slack, check_interval="20m")
    story.train(60)
    story.play()
    story.close()
    story.train(180)
    again(story)
    assert story.told == []


def test_a_notice_that_could_not_be_written_down_comes_with_the_whole_gap_once_it_can(away):
    away.train(180)
    away.skip()
    away.open()
    before = away.execute("SELECT looked_at FROM lease")
    away.execute("CREATE TRIGGER full BEFORE INSERT ON incidents BEGIN SELECT raise(ABORT, 'disk full'); END")
    with pytest.raises(Exception, match="disk full"):
        away.play(10)
    assert away.execute("SELECT looked_at FROM lease") == before
    away.execute("DROP TRIGGER full")
    away.close()
    away.train(12)
    again(away)
    assert away.texts("post") == [":large_purple_square: trainstatus was BLIND 32m · warning"]
