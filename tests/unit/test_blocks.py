"""The layout of alerts: what each message looks like in Slack."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings

from bot.blocks import (
    ALL_BLOCKS,
    EMOJI,
    LABELS,
    alert,
    button,
    context,
    cut_middle,
    day_of,
    escape,
    header,
    log_text,
    mrkdwn,
    note,
    point,
    section,
    short_name,
    shorten,
    size,
)
from monitor_core.model.message import Action, Fact, Look, Person, Strong, Time, TimeStyle
from tests.support import messages
from tests.support.anything import any_message
from tests.support.slack_rules import check_blocks, stray_markup, texts

ONSET = "<!date^1795513955^{time_secs}|09:52:35 UTC>"
EVERYTHING_TOO_LONG = replace(
    messages.FAILED,
    excerpt=("x" * 200,) * 3,
    facts=(
        *(Fact(f"Fact {n}", ("v" * 400,)) for n in range(12)),
        Fact("On call", (messages.ALICE,), person=True),
        Fact("Owner", (messages.BOB,), person=True),
    ),
)


def blocks_of(message):
    return alert(message)[1]


def kinds(message):
    return [block["type"] for block in blocks_of(message)]


def sections(message):
    return [block["text"]["text"] for block in blocks_of(message) if block["type"] == "section"]


def shown(message):
    return "\n".join(text["text"] for text in texts(blocks_of(message)))


def buttons(message):
    rows = [block for block in blocks_of(message) if block["type"] == "actions"]
    return [element for row in rows for element in row["elements"]]


def test_a_firing_alert_reads_as_designed():
    text, blocks = alert(messages.STUCK)
    assert text == (
        f"Critical: moe-16x3b STUCK 6m 12s on gpu-07. No new line since {ONSET}, "
        "iteration 12,400 / 50,000 (24.8%). Owner <@U034BOB>."
    )
    assert [text["text"] for text in texts(blocks)] == [
        ":red_circle: moe-16x3b STUCK 6m 12s · critical",
        f"*No new line since {ONSET}* on gpu-07. One was due every 41\u00a0s; the limit is 6m.",
        (
            "*Iteration*  12,400 / 50,000 (24.8%)\n"
            "*Loss*  2.314, falling until then\n"
            "*ETA*  <!date^1795529340^{time}|14:09 UTC> → <!date^1795529700^{time}|14:15 UTC> (+6m and growing)\n"
            "*Owner*  <@U034BOB>"
        ),
        (
            "*Log*  still written, but no progress line · 1 secret redacted\n"
            "```09:52:35 iteration 12400/50000 | … | lm loss: 2.314012E+00\n"
            "09:52:51 [rank5] open &lt;shard 0812&gt; …?key=[redacted]&amp;retry=3\n"
            "09:57:51 [rank0] watchdog: ALLREDUCE … running for 301 s```"
        ),
        "Acknowledge",
        "Mute 1h",
        "Incident 4127 · seen 4\u00a0s ago · `/trainstatus why 4127`",
    ]


def test_the_parts_of_an_alert_come_in_their_order():
    assert kinds(messages.LATE_STUCK) == ["header", "section", "section", "section", "section", "actions", "context"]
    assert sections(messages.LATE_STUCK)[0].startswith("*Sent 41m late*: Slack did not answer from <!date^")
    assert kinds(messages.RESOLVED_STUCK) == ["header", "section", "section", "context"]


@pytest.mark.parametrize("look", Look)
def test_each_look_has_its_own_emoji_before_the_headline(look):
    first = blocks_of(replace(messages.STUCK, look=look))[0]["text"]["text"]
    assert first == f"{EMOJI[look]} moe-16x3b STUCK 6m 12s · critical"
    assert list(EMOJI.values()).count(EMOJI[look]) == 1


def test_only_the_header_holds_an_emoji():
    for message in messages.ALL.values():
        text, blocks = alert(message)
        rest = [each["text"] for each in texts(blocks[1:])]
        assert not [each for each in (text, *rest) if any(code in each for code in EMOJI.values())]


@pytest.mark.parametrize("name", messages.ALL)
def test_each_sample_keeps_to_the_rules_of_slack_and_of_the_house(name):
    text, blocks = alert(messages.ALL[name])
    assert check_blocks(blocks) == []
    assert size(blocks) < 3000
    assert 20 <= len(text) <= 300
    assert len(blocks[0]["text"]["text"].partition(" ")[2]) <= 40


def test_buttons_carry_the_incident_number_and_nothing_else():
    assert [(b["action_id"], b["value"], b["text"]["text"]) for b in buttons(messages.STUCK)] == [
        ("ack", "4127", "Acknowledge"),
        ("mute_1h", "4127", "Mute 1h"),
    ]
    assert [block["block_id"] for block in blocks_of(messages.STUCK) if "block_id" in block] == ["incident_4127"]


def test_only_a_leading_acknowledge_is_coloured():
    assert [b.get("style") for b in buttons(messages.STUCK)] == ["primary", None]
    assert [b.get("style") for b in buttons(messages.MUTED_STUCK)] == [None, None]
    assert [b.get("style") for b in buttons(messages.ACKNOWLEDGED_STUCK)] == [None, None]


def test_every_action_has_a_label():
    assert set(LABELS) == set(Action)


def test_people_come_last_on_one_line_after_the_hint():
    facts = sections(EVERYTHING_TOO_LONG)[-1].splitlines()
    assert facts[-1] == "*On call*  <@U012ALICE> · *Owner*  <@U034BOB>"
    lines = sections(messages.FAILED)[1].splitlines()
    assert lines[-2].startswith("*Hint*  memory grew 71 → 79\u00a0GB")
    assert lines[-1] == "*Owner*  <@U034BOB>"


def test_a_message_too_long_loses_log_and_hint_and_then_facts_from_the_bottom():
    text = shown(EVERYTHING_TOO_LONG)
    assert "```" not in text
    assert "Hint" not in text
    assert "*Fact 0*" in text
    assert "*Fact 4*" in text
    assert "*Fact 11*" not in text
    assert "vvv…" not in text
    assert [b["action_id"] for b in buttons(EVERYTHING_TOO_LONG)] == ["ack", "mute_1h"]


def test_the_sum_of_all_parts_is_what_counts():
    full = '"' * 3000  # JSON writes each of them as two characters
    crowded = replace(
        messages.STUCK,
        headline=full,
        sentence=(full,),
        late=(full,),
        context=(full,),
        facts=(Fact("On call", (full[:2380],)),),
        excerpt_title=f"Log: {full}",
        excerpt=(full,) * 3,
    )
    assert size(blocks_of(crowded)) <= ALL_BLOCKS
    assert "```" not in shown(crowded)
    assert "*On call*" in shown(crowded)


def test_a_message_that_fits_without_its_log_keeps_the_hint():
    facts = tuple(Fact(f"Fact {n}", ("v" * 300,)) for n in range(7))
    crowded = replace(messages.FAILED, facts=facts, excerpt=("&" * 60,) * 3, sentence=('"' * 990,))
    assert size(blocks_of(crowded)) <= ALL_BLOCKS
    assert "*Hint*" in shown(crowded)
    assert "*Fact 6*" in shown(crowded)


def test_times_of_one_day_are_shown_without_it():
    assert point(Time(1795513955)) == ONSET
    assert point(Time(1795513955, TimeStyle.MINUTES)) == "<!date^1795513955^{time}|09:52 UTC>"
    assert "date_short_pretty" not in str(alert(messages.STUCK))


def test_only_a_time_of_another_day_than_the_alert_tells_of_has_its_day():
    text, blocks = alert(messages.SLOW)
    assert "date_short_pretty" not in text
    assert (
        "<!date^1795524480^{time}|12:48 UTC> → <!date^1795571100^{date_short_pretty} {time}|Wed 25 Nov 01:45 UTC>"
        in sections(messages.SLOW)[1]
    )
    assert str(blocks).count("date_short_pretty") == 1


def test_a_day_is_named_once_until_it_changes():
    today, tomorrow = Time(messages.ONSET), Time(messages.NEXT_DAY)
    assert named_days((today, today)) == [False, False]
    assert named_days((tomorrow, tomorrow)) == [True, False]
    assert named_days((tomorrow, today)) == [True, True]
    assert named_days((Strong((" until ", tomorrow)), tomorrow)) == [True, False]


def named_days(text):
    """Say of each time in a text whether its day is named, where the day is that of ONSET."""
    written = mrkdwn(text, day_of(messages.ONSET))
    return ["date_short_pretty" in each for each in written.split("<!date^")[1:]]


def test_an_alert_without_a_time_in_its_sentence_tells_of_the_day_it_was_late():
    late = replace(messages.FINISHED, sentence=("x",), fallback=("x",), late=(Time(messages.NEXT_DAY),))
    assert [sections(late)[place].count("date_short_pretty") for place in (0, 2)] == [0, 1]


@pytest.mark.parametrize(
    ("who", "written"),
    [
        (Person("U034BOB", mention=True), "<@U034BOB>"),
        (Person("W0AB12CD3", mention=True), "<@W0AB12CD3>"),
        (Person("S012ONCALL", mention=True), "<!subteam^S012ONCALL>"),
        (Person("U034BOB"), "U034BOB"),
        (Person("carol", mention=True), "carol"),
        (Person("UMBERTO", mention=True), "UMBERTO"),
        (Person("U034BOB> <!channel>", mention=True), "U034BOB&gt; &lt;!channel&gt;"),
    ],
)
def test_only_a_wanted_mention_of_a_slack_id_is_one(who, written):
    assert mrkdwn((who,)) == written


def test_bold_text_may_hold_times_and_people_but_no_blank_edges():
    assert mrkdwn((Strong((" since ", Time(1795513955), "\n")),)) == f"*since {ONSET}*"
    assert mrkdwn((Strong(("Acknowledged by ", messages.ALICE)), ".")) == "*Acknowledged by <@U012ALICE>*."
    assert mrkdwn((Strong((" ",)),)) == ""


def test_text_from_outside_can_mention_nobody():
    assert escape("<!channel> & <@U012ALICE>") == "&lt;!channel&gt; &amp; &lt;@U012ALICE&gt;"
    assert section("x")["text"]["verbatim"] is True


def test_terminal_sequences_control_characters_and_turned_writing_are_gone():
    assert escape("\x1b[31mred\x1b[0m \x1b]0;title\x07\x00a\u202eb\ud800c\r\nd\te") == "red abc\nd\te"


def test_a_cut_is_never_inside_an_entity_or_a_time():
    for limit in range(4, 40):
        cut = shorten(f"a &amp; {ONSET} &lt; b" * 3, limit)
        assert len(cut) <= limit
        assert cut.endswith("…")
        assert stray_markup(cut) == []
    assert shorten("short", 5) == "short"


def test_a_long_run_name_is_cut_in_its_middle_and_the_numbers_stay():
    name = "moe-16x3b-" + "sweep-" * 30 + "seed3"
    first = header(f"{EMOJI[Look.CRITICAL]} {short_name(name)} STUCK")["text"]["text"]
    assert first == ":red_circle: moe-16x3b-sweep-…p-seed3 STUCK"
    long = replace(messages.STUCK, run=name, headline=f"{name} STUCK 6m 12s · critical")
    assert blocks_of(long)[0]["text"]["text"] == ":red_circle: moe-16x3b-sweep-…p-seed3 STUCK 6m 12s · critical"


def test_cutting_the_middle_keeps_both_ends_and_the_length():
    assert cut_middle("abcdefghij", 10) == "abcdefghij"
    assert cut_middle("abcdefghijk", 10) == "abcdef…ijk"


def test_log_lines_are_shortened_and_cannot_leave_their_frame():
    lines = [
        "[2026-11-24 09:52:35.123456] a   lot\tof   space",
        "2026-11-24T09:52:36+00:00 ```*bold*``` <b>",
        "\x1b[1m" + "h" * 60 + "t" * 60,
    ]
    assert log_text(lines) == (
        "```09:52:35 a lot of space\n"
        "09:52:36 '''*bold*''' &lt;b&gt;\n" + "h" * 42 + "…" + "t" * 21 + "```"
    )  # fmt: skip


def test_a_single_line_has_the_room_of_three():
    (line,) = messages.FAILED.excerpt
    assert f"```{line}```" in sections(messages.FAILED)[2]
    assert log_text(["x" * 193]) == "```" + "x" * 128 + "…" + "x" * 63 + "```"


def test_only_the_last_lines_of_a_log_are_shown():
    assert log_text(["1", "2", "3", "", "4"]) == "```2\n3\n4```"
    assert log_text(["1", "2"], most=1) == "```2```"
    assert log_text(["", "\x00"]) == ""


def test_redacted_secrets_are_counted():
    hidden = replace(messages.STUCK, excerpt=("a=[redacted] b=[redacted]", "c"))
    assert "· 2 secrets redacted\n```" in sections(hidden)[2]
    assert "redacted" not in sections(replace(messages.STUCK, excerpt=("c",)))[2]


def test_a_message_without_a_fallback_says_its_headline():
    assert alert(replace(messages.STUCK, fallback=()))[0] == "moe-16x3b STUCK 6m 12s · critical"
    assert alert(replace(messages.STUCK, fallback=(" ",), headline=""))[0] == "Incident 4127"


def test_a_note_is_text_of_its_own():
    assert note(messages.RESOLVED_STUCK).startswith("Resolved after 53m 35s")
    assert note(messages.STUCK) == ""


def test_commands_in_the_last_line_are_code():
    element = context("Incident 1 · /trainstatus why 1")["elements"][0]
    assert element["text"] == "Incident 1 · `/trainstatus why 1`"


def test_a_long_button_label_is_cut():
    assert len(button("Mute " + "&" * 100, "redo", "mute x")["text"]["text"]) <= 75
    assert button("Undo", "undo", "1") == {
        "type": "button",
        "text": {"type": "plain_text", "text": "Undo", "emoji": True},
        "action_id": "undo",
        "value": "1",
    }


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(message=any_message())
def test_whatever_the_text_the_layout_is_accepted_safe_and_short(message):
    text, blocks = alert(message)
    assert check_blocks(blocks) == []
    assert size(blocks) <= ALL_BLOCKS
    assert 0 < len(text) <= 300
    assert [stray for part in (text, *(each["text"] for each in texts(blocks))) for stray in stray_markup(part)] == []
    assert {b["action_id"] for row in blocks for b in row.get("elements", []) if "action_id" in b} == set(
        message.actions
    )
