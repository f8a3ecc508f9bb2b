from __future__ import annotations

import re
from dataclasses import replace
from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor_core.model.message import Fact, Look, Strong, Time, TimeStyle
from monitor_core.notify.mail import mail_html, mail_text
from monitor_core.notify.render import LONGEST, Wording, clean, page, plain
from tests.support.messages import (
    ALL,
    ESCALATED_STUCK,
    FAILED,
    FINISHED,
    LATE_STUCK,
    NEXT_DAY,
    ONSET,
    RESOLVED_STUCK,
    RESUMED,
    SLOW,
    STUCK,
    minute,
)

FOOTER = ("You get this because oncall@example.com is a mail recipient of trainstatus.",)
VOID = {"meta", "br"}


class Shown(HTMLParser):
    """What a mail program makes of the HTML: its tags, attributes and visible words; tags must be balanced."""

    def __init__(self, html):
        super().__init__()
        self.tags, self.attributes, self.words, self._open = [], [], [], []
        self.feed(html)
        self.close()
        assert self._open == []

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += attrs
        if tag not in VOID:
            self._open.append(tag)

    def handle_endtag(self, tag):
        assert self._open.pop() == tag

    def handle_data(self, data):
        if self._open and self._open[-1] != "style":
            self.words.append(data)

    @property
    def text(self):
        return " ".join("".join(self.words).replace("\u00a0", " ").split())


def html_words(message):
    return Shown(mail_html(message, FOOTER)).text


def worded(*text, arrow="to"):
    return plain(Wording(arrow).pieces(text)).replace("\u00a0", " ")


def test_a_firing_mail_reads_like_this():
    assert mail_text(STUCK, FOOTER) == (
        "CRITICAL, FIRING: moe-16x3b STUCK 6m 12s\n"
        "\n"
        "No new line since 09:52:35 UTC (Tue 24 Nov) on gpu-07. One was due every 41 s; the limit is 6m.\n"
        "\n"
        "Iteration:  12,400 / 50,000 (24.8%)\n"
        "Loss:       2.314, falling until then\n"
        "ETA:        14:09 to 14:15 UTC (+6m and growing)\n"
        "Owner:      U034BOB\n"
        "\n"
        "Log: still written, but no progress line\n"
        "  09:52:35 iteration 12400/50000 | … | lm loss: 2.314012E+00\n"
        "  09:52:51 [rank5] open <shard 0812> …?key=[redacted]&retry=3\n"
        "  09:57:51 [rank0] watchdog: ALLREDUCE … running for 301 s\n"
        "\n"
        "To type in a shell:\n"
        "Acknowledge:  trainstatus ack 4127\n"
        "Mute:         trainstatus mute moe-16x3b 1h\n"
        "\n"
        "Incident 4127 · seen 4 s ago · /trainstatus why 4127\n"
        "\n"
        "-- \n"
        "You get this because oncall@example.com is a mail recipient of trainstatus.\n"
    )


def test_commands_are_for_where_they_can_be_typed():
    in_slack = replace(STUCK, commands=(("Look", "/trainstatus moe-16x3b"),))
    assert "To type in Slack:\nLook:  /trainstatus moe-16x3b\n" in mail_text(in_slack, FOOTER)
    assert ">To type in Slack<" in mail_html(in_slack, FOOTER)
    assert ">To type in a shell<" in mail_html(STUCK, FOOTER)


def test_a_resolve_mail_reads_like_this():
    assert mail_text(RESOLVED_STUCK, FOOTER).startswith(
        "RESOLVED: moe-16x3b resolved · STUCK 53m\n"
        "\n"
        "New lines again since 10:46:10 UTC (Tue 24 Nov): resumed on gpu-07 from the checkpoint at iteration 12,000.\n"
        "\n"
        "Silent:        09:52:35 to 10:46:10 UTC (53m 35s)\n"
        "Redone:        400 iterations\n"
        "ETA:           14:09 to 15:05 UTC (+56m)\n"
        "Acknowledged:  by U012ALICE at 10:31 UTC\n"
        "\n"
        "Incident 4127 · was critical · /trainstatus why 4127\n"
    )


