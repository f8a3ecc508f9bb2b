from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.grammar import READING, Request, Verb, parse
from bot.words import Names
from monitor_core.errors import CommandError

NOW = 1795514400.0  # 10:00:00 UTC, Tue 24 Nov
HOUR = 3600.0
NAMES = Names(runs=("moe-16x3b", "dense-13b", "dense-7b", "stuck", "mu"), hosts=("gpu-01", "gpu-07"))


def ask(text: str) -> Request:
    return parse(text, now=NOW, names=NAMES)


def refusal(text: str) -> CommandError:
    with pytest.raises(CommandError) as caught:
        ask(text)
    return caught.value


MUTE, SET, RESET = Verb.MUTE, Verb.THRESHOLD_SET, Verb.THRESHOLD_RESET
UNDERSTOOD = {
    "": Request(Verb.STATUS),
    "   ": Request(Verb.STATUS),
    "status": Request(Verb.STATUS),
    "STATUS --share": Request(Verb.STATUS, share=True),
    "sta —share": Request(Verb.STATUS, share=True),
    "moe-16x3b": Request(Verb.RUN, target="moe-16x3b"),
    "MOE": Request(Verb.RUN, target="moe-16x3b"),
    "run mu": Request(Verb.RUN, target="mu"),
    "mu": Request(Verb.RUN, target="mu"),
    "mut moe": Request(MUTE, target="moe-16x3b"),
    "mute moe 2h": Request(MUTE, target="moe-16x3b", until=NOW + 2 * HOUR),
    "mute moe 1h 30m": Request(MUTE, target="moe-16x3b", until=NOW + 1.5 * HOUR),
    "mute moe for 2h": Request(MUTE, target="moe-16x3b", until=NOW + 2 * HOUR),
    "  mute   “moe”  2h  fan  swap ": Request(MUTE, target="moe-16x3b", until=NOW + 2 * HOUR, reason="fan swap"),
    "mute moe it's “broken”": Request(MUTE, target="moe-16x3b", reason="it's broken"),
    "mute moe host moved": Request(MUTE, target="moe-16x3b", reason="host moved"),
    "mute moe 2h slower disk": Request(MUTE, target="moe-16x3b", until=NOW + 2 * HOUR, reason="slower disk"),
    "mute moe 2h 3 fans": Request(MUTE, target="moe-16x3b", until=NOW + 2 * HOUR, reason="3 fans"),
    "mute GPU-01 slow until 11:00": Request(MUTE, target="gpu-01", kind="slow", until=NOW + HOUR),
    "mute all until 09:00 UTC night": Request(MUTE, target="all", until=NOW + 23 * HOUR, reason="night"),
    "mute all until 10:00": Request(MUTE, target="all", until=NOW + 24 * HOUR),
    "mute dense-* log-missing 5m": Request(MUTE, target="dense-*", kind="log_missing", until=NOW + 300),
    "unmute moe": Request(Verb.UNMUTE, target="moe-16x3b"),
    "mute moe NaN-loss 5m": Request(MUTE, target="moe-16x3b", kind="loss_nan", until=NOW + 300),
    "mute moe loss_nan": Request(MUTE, target="moe-16x3b", kind="loss_nan"),
    "mute gpu-01 gpu_throttled 5m": Request(MUTE, target="gpu-01", kind="gpu_throttle", until=NOW + 300),
    "mute moe comm_hang": Request(MUTE, target="moe-16x3b", kind="comm_group"),
    "mute moe flapping": Request(MUTE, target="moe-16x3b", kind="flapping"),
    "mute moe blind spot 2h": Request(MUTE, target="moe-16x3b", reason="blind spot 2h"),
    "mute moe test run": Request(MUTE, target="moe-16x3b", reason="test run"),
    "unm moe SLOW": Request(Verb.UNMUTE, target="moe-16x3b", kind="slow"),
    "mutes": Request(Verb.MUTES),
    "check moe": Request(Verb.CHECK, target="moe-16x3b"),
    "log moe": Request(Verb.LOG, target="moe-16x3b"),
    "log moe 30 --share": Request(Verb.LOG, target="moe-16x3b", lines=30, share=True),
    "bot": Request(Verb.BOT),
    "ack moe": Request(Verb.ACK, target="moe-16x3b"),
    "ack #4127": Request(Verb.ACK, target="4127"),
    "unack 4127": Request(Verb.UNACK, target="4127"),
    "history": Request(Verb.HISTORY),
    "hist moe": Request(Verb.HISTORY, target="moe-16x3b"),
    "history gpu-07 --share": Request(Verb.HISTORY, target="gpu-07", share=True),
    "why 4127": Request(Verb.WHY, target="4127"),
    "w #4127": Request(Verb.WHY, target="4127"),
    "audit": Request(Verb.AUDIT),
    "false-alarm 4127": Request(Verb.FALSE_ALARM, target="4127"),
    "False alarm #4127": Request(Verb.FALSE_ALARM, target="4127"),
    "false-alarm 4127 undo": Request(Verb.FALSE_ALARM_UNDO, target="4127"),
    "false-alarm —undo 4127": Request(Verb.FALSE_ALARM_UNDO, target="4127"),
    "help": Request(Verb.HELP),
    "help mute": Request(Verb.HELP, target="mute"),
    "threshold": Request(Verb.THRESHOLD, target="all", scope="all"),
    "thr show moe": Request(Verb.THRESHOLD, target="moe-16x3b", scope="run moe-16x3b"),
    "threshold moe": Request(Verb.THRESHOLD, target="moe-16x3b", scope="run moe-16x3b"),
    "threshold gpu-01 slow": Request(Verb.THRESHOLD, target="gpu-01", scope="host gpu-01", name="slow"),
    "threshold slow 1.2": Request(SET, target="all", scope="all", name="slow", value="1.2"),
    "threshold set stuck=20m --run=moe": Request(
        SET, target="moe-16x3b", scope="run moe-16x3b", name="stuck", value="20m"
    ),
    "threshold set stuck 1h 30m —run moe": Request(
        SET, target="moe-16x3b", scope="run moe-16x3b", name="stuck", value="1h30m"
    ),
    "threshold --host gpu-07 set unreach 5m": Request(
        SET, target="gpu-07", scope="host gpu-07", name="unreachable", value="5m"
    ),
    "threshold stuck critical 30m --all": Request(SET, target="all", scope="all", name="stuck_critical", value="30m"),
    "threshold moe Stuck-Floor 3m": Request(
        SET, target="moe-16x3b", scope="run moe-16x3b", name="stuck_floor", value="3m"
    ),
    "threshold all slow 2": Request(SET, target="all", scope="all", name="slow", value="2"),
    "threshold stuck 30m --dry-run --run moe": Request(
        Verb.THRESHOLD_TRY, target="moe-16x3b", scope="run moe-16x3b", name="stuck", value="30m"
    ),
    "threshold reset slow —dry-run": Request(Verb.THRESHOLD_TRY, target="all", scope="all", name="slow"),
    "threshold reset slow": Request(RESET, target="all", scope="all", name="slow"),
    "threshold reset slow --run stuck": Request(RESET, target="stuck", scope="run stuck", name="slow"),
}


