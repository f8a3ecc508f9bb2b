"""A host that gives no answer: one message for all its runs, to everybody whom one of them concerns."""

from __future__ import annotations

import pytest

from tests.support.cluster import Cluster

AWAY, OTHER_CHANNEL = "gpu-12", "C0OTHER01"
RUNS = [f"ablate-{number:02}" for number in range(1, 41)]
ONCALL, CAROL, OTHERS = "oncall@example.com", "carol@example.com", "others@example.com"
RECIPIENTS = [
    {"address": ONCALL},
    {"address": CAROL, "runs": ["ablate-0*", "ablate-1*"]},
    {"address": OTHERS, "runs": ["llama-*"]},
]


@pytest.fixture
def begin(tmp_path, clock, slack, mail):
    clusters = []

    def make(hosts, runs):
        slack.add_channel(OTHER_CHANNEL, "ablations")
        clusters.append(Cluster(tmp_path, clock, slack, mail, hosts, runs, RECIPIENTS))
        return clusters[-1]

    yield make
    for cluster in clusters:
        cluster.close()


@pytest.fixture
def cluster(begin):
    """Forty runs of two owners on one host, half of them with a channel of their own; two runs elsewhere."""
    runs = {name: {"host": AWAY, "owner": "carol"} for name in RUNS[:30]}
    runs |= {name: {"host": AWAY, "owner": "bob", "channel": OTHER_CHANNEL} for name in RUNS[30:]}
    runs |= {"llama-7b": {"host": "gpu-01"}, "llama-70b": {"host": "gpu-02"}}
    return begin({AWAY: {"address": "192.0.2.22"}, "gpu-01": {}, "gpu-02": {}}, runs)


def mails(mail, word):
    """Return who got a mail whose subject has a word, and the subjects."""
    found = [(received.mail["To"], received.mail["Subject"]) for received in mail.received]
    return sorted((to, subject.removeprefix("[trainstatus] ")) for to, subject in found if word in subject)


def posts(slack, channel):
    """Return the lines of each message in a channel, as it is now."""
    return [[line.replace("\u00a0", " ") for line in m.shown.splitlines()] for m in slack.messages(channel)]


def test_one_host_away_with_forty_runs_is_one_message_for_each_receiver(cluster, slack, mail):
    cluster.train(300)
    cluster.cut(AWAY)
    cluster.train(600)
    assert cluster.incidents() == [(f"host:{AWAY}", "unreachable")]
    for channel in (slack.channel, OTHER_CHANNEL):
        (lines,) = posts(slack, channel)
        assert lines[0].startswith(f":large_purple_square: {AWAY} UNREACHABLE ")
        assert "Its 40 runs are unknown, not stuck: I cannot see their logs." in lines[1]
        assert [line.split("  ")[0] for line in lines[2:14]] == ["*Last seen*", *RUNS[:10], "and 30 more"]
        assert lines[3] == "ablate-01  25 / 100,000 (0.0%)"
        assert lines[13] == "and 30 more"
        assert lines[14:16] == [
            "*Other hosts*  2 of 2 answer: it is gpu-12 or its network",
            "*Owner*  carol (30 runs), bob (10 runs)",
        ]
        assert "holds the alerts of its 40 runs" in lines[-1]
    assert all("and 30 more" in received.body("plain").splitlines() for received in mail.received)
    assert mails(mail, "") == [(to, f"{AWAY} UNREACHABLE (incident 1)") for to in (CAROL, ONCALL)]
    assert cluster.printed.getvalue().count("UNREACHABLE") == 1


def test_whatever_its_runs_were_like_nothing_is_told_of_them_meanwhile(cluster, slack, mail):
    stuck, missing, muted = RUNS[:3]
    cluster.train(300)
    cluster.dead |= {stuck, missing, muted}
    cluster.control.mute("slack:U012ALICE", muted, until=cluster.clock.now + 900)
    cluster.train(130)
    (cluster.folder / f"{missing}.log").unlink()
    cluster.train(60)
    before = [len(slack.calls_of("chat.postMessage")), len(mail.received)]
    cluster.cut(AWAY)
    cluster.train(1200)
    assert {(f"run:{stuck}", "stuck"), (f"run:{muted}", "stuck")} <= set(cluster.incidents())
    (news,) = [lines for lines in posts(slack, slack.channel) if "UNREACHABLE" in lines[0]]
    assert [len(slack.calls_of("chat.postMessage")), len(mail.received)] == [before[0] + 2, before[1] + 2]
    assert "*Owner*  carol (30 runs), bob (10 runs)" in news
    cluster.mend(AWAY)
    cluster.train(70)
    headlines = sorted(lines[0].split()[1:3] for lines in posts(slack, slack.channel) if "ablate" in lines[0])
    assert headlines == [[stuck, "STUCK"], [missing, "STUCK"], [missing, "UNKNOWN"], [muted, "STUCK"]]


