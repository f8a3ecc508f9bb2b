"""A run whose trouble comes and goes: after the third time one message instead of many, until it is calm."""

from __future__ import annotations

import pytest

from tests.support.story import RUN

STUCK = f":large_orange_diamond: {RUN} STUCK 2m · warning"


@pytest.fixture
def story(tell, slack, mail):
    return tell(slack=slack, mail=mail)


def swing(story, times):
    """Let the run fall silent for nearly three minutes, again and again, and go on for two."""
    for _ in range(times):
        story.silence(160)
        story.train(13)
    story.play()


def posts(story):
    return story.texts("post")


def test_after_the_third_time_it_flaps_and_further_warnings_are_held_back(story, slack, mail):
    story.train(60)
    swing(story, 3)
    assert posts(story)[:3] == [STUCK] * 3
    (flapping,) = posts(story)[3:]
    assert flapping.startswith(f":arrows_counterclockwise: {RUN} FLAPPING ")
    mails = len(mail.received)
    swing(story, 4)
    assert len(posts(story)) == 4
    assert len(mail.received) == mails
    assert story.incidents().count(("stuck", "resolved")) == 7
    message = slack.messages(slack.channel)[-1]
    lines = [line.replace("\u00a0", " ") for line in message.shown.splitlines()]
    assert lines[0].startswith(f":arrows_counterclockwise: {RUN} FLAPPING")
    assert "times since <!date^" in lines[1]
    assert lines[2:5] == [
        "*Held*  its STUCK warnings; all else still comes",
        "*Ends*  after 20m without a change, with one message",
        "*Quiet at*  threshold stuck 3m",
    ]


def test_once_it_is_calm_that_is_told_once_and_the_next_time_is_told_again(story, slack):
    story.train(60)
    swing(story, 5)
    before = len(posts(story))
    story.train(125)
    story.play()
    assert len(posts(story)) == before
    assert [told.how for told in story.told if told.how != "mail"][-2:] == ["update", "reply"]
    shown = slack.messages(slack.channel)[-1].shown.splitlines()
    assert shown[0].startswith(f":white_check_mark: {RUN} resolved · FLAPPING")
    assert "*STUCK is calm again since <!date^" in shown[1]
    assert "it fired and resolved 5 times." in shown[1]
    story.play(130)
    assert posts(story)[-1] == STUCK


def test_what_still_fires_when_it_is_calm_is_told_once(tell, slack, mail):
    story = tell(slack=slack, mail=mail, thresholds={"flapping": "15m"})
    story.train(60)
    swing(story, 4)
    before = len(posts(story))
    story.play(500)
    (still,) = posts(story)[before:]
    assert still.startswith(f":large_orange_diamond: {RUN} STUCK 8m")
    assert "resolved · FLAPPING" in slack.messages(slack.channel)[-2].shown
    assert sum(f"{RUN} STUCK" in mailed for mailed in story.texts("mail")[-2:]) == 1


def test_what_becomes_critical_is_never_held_back(story):
    story.train(60)
    swing(story, 4)
    before = len(posts(story))
    story.play(700)
    assert posts(story)[before:] == [f":red_circle: {RUN} STUCK 10m · critical"]


def test_an_ending_ends_it(story, slack):
    story.train(60)
    swing(story, 4)
    story.write("[after training is done] datetime: 2026-11-24 10:12:35", after=5)
    story.play(120)
    assert "Over, since the run is FINISHED" in slack.messages(slack.channel)[3].shown
    assert ("flapping", "resolved") in story.incidents()


def test_who_muted_the_kind_does_not_hear_that_it_flaps(story):
    story.train(60)
    story.play()
    story.control.mute("slack:U034BOB", RUN, kind="stuck", until=story.clock.now + 7200)
    swing(story, 4)
    assert story.told == []
    assert ("flapping", "firing") in story.incidents()


def test_the_seed_preset_knows_no_flapping(tell, mail):
    story = tell(mail=mail, preset="seed", check_interval="5s")
    story.train(30)
    swing(story, 4)
    assert {kind for kind, _ in story.incidents()} == {"stuck"}