@pytest.mark.parametrize(("text", "request_"), UNDERSTOOD.items(), ids=[text or "nothing" for text in UNDERSTOOD])
def test_what_people_type_is_understood(text, request_):
    assert ask(text) == request_


NOT_UNDERSTOOD = {
    "mo-16x3b": ("No run or command is named mo-16x3b.", "moe-16x3b"),
    "mtue moe 2h": ("No run or command is named mtue.", "mute moe 2h"),
    "xyzzy": ("No run or command is named xyzzy.", "help"),
    "un moe": ("un could be unmute, unack.", "unmute moe"),
    "moe 2h": ("2h means nothing here.", "moe"),
    "mute mo-16x3b 2h fan": ("No run or host is named mo-16x3b.", "mute moe-16x3b 2h fan"),
    "mute dense 2h": ("dense could be dense-13b, dense-7b. Write more of the name.", "mute dense-13b 2h"),
    "mute moe 20 fan": ("20 is not a duration.", "mute moe 20m fan"),
    "mute moe 2 hours fan": ("2 is not a duration.", "mute moe 2h fan"),
    "mute moe sttuck 2h": ("No kind of incident is named sttuck.", "mute moe stuck 2h"),
    "unmute moe log-mising": ("No kind of incident is named log-mising.", "unmute moe log_missing"),
    "mute moe 31d": ("A mute may last 30 days at most.", ""),
    "mute moe until noon": ("noon is not a time of day.", "mute moe until 09:00"),
    "mute moe until": ("Nothing is not a time of day.", "mute moe until 09:00"),
    "mute": ("mute needs more words.", "help mute"),
    "mute moe --share": ("Only answers that change nothing can be shared.", "mute moe"),
    "unmute moe now": ("now means nothing here.", "unmute moe"),
    "check": ("check needs more words.", "help check"),
    "check moe now": ("now means nothing here.", "check moe"),
    "log moe 31": ("31 is not a number of lines from 1 to 30.", "log moe 30"),
    "log moe all": ("all is not a number of lines from 1 to 30.", "log moe 30"),
    "bot moe": ("moe means nothing here.", "bot"),
    "ack": ("ack needs more words.", "help ack"),
    "ack 4127 now": ("now means nothing here.", "ack 4127"),
    "status all of them": ("all of them means nothing here.", "status"),
    "mutes all": ("all means nothing here.", "mutes"),
    "why": ("why needs more words.", "help why"),
    "why moe": ("moe is not the number of an incident, such as 12.", "history"),
    "why 4127 now": ("now means nothing here.", "why 4127"),
    "false-alarm": ("false-alarm needs more words.", "help false-alarm"),
    "false-alarm undo": ("false-alarm undo needs more words.", "help false-alarm"),
    "false-alarm 4127 undo now": ("now means nothing here.", "false-alarm undo 4127"),
    "false-alarm 4127 --share": ("Only answers that change nothing can be shared.", "false-alarm 4127"),
    "history 7d": ("No run or host is named 7d.", ""),
    "audit me": ("me means nothing here.", "audit"),
    "help mut": ("mut could be mute, mutes.", "help mute"),
    "help me": ("No command is named me.", "help mute"),
    "help xyzzy": ("No command is named xyzzy.", ""),
    "run": ("run needs more words.", "help run"),
    "threshold set": ("threshold set needs more words.", "help threshold"),
    "threshold set stuck": ("threshold set needs more words.", "help threshold"),
    "threshold set slwo 1.2 --run moe": ("No threshold is named slwo.", "threshold set slow 1.2 --run moe-16x3b"),
    "threshold set slwo 1.2": ("No threshold, run or host is named slwo.", "threshold set slow 1.2"),
    "threshold set slow 1.2 --run mo-16x3b": (
        "No run is named mo-16x3b.",
        "threshold set slow 1.2 --run moe-16x3b",
    ),
    "threshold set slow 1.2 --run": ("threshold set needs more words.", "help threshold"),
    "threshold reset": ("threshold reset needs more words.", "help threshold"),
    "threshold reset slow 2": ("2 means nothing here.", "threshold reset slow"),
    "threshold moe --dry-run": ("--dry-run means nothing here.", "help threshold"),
    "threshold set slwo 1.2 --dry-run --run moe": (
        "No threshold is named slwo.",
        "threshold set slow 1.2 --dry-run --run moe-16x3b",
    ),
    "threshold sl": ("sl could be slow, slow_critical.", "threshold slow"),
}


