"""What people are told, in which order and when, as a training lives through its troubles."""

from __future__ import annotations

import pytest

from tests.support.story import RUN, START

FALLBACK = {"address": "boss@example.com", "when": "fallback", "severity": "warning"}


def test_of_a_healthy_run_nobody_hears_until_it_has_finished(tell, slack, mail):
    story = tell(slack=slack, mail=mail)
    story.total = 120
    story.train(120)
    story.write("[after training is done] datetime: 2026-11-24 10:12:35")
    story.play(600)
    assert [told.how for told in story.told] == ["post", "mail"]
    assert story.texts("post") == [f":checkered_flag: {RUN} FINISHED in 20m"]


def test_a_stuck_run_is_told_two_minutes_after_its_last_line_and_resolved_when_it_goes_on(tell, slack, mail):
    story = tell(slack=slack, mail=mail)
    story.train(60)
    last_line = story.at - START
    story.silence(1800)
    resumed = story.at + 10 - START
    story.train(30)
    story.play()
    posts = [told for told in story.told if told.how == "post"]
    assert [told.text for told in posts] == [f":large_orange_diamond: {RUN} STUCK 2m · warning"]
    assert posts[0].at - last_line < 121
    final = slack.messages(slack.channel)[0]
    assert final.shown.splitlines()[0] == f":white_check_mark: {RUN} resolved · STUCK 30m"
    assert [reply.text.split(".")[0] for reply in final.replies] == [
        "*Now critical: STUCK 10m",
        "*Resolved after 30m 10s",
    ]
    resolved = [told.at for told in story.told if told.how == "mail"][-1]
    assert resolved - resumed <= 60
    assert [told.text.split(" / ")[0] for told in story.told if told.how == "mail"] == [
        f"[trainstatus] {RUN} STUCK on gpu-01 (incident 1)",
        f"Re: [trainstatus] {RUN} STUCK on gpu-01 (incident 1)",
        f"Re: [trainstatus] {RUN} STUCK on gpu-01 (incident 1)",
    ]


def test_a_stuck_run_is_found_in_time_however_rarely_its_log_is_looked_at(tell, slack):
    story = tell(slack=slack, check_interval="20m")
    story.train(240)
    last_line = story.at - START
    story.play(400)
    assert story.told[0].text == f":large_orange_diamond: {RUN} STUCK 2m · warning"
    assert story.told[0].at - last_line < 121


def test_a_slow_run_is_told_once_with_its_onset_and_resolved_when_it_is_fast_again(tell, slack):
    story = tell(slack=slack)
    story.train(80, every=10)
    story.train(30, every=13)
    story.train(40, every=10)
    story.play()
    assert story.texts("post") == [f":large_orange_diamond: {RUN} SLOW 1.30x · warning"]
    (message,) = slack.messages(slack.channel)
    assert message.shown.splitlines()[0] == f":white_check_mark: {RUN} resolved · SLOW 1.30x"
    posted = slack.calls_of("chat.postMessage")[0].args["text"]
    assert "since iteration 81" in posted


def test_a_single_slow_iteration_alerts_nobody(tell, slack):
    story = tell(slack=slack)
    story.train(80, every=10)
    story.train(1, every=60)
    story.train(80, every=10)
    story.play()
    assert story.told == []


def test_a_crash_is_told_with_its_cause(tell, slack, mail):
    story = tell(slack=slack, mail=mail)
    story.train(60)
    story.write(
        "[rank3]: Traceback (most recent call last):\n"
        '[rank3]:   File "pretrain_gpt.py", line 240, in forward_step\n'
        "[rank3]: torch.OutOfMemoryError: CUDA out of memory. Tried to allocate 2.00 GiB. GPU 3 has 79.1 GiB",
        after=3,
    )
    story.play(120)
    assert story.texts("post") == [f":red_circle: {RUN} FAILED · critical"]
    (message,) = slack.messages(slack.channel)
    assert "GPU memory" in message.shown or "out of memory" in message.shown
    assert "on rank 3" in message.shown
    assert "Tried to allocate 2.00 GiB" in message.shown
    assert "<@U034BOB>" in message.shown
    assert story.told[0].at <= 660


def test_an_exception_after_which_the_training_goes_on_is_no_crash(tell, slack):
    story = tell(slack=slack)
    story.train(60)
    story.write(
        'Traceback (most recent call last):\n  File "a.py", line 1, in f\nValueError: caught elsewhere', after=1
    )
    story.train(60)
    story.play()
    assert story.told == []