def test_when_it_answers_again_one_resolve_comes_and_runs_are_judged_by_their_logs(cluster, slack, mail):
    cluster.train(300)
    cluster.cut(AWAY)
    cluster.train(300)
    cluster.dead.add(RUNS[7])
    last_line = cluster.clock.now
    cluster.train(300)
    cluster.mend(AWAY)
    cluster.train(70)
    assert cluster.incidents() == [(f"run:{RUNS[7]}", "stuck")]
    resolved, stuck = posts(slack, slack.channel)
    assert resolved[0].startswith(f":white_check_mark: {AWAY} resolved · UNREACHABLE 1")
    assert stuck[0].startswith(f":large_orange_diamond: {RUNS[7]} STUCK 5m")
    assert stuck[1].startswith(f"*No new line since <!date^{last_line:.0f}^")
    assert [lines[0] for lines in posts(slack, OTHER_CHANNEL)] == [resolved[0]]
    assert len(mails(mail, "UNREACHABLE")) == 4
    assert mails(mail, "STUCK") == [(to, f"{RUNS[7]} STUCK on {AWAY} (incident 2)") for to in (CAROL, ONCALL)]


def test_a_host_on_the_way_to_others_is_one_message_that_names_them(begin, slack, mail):
    hosts = {"bastion": {}, "gpu-03": {"jump": "bastion"}, "gpu-04": {"jump": "bastion"}, "gpu-05": {}}
    runs = {"llama-7b": "gpu-03", "llama-70b": "gpu-03", "moe-16x3b": "gpu-04", "sft-7b": "gpu-05"}
    cluster = begin(hosts, {run: {"host": host} for run, host in runs.items()})
    cluster.train(300)
    cluster.cut("bastion")
    cluster.train(600)
    assert cluster.incidents() == [("host:bastion", "unreachable")]
    (lines,) = posts(slack, slack.channel)
    assert lines[0].startswith(":large_purple_square: bastion UNREACHABLE ")
    assert "connection refused by 127.0.0.1:" in lines[1]
    assert lines[1].endswith("Its 3 runs are unknown, not stuck: I cannot see their logs.")
    assert [line.split("  ")[0] for line in lines[3:6]] == ["llama-7b", "llama-70b", "moe-16x3b"]
    assert "*Behind it*  gpu-03, gpu-04" in lines
    assert "*Other hosts*  1 of 1 answer: it is bastion or its network" in lines
    assert cluster.control.run("moe-16x3b").state == "unknown"
    assert cluster.control.run("sft-7b").state == "training"
    cluster.mend("gpu-03", "gpu-04")
    cluster.train(70)
    assert cluster.incidents() == []
    assert posts(slack, slack.channel)[0][0].startswith(":white_check_mark: bastion resolved")


def test_a_host_behind_one_that_answers_is_away_by_itself(begin, slack, make_sshd):
    cluster = begin({"bastion": {}, "gpu-03": {"jump": "bastion"}}, {"llama-7b": {"host": "gpu-03"}})
    cluster.train(60)
    cluster.cut("bastion")
    cluster.train(180)
    assert cluster.incidents() == [("host:bastion", "unreachable")]
    cluster.cut("gpu-03", bastion=make_sshd().host("bastion"))
    cluster.train(180)
    assert cluster.incidents() == [("host:gpu-03", "unreachable")]
    first, second = posts(slack, slack.channel)
    assert first[0].startswith(":white_check_mark: bastion resolved")
    assert "from gpu-03: bastion (127.0.0.1:" in second[1]
    assert "does not pass us on to gpu-03…" in second[1]