@pytest.mark.parametrize("name", ALL)
def test_the_html_has_every_word_of_the_text(name):
    message = ALL[name]
    shown = html_words(message)
    for line in mail_text(message, FOOTER).splitlines():
        for words in re.split(r":? {2,}|: |, (?=[A-Z]{5})", line.removesuffix(":")):
            assert words in {"", "-- "} or words in shown.replace("→", "to")


@pytest.mark.parametrize("name", ALL)
def test_the_html_needs_nothing_from_elsewhere_and_nothing_in_it_acts(name):
    shown = Shown(mail_html(ALL[name], FOOTER))
    assert not {"a", "img", "link", "script", "form", "iframe", "button"} & set(shown.tags)
    assert not {"href", "src", "background", "action"} & {attribute for attribute, _ in shown.attributes}
    assert "url(" not in mail_html(ALL[name], FOOTER)


def test_the_html_is_one_card_of_600_px_for_light_and_dark():
    html = mail_html(STUCK, FOOTER)
    assert html.startswith("<!doctype html>")
    assert "max-width:600px" in html
    assert '<meta name="color-scheme" content="light dark">' in html
    assert "@media (prefers-color-scheme:dark)" in html


@pytest.mark.parametrize(
    ("look", "tone", "colour"),
    [
        (Look.CRITICAL, "critical", "#B3261E"),
        (Look.WARNING, "warning", "#8F5200"),
        (Look.RESOLVED, "resolved", "#1B6E3C"),
        (Look.FINISHED, "resolved", "#1B6E3C"),
        (Look.INFO, "info", "#0B5C8A"),
        (Look.UNKNOWN, "unknown", "#6B3FA0"),
    ],
)
def test_each_look_has_its_colour_and_its_shade_in_the_dark(look, tone, colour):
    html = mail_html(replace(STUCK, look=look), FOOTER)
    assert f"border-top:5px solid {colour}" in html
    assert re.search(rf'<p class="{tone}" style="[^"]*color:{colour};', html)
    assert re.search(rf"\.{tone}{{color:#\w{{6}}!important}}", html)


@pytest.mark.parametrize("look", Look)
def test_no_look_is_without_a_layout(look):
    assert mail_text(replace(STUCK, look=look), FOOTER)
    assert mail_html(replace(STUCK, look=look), FOOTER)


def test_what_a_list_of_mails_previews_is_the_whole_alert_and_no_body_text_leaks_in():
    shown = html_words(STUCK)
    preview = (
        "Critical: moe-16x3b STUCK 6m 12s on gpu-07. No new line since 09:52:35 UTC (Tue 24 Nov), iteration 12,400"
    )
    assert preview in shown
    assert shown.count("\u034f") >= 60
    assert "Resolved after 53m 35s: resumed at iteration 12,000" in html_words(RESOLVED_STUCK)


def test_the_sentence_is_strong_where_it_matters():
    assert re.search(
        r"<b>No new line since </b><b>09:52:35\sUTC\s\(Tue\s24\sNov\)</b> on gpu-07", mail_html(STUCK, FOOTER)
    )


def test_log_text_is_never_html():
    line = "<script>alert(1)</script> &amp; <b>\"'"
    html = mail_html(
        replace(STUCK, excerpt=(line,), hint=line, headline=line, sentence=(line,), commands=((line, line),)), FOOTER
    )
    assert "<script" not in html
    assert (
        Shown(html).text.count(line) == 7
    )  # title, preview excluded: title twice, sentence, excerpt, hint, command twice