def test_a_long_checkpoint_alerts_nobody(tell, slack):
    story = tell(slack=slack)
    for _ in range(3):
        story.train(40)
        story.write("saving checkpoint at iteration      40 to /ckpt in torch_dist format")
        story.write("  successfully saved checkpoint from iteration      40 to /ckpt", after=800)
    story.train(10)
    story.play()
    assert story.told == []


def test_a_checkpoint_that_does_not_end_is_stuck(tell, slack):
    story = tell(slack=slack)
    story.train(40)
    story.write("saving checkpoint at iteration      40 to /ckpt in torch_dist format")
    story.play(1000)
    assert story.texts("post") == [f":large_orange_diamond: {RUN} STUCK 15m · warning"]
    assert "No end of the checkpoint" in slack.messages(slack.channel)[0].shown


@pytest.mark.parametrize("zone", [0, 3600, -7 * 3600, 5.5 * 3600])
@pytest.mark.parametrize("skew", [0, 3600, -3600])
def test_another_zone_and_an_hour_of_skew_change_nothing(tell, clock, slack, zone, skew):
    clock.skew = skew
    clock.set(clock.now)
    story = tell(slack=slack, zone=zone)
    story.train(60)
    last_line = story.at - START
    story.play(200)
    assert story.texts("post") == [f":large_orange_diamond: {RUN} STUCK 2m · warning"]
    assert 119 < story.told[0].at - last_line < 122


def test_a_host_that_is_away_for_half_an_hour_is_one_message_and_no_stuck(tell, clock, slack, make_sshd):
    sshd = make_sshd(f"SetEnv PATH={clock.folder}:/usr/local/bin:/usr/bin:/bin\n")
    story = tell(slack=slack, host=sshd.host())
    story.train(240)
    story.play(-1800)
    sshd.stop()
    story.at += 1800
    story.play(-10)
    (text,) = story.texts("post")
    assert text.startswith(":large_purple_square: gpu-01 UNREACHABLE")
    sshd.start()
    story.play(120)
    assert story.texts("post") == [text]
    (message,) = slack.messages(slack.channel)
    assert message.shown.splitlines()[0].startswith(":white_check_mark: gpu-01 resolved · UNREACHABLE")
    assert "STUCK" not in "".join(story.texts())


def test_while_slack_is_away_the_fallback_recipient_gets_a_mail_and_slack_is_told_late(tell, slack, mail):
    story = tell(slack=slack, mail=mail, recipients=[FALLBACK])
    story.train(60)
    story.play()
    with slack.away():
        story.play(420)
    assert [(told.how, told.to) for told in story.told] == [("mail", "boss@example.com")]
    assert story.told[0].at - 600 == pytest.approx(240, abs=10)
    story.play(60)
    assert story.told[1].how == "post"
    (message,) = slack.messages(slack.channel)
    assert message.shown.splitlines()[1].startswith("*Sent 5m")


def test_while_slack_answers_the_fallback_recipient_gets_nothing(tell, slack, mail):
    story = tell(slack=slack, mail=mail, recipients=[FALLBACK])
    story.train(60)
    story.silence(400)
    story.train(20)
    story.play(300)
    assert {told.how for told in story.told} == {"post", "update", "reply"}


def test_a_run_that_is_still_stuck_when_its_mute_ends_is_told_once(tell, slack, mail):
    story = tell(slack=slack, mail=mail)
    story.train(60)
    story.play()
    story.control.mute("slack:U034BOB", RUN, until=story.clock.now + 3600, reason="storage team")
    story.play(3500)
    assert story.told == []
    story.play(200)
    assert story.texts("post") == [f":red_circle: {RUN} STUCK 1h · critical"]
    assert len(story.texts("mail")) == 1


def test_a_mute_over_a_firing_alert_shows_in_it_and_the_resolve_still_comes(tell, slack, mail):
    story = tell(slack=slack, mail=mail)
    story.train(60)
    story.play(130)
    story.control.mute("slack:U034BOB", RUN, reason="fan swap")
    story.deliver()
    (message,) = slack.messages(slack.channel)
    assert message.shown.splitlines()[0] == f":no_bell: {RUN} STUCK 2m 10s · warning"
    assert "fan swap" in message.shown
    mails = len(story.texts("mail"))
    story.play(900)
    assert len(story.texts("mail")) == mails
    story.train(20)
    story.play(60)
    assert slack.messages(slack.channel)[0].shown.startswith(":white_check_mark:")
    assert len(story.texts("mail")) == mails + 1


def test_a_run_that_recovers_while_muted_is_never_told(tell, slack):
    story = tell(slack=slack)
    story.train(60)
    story.play()
    story.control.mute("slack:U034BOB", RUN)
    story.play(600)
    story.train(340)
    story.play()
    assert story.told == []
    assert story.incidents() == [("stuck", "resolved")]


