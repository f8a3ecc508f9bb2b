"""A threshold is changed: what it would have done over the stored records of the run is what it did."""

from __future__ import annotations

import pytest

from monitor_core.model.effect import Firings, sentence
from monitor_core.model.incidents import Kind
from tests.support.story import HOST, RUN

ALICE, SCOPE = "shell:alice", f"run {RUN}"


@pytest.fixture
def hung(tell):
    """A run that has saved, hung for a quarter of an hour, and gone on."""
    story = tell()
    story.train(100)
    story.write("saving checkpoint at iteration     100 to /ckpt in torch_dist format", after=1)
    story.write("  successfully saved checkpoint from iteration     100 to /ckpt", after=500)
    story.train(60)
    story.silence(900)
    story.train(60)
    story.play()
    return story


def tried(story, name, value, **how):
    return story.control.set_threshold(ALICE, name, value, scope=SCOPE, dry_run=True, **how).effect


def test_the_value_that_holds_would_have_told_what_was_told(hung):
    [kind] = tried(hung, "stuck", "2.01").kinds
    [(fired_at, ends_at)] = hung.execute("SELECT fired_at, ends_at FROM incidents WHERE kind = 'stuck'")
    assert (kind.now.times, kind.now.seconds) == (1, pytest.approx(ends_at - fired_at, abs=0.01))
    assert kind.now == kind.then
    assert [(stall.missed, stall.later) for stall in kind.stalls] == [(False, pytest.approx(0, abs=0.01))]


def test_a_value_that_is_higher_comes_later_or_misses_the_stall(hung):
    assert sentence(tried(hung, "stuck", "10m")) == (
        "Tried on the last 24h: would have fired once (as now); incident 1 would have come 8m later; "
        "missed 0 of 1 stall."
    )
    assert sentence(tried(hung, "stuck", "20m")) == (
        "Tried on the last 24h: would not have fired (now: once); missed 1 of 1 stall (incident 1)."
    )


def test_a_value_that_is_lower_would_have_fired_more_often(hung):
    assert sentence(tried(hung, "slow", "1.01")).startswith("Tried on the last 24h: would not have fired (as now)")
    [kind] = tried(hung, "stuck", "9s").kinds
    assert kind.then.times > 200


def test_a_false_alarm_would_not_have_been_missed(hung):
    hung.control.false_alarm(ALICE, "1")
    [kind] = tried(hung, "stuck", "20m").kinds
    assert (kind.now.times, kind.stalls) == (1, ())


def test_what_was_told_a_day_ago_does_not_count(tell):
    story = tell(check_interval="2h", house_every=7200.0)
    story.train(60)
    story.silence(900)
    story.train(60)
    story.silence(86_000)
    story.train(5)
    story.play()
    [kind] = tried(story, "stuck", "25h").kinds
    assert [stall.incident for stall in kind.stalls] == [2]
    assert (kind.now.times, kind.then.times) == (1, 0)


def test_a_restart_of_the_monitor_in_a_pause_changes_nothing(tell):
    story = tell()
    story.train(60)
    story.write("saving checkpoint at iteration      60 to /ckpt in torch_dist format", after=1)
    story.play(300)
    story.close()
    story.open()
    story.write("  successfully saved checkpoint from iteration      60 to /ckpt", after=300)
    story.train(30)
    story.play()
    assert story.incidents() == []
    [kind] = tried(story, "stuck", "3").kinds
    assert kind.now == Firings()
    # Without what was kept of the pause its record looks like a stall.
    story.execute("UPDATE progress SET before = ''")
    [kind] = tried(story, "stuck", "3").kinds
    assert kind.now.times == 1


def test_records_of_a_version_that_did_not_keep_pauses_are_not_tried(hung):
    hung.execute("UPDATE progress SET before = NULL")
    assert tried(hung, "stuck", "20m").nothing == "there are no records of the last 24h to try it on"


def test_what_is_only_tried_changes_nothing_and_is_not_in_the_audit_log(hung):
    change = hung.control.set_threshold(ALICE, "stuck", "20m", scope=SCOPE, dry_run=True)
    assert (change.old, change.new, change.tried) == ("2", "20m", True)
    assert hung.control.audit().entries == ()
    assert {view.source for view in hung.control.thresholds(RUN)} == {"default"}
    hung.control.set_threshold(ALICE, "stuck", "20m", scope=SCOPE)
    change = hung.control.reset_threshold(ALICE, "stuck", scope=SCOPE, dry_run=True)
    assert sentence(change.effect).startswith("Tried on the last 24h: would have fired once (now: never)")
    assert len(hung.control.audit().entries) == 1


def test_a_threshold_shows_how_often_it_fired_and_would_have_by_default(hung):
    hung.control.set_threshold(ALICE, "stuck", "20m", scope="all")
    views = {view.name: view.lately for view in hung.control.thresholds(RUN)}
    assert views["stuck"] == "fired once; by default once"
    assert views["stuck_critical"] == "fired once"
    assert views["slow"] == "never fired"


def test_a_value_for_all_is_tried_on_the_runs_that_get_it(hung):
    hung.control.set_threshold(ALICE, "stuck", "30m", scope=SCOPE)
    effect = hung.control.set_threshold(ALICE, "stuck", "20m", scope="all", dry_run=True).effect
    assert sentence(effect) == "Not tried: no run gets another value."
    effect = hung.control.set_threshold(ALICE, "slow", "1.3", scope=f"host {HOST}").effect
    assert (effect.covered, effect.tried, effect.kinds[0].kind) == (1, 1, Kind.SLOW)