@pytest.mark.parametrize(("text", "answer"), NOT_UNDERSTOOD.items(), ids=NOT_UNDERSTOOD)
def test_what_is_wrong_is_said_with_the_command_that_would_work(text, answer):
    error = refusal(text)
    assert str(error).startswith(answer[0])
    assert error.suggestion == answer[1]


@pytest.mark.parametrize("text", [t for t, (_, suggestion) in NOT_UNDERSTOOD.items() if suggestion])
def test_a_suggestion_is_understood(text):
    ask(refusal(text).suggestion)


def test_a_long_reason_is_cut_where_it_can_be_seen():
    assert ask("mute moe 2h " + 300 * "x").reason == 199 * "x" + "…"


def test_a_name_in_the_right_case_comes_before_one_in_another():
    names = Names(runs=("Llama", "llama"))
    assert parse("llama", now=NOW, names=names).target == "llama"


def test_a_run_named_like_a_verb_is_reached_by_run():
    names = Names(runs=("mute",))
    assert parse("run mute", now=NOW, names=names) == Request(Verb.RUN, target="mute")


def test_a_number_is_an_incident_even_if_a_run_begins_with_it():
    assert parse("ack 4127", now=NOW, names=Names(runs=("4127-moe",))).target == "4127"


WORDS = st.sampled_from(
    [
        *("mute", "unmute", "mutes", "ack", "unack", "threshold", "set", "reset", "show", "run", "status", "help"),
        *("history", "why", "audit", "false-alarm", "undo", "#4127"),
        *("all", "--run", "--host", "--all", "--share", "until", "2h", "20", "09:00", "25:00", "slow", "stuck"),
        *("moe-16x3b", "dense", "gpu-01", "4127", "#", "=", "—", "“", "'", "`", "*", "[", "9" * 400 + "d", "0s", "1.5"),
    ]
)


@settings(deadline=None)
@given(st.one_of(st.text(), st.lists(st.one_of(WORDS, st.text(max_size=8)), max_size=8).map(" ".join)))
def test_any_text_is_understood_or_refused_with_a_sentence(text):
    try:
        request = ask(text)
    except CommandError as error:
        assert str(error)  # noqa: PT017 either outcome is right
    else:
        assert request.verb in Verb
        assert not request.share or request.verb in READING
