from __future__ import annotations

import io
import os
from dataclasses import replace

import pytest
from rich.console import Console

from monitor_core.errors import NotifyError
from monitor_core.notify.console import ConsoleNotifier
from tests.support.messages import (
    ALL,
    ESCALATED_STUCK,
    FAILED,
    FINISHED,
    LATE_STUCK,
    RESOLVED_STUCK,
    STUCK,
    UNREACHABLE,
)

ESCAPE = "\x1b["


def shown(message, *, width=100, terminal=False):
    file = io.StringIO()
    console = Console(file=file, width=width, force_terminal=terminal, color_system="standard" if terminal else None)
    ConsoleNotifier(console).send("terminal", message, key="k", previous="")
    return file.getvalue()


def test_a_message_reads_from_mark_to_commands():
    assert shown(STUCK).replace("\u00a0", " ") == (
        "CRITICAL · FIRING  moe-16x3b STUCK 6m 12s\n"
        "No new line since 09:52:35 UTC (Tue 24 Nov) on gpu-07. One was due every 41 s; the limit is 6m.\n"
        "  Iteration  12,400 / 50,000 (24.8%)\n"
        "  Loss       2.314, falling until then\n"
        "  ETA        14:09 to 14:15 UTC (+6m and growing)\n"
        "  Owner      U034BOB\n"
        "  Log: still written, but no progress line\n"
        "    09:52:35 iteration 12400/50000 | … | lm loss: 2.314012E+00\n"
        "    09:52:51 [rank5] open <shard 0812> …?key=[redacted]&retry=3\n"
        "    09:57:51 [rank0] watchdog: ALLREDUCE … running for 301 s\n"
        "  Acknowledge  trainstatus ack 4127\n"
        "  Mute         trainstatus mute moe-16x3b 1h\n"
        "  Incident 4127 · seen 4 s ago · /trainstatus why 4127\n"
        "\n"
    )


def test_a_resolve_is_two_sentences():
    assert shown(RESOLVED_STUCK).replace("\u00a0", " ") == (
        "RESOLVED  moe-16x3b resolved · STUCK 53m\n"
        "New lines again since 10:46:10 UTC (Tue 24 Nov): resumed on gpu-07 from the checkpoint at iteration\n"
        "12,000.\n"
        "\n"
    )


def test_an_ending_has_its_facts():
    text = shown(FINISHED)
    assert text.startswith("FINISHED  sft-7b FINISHED in 9h 14m\n")
    assert "  Speed       11.1\u00a0s per iteration\n" in text


def test_a_late_message_says_so_before_its_sentence():
    lines = shown(LATE_STUCK, width=200).splitlines()
    assert lines[1].startswith("Sent 41m late: Slack did not answer from 09:58 to 10:39")
    assert lines[1].endswith("(May be a repeat.)")
    assert lines[2].startswith("No new line since")


def test_an_escalation_says_what_has_changed():
    assert shown(ESCALATED_STUCK).splitlines()[1] == "Critical now: no new line for 12m, the limit is 10m."


def test_a_hint_is_told():
    assert "Hint: memory grew 71 to 79\u00a0GB since iteration 7,600" in shown(FAILED)


@pytest.mark.parametrize("name", ALL)
def test_what_is_no_terminal_gets_no_colour(name):
    assert ESCAPE not in shown(ALL[name])


def test_a_terminal_gets_the_mark_in_its_colour_and_the_strong_words_bold():
    text = shown(STUCK, terminal=True)
    assert f"{ESCAPE}1;31mCRITICAL · FIRING{ESCAPE}0m" in text
    assert f"{ESCAPE}1mNo new line since " in text
    assert f"{ESCAPE}1;32mRESOLVED{ESCAPE}0m" in shown(RESOLVED_STUCK, terminal=True)
    assert f"{ESCAPE}1;35mWARNING · FIRING{ESCAPE}0m" in shown(UNREACHABLE, terminal=True)


def test_log_text_is_never_markup():
    line = "[bold red]x[/] :warning: [link=https://example.com]y[/link] [rank0]"
    text = shown(replace(STUCK, excerpt=(line,), hint=line, headline=line), terminal=True, width=200)
    assert text.count("[bold red]x[/] :warning: [link=https://example.com]y[/link] [rank0]") == 3


def test_log_text_cannot_steer_the_terminal():
    hostile = "a\x1b]0;title\x07b\x1b[2Jc\rd\u202ee\ud800f\x9bg"
    text = shown(replace(STUCK, excerpt=(hostile,), sentence=(hostile,), headline=hostile))
    for character in "\x1b\x07\r\u202e\ud800\x9b":
        assert character not in text
    assert len(text.split("\n")) == len(shown(replace(STUCK, excerpt=("harmless",))).split("\n"))


@pytest.mark.parametrize("width", [30, 40, 80, 200])
@pytest.mark.parametrize("name", ALL)
def test_no_line_is_wider_than_the_terminal_and_no_word_is_lost(name, width):
    message = replace(ALL[name], excerpt=("word " * 20 + "x" * 300,))
    text = shown(message, width=width)
    assert max(map(len, text.splitlines())) <= width
    assert "".join(text.split()).count("x" * 300) == (name != "resolved")


def test_a_narrow_terminal_keeps_labels_and_values_apart():
    lines = shown(STUCK, width=34).splitlines()
    place = lines.index("  Iteration  12,400 / 50,000")
    assert lines[place + 1] == "             (24.8%)"


def test_an_output_with_few_letters_gets_question_marks_instead_of_an_error():
    file = io.TextIOWrapper(io.BytesIO(), encoding="ascii")
    ConsoleNotifier(Console(file=file)).send("terminal", STUCK, key="k", previous="")
    assert file.buffer.getvalue().startswith(b"CRITICAL ? FIRING")


def test_an_output_that_was_closed_is_a_permanent_error():
    reader, writer = os.pipe()
    os.close(reader)
    file = os.fdopen(writer, "w")
    notifier = ConsoleNotifier(Console(file=file))
    with pytest.raises(NotifyError, match="takes no output") as caught:
        notifier.send("terminal", STUCK, key="k", previous="")
    assert caught.value.permanent
    with pytest.raises(BrokenPipeError):
        file.close()
    with pytest.raises(NotifyError) as caught:
        notifier.send("terminal", STUCK, key="k", previous="")
    assert caught.value.permanent


def test_a_full_disk_is_worth_another_try():
    file = open("/dev/full", "w")  # noqa: PTH123, SIM115 a device, whose close fails too
    with pytest.raises(NotifyError) as caught:
        ConsoleNotifier(Console(file=file)).send("terminal", STUCK, key="k", previous="")
    assert not caught.value.permanent
    with pytest.raises(OSError, match="No space left"):
        file.close()


def test_the_first_reference_is_kept_and_any_target_will_do():
    notifier = ConsoleNotifier(Console(file=io.StringIO()))
    assert notifier.send("terminal", STUCK, key="first", previous="") == "first"
    assert notifier.send("terminal", RESOLVED_STUCK, key="second", previous="first") == "first"
    assert notifier.check_target("anything") == ""
    assert (notifier.name, notifier.edits) == ("console", False)
    notifier.close()