@given(st.text(st.characters(codec=None), max_size=80))
def test_any_text_makes_a_mail_that_can_be_encoded(text):
    message = replace(
        STUCK,
        headline=text,
        sentence=(Strong((text,)), text),
        fallback=(text,),
        facts=(Fact(text, (text,)),),
        excerpt_title=text,
        excerpt=(text, text),
        hint=text,
        context=(text,),
        state=text,
        severity=text,
    )
    assert mail_text(message, FOOTER).encode()
    Shown(mail_html(message, FOOTER))


def test_a_late_mail_says_so_first():
    blocks = mail_text(LATE_STUCK, FOOTER).split("\n\n")
    assert blocks[1] == ("Sent 41m late: Slack did not answer from 09:58 to 10:39 UTC (Tue 24 Nov). (May be a repeat.)")
    assert blocks[2].startswith("No new line since 09:52:35 UTC on gpu-07")


def test_an_escalation_is_told_before_the_sentence_and_a_resolve_is_not_told_twice():
    assert mail_text(ESCALATED_STUCK, FOOTER).split("\n\n")[1] == "Critical now: no new line for 12m, the limit is 10m."
    assert "Resolved after 53m 35s" not in mail_text(RESOLVED_STUCK, FOOTER)


def test_an_ending_of_severity_info_has_no_severity_word():
    assert mail_text(FINISHED, FOOTER).startswith("FINISHED: sft-7b FINISHED in 9h 14m\n")
    assert mail_text(replace(FINISHED, look=Look.INFO), FOOTER).startswith("FINISHED: ")


def test_arrows_are_words_in_text_and_stay_in_html_except_between_times():
    assert "0.408 to 0.661 s per iteration" in mail_text(SLOW, FOOTER)
    assert "0.408 → 0.661 s per iteration" in html_words(SLOW)
    assert "12:48 UTC to 01:45 UTC (Wed 25 Nov) (+12h)" in html_words(SLOW)
    assert "\n\nHint: memory grew 71 to 79 GB since iteration 7,600" in mail_text(FAILED, FOOTER)
    assert "grew 71 → 79 GB" in html_words(FAILED)


def test_the_day_is_named_where_it_first_holds():
    assert worded(
        "at ", Time(ONSET), " and ", Time(RESUMED), " and ", minute(NEXT_DAY), " and ", minute(NEXT_DAY + 60)
    ) == ("at 09:52:35 UTC (Tue 24 Nov) and 10:46:10 UTC and 01:45 UTC (Wed 25 Nov) and 01:46 UTC")


@pytest.mark.parametrize("between", [" to ", " → "])
def test_a_range_on_one_day_names_zone_and_day_once(between):
    assert worded(Time(ONSET), between, Time(RESUMED)) == "09:52:35 to 10:46:10 UTC (Tue 24 Nov)"
    assert worded(Time(ONSET, TimeStyle.MINUTES), between, minute(NEXT_DAY)) == (
        "09:52 UTC (Tue 24 Nov) to 01:45 UTC (Wed 25 Nov)"
    )


def test_cleaning_takes_out_what_could_break_or_reorder_a_line():
    assert clean("a\nb\tc\x00d\x7fe\x85f\u2028g") == "a b c d e f g"
    assert clean("a\u202eb\u2066c\ufeffd\u200be") == "abcde"
    assert clean("a\ud800b") == "a\ufffdb"
    assert clean("naïve 迭代 → 🙂\u00a0s") == "naïve 迭代 → 🙂\u00a0s"


def test_a_long_line_loses_its_middle():
    line = clean("a" * 10_000 + "z")
    assert len(line) == LONGEST + 1
    assert (line[0], line[-1]) == ("a", "z")
    assert "…" in line


def test_the_title_keeps_what_only_looks_like_a_severity():
    assert page(replace(STUCK, headline="critical · critical")).title == "critical"
    assert page(replace(RESOLVED_STUCK, severity="")).title == "moe-16x3b resolved · STUCK 53m"