def test_an_acknowledge_shows_in_the_message_and_does_not_survive_that_it_gets_worse(tell, slack):
    story = tell(slack=slack)
    story.train(60)
    story.play(130)
    story.control.ack("slack:U012ALICE", RUN)
    story.deliver()
    assert slack.messages(slack.channel)[0].shown.startswith(f":eyes: {RUN} STUCK")
    story.play(600)
    assert slack.messages(slack.channel)[0].shown.startswith(f":red_circle: {RUN} STUCK")


def test_a_threshold_that_a_person_sets_decides_at_the_next_look(tell, slack):
    story = tell(slack=slack)
    story.train(60)
    story.play()
    story.control.set_threshold("slack:U012ALICE", "stuck", "20m", scope=f"run {RUN}")
    story.play(1190)
    assert story.told == []
    story.play(20)
    assert story.texts("post") == [f":large_orange_diamond: {RUN} STUCK 20m · warning"]


def test_on_first_sight_what_is_over_is_recorded_and_what_still_holds_is_told_with_its_onset(tell, slack):
    story = tell(slack=slack)
    story.due = START + 3000
    story.train(60)
    story.silence(900)
    story.train(60)
    last_line = story.at
    story.silence(2400)
    story.play()
    assert story.texts("post") == [f":red_circle: {RUN} STUCK 15m · critical"]
    text = slack.calls_of("chat.postMessage")[0].args["text"]
    assert f"<!date^{int(last_line)}^" in text
    assert story.incidents() == [("stuck", "resolved"), ("stuck", "firing")]


def test_a_run_that_had_finished_before_it_was_first_seen_is_not_announced(tell, slack):
    story = tell(slack=slack)
    story.due = START + 3000
    story.total = 60
    story.train(60)
    story.write("[after training is done] datetime: 2026-11-24 10:02:35")
    story.silence(3000)
    story.play()
    assert story.told == []
    assert story.control.run(RUN).state == "finished"


def test_a_relaunch_starts_afresh_and_tells_nothing_of_its_own(tell, slack):
    story = tell(slack=slack)
    story.train(60)
    story.write('Traceback (most recent call last):\n  File "a.py", line 1, in f\nRuntimeError: boom')
    story.play(120)
    story.iteration = 40
    story.write("[before the start of training step] datetime: 2026-11-24 10:05:00", after=60)
    story.train(60)
    story.play(60)
    assert story.texts("post") == [f":red_circle: {RUN} FAILED · critical"]
    view = story.control.run(RUN)
    assert (view.state, view.iteration, view.launches, view.incidents) == ("training", 100, 2, ())


def test_a_stuck_run_that_is_relaunched_is_stuck_until_its_first_line_and_says_what_is_redone(tell, slack):
    story = tell(slack=slack)
    story.train(100)
    story.silence(900)
    story.write("[before the start of training step] datetime: 2026-11-24 10:24:15")
    story.iteration = 80
    story.play(100)
    assert slack.messages(slack.channel)[0].shown.startswith(":red_circle:")
    story.train(30)
    story.play()
    (message,) = slack.messages(slack.channel)
    assert message.shown.startswith(":white_check_mark:")
    assert ": resumed from 80, 20 iterations redone." in message.shown
    due = int(START) + 10 * 1000
    silent = 900 + 100 + 10
    assert f"<!date^{due}^" in message.shown
    assert f"<!date^{due + silent + 190}^" in message.shown, "what is redone takes its time again"


def test_a_log_that_vanishes_is_unknown_after_three_minutes_and_never_stuck(tell, slack):
    story = tell(slack=slack)
    story.train(60)
    story.play()
    story.log.unlink()
    story.play(600)
    (text,) = story.texts("post")
    assert text.startswith(f":large_purple_square: {RUN} UNKNOWN 3m")


def test_a_monitor_that_was_away_judges_the_time_between_by_the_log(tell, slack):
    story = tell(slack=slack)
    story.train(60)
    story.play()
    story.close()
    story.train(180)
    story.skip()
    story.open()
    story.play(60)
    assert story.texts() == [":large_purple_square: trainstatus was BLIND 30m · warning"]
    assert story.control.run(RUN).iteration == 240


def test_the_seed_preset_keeps_the_rules_of_the_original(tell, mail):
    story = tell(mail=mail, preset="seed", check_interval="5s")
    story.train(30, every=10)
    story.train(1, every=15.1)
    story.train(1, every=10)
    story.play()
    assert "SLOW" in story.texts("mail")[0]
    story.play(60)
    stuck = [told for told in story.told if "STUCK" in told.text]
    assert stuck[0].at - (story.at - 60 - START) == pytest.approx(20, abs=1)
