"""What a look at a host brought → an answer (pure)."""

from __future__ import annotations

from bot import messages
from bot.answers import Answer, Offer, answer, offers, plainly, said
from bot.blocks import SECTION, context, escape, log_text, section, strong
from monitor_core.model.message import Text, Time
from monitor_core.model.views import LogTail, Verdict
from monitor_core.units import duration

WIDTH = 90  # characters of a log line: thirty of them fit into a section
_EMOJI = (":large_green_circle:", ":large_orange_diamond:", ":red_circle:", ":large_purple_square:")
_WORDS = ("OK", "WARNING", "CRITICAL", "UNKNOWN")


def check_page(found: Verdict) -> Answer:
    """Say what a look at a run found, in the words of the shell."""
    word = f"{_WORDS[found.status]} {found.run}:"
    return answer(
        escape(f"{word} {found.text}"),
        section(f"{_EMOJI[found.status]} {strong(escape(word))} {escape(found.text)}"),
        offers(
            Offer("Check again", f"check {found.run}", refresh=True),
            Offer("Show log", f"log {found.run}"),
            Offer("All of it", f"run {found.run}"),
        ),
        context(f"Looked at {found.host} just now; nothing was stored"),
    )


def log_page(tail: LogTail, lines: int) -> Answer:
    """Show the last lines of a log; where they do not fit, the oldest are left out."""
    if tail.trouble:
        return plainly(f"{tail.run}: {tail.trouble}.")
    shown = len(tail.lines)
    while len(text := log_text(tail.lines, shown, WIDTH)) > SECTION and shown > 1:
        shown -= 1
    title = (f"{tail.host}:{tail.path}", *_written(tail))
    secrets = messages.secrets_redacted(tail.redacted)
    return answer(
        f"The last {shown} lines of {escape(tail.path)} on {escape(tail.host)}.",
        section(f"{strong(escape(tail.run))}  {said(title, tail.at)}"),
        section(text or "It is empty."),
        offers(Offer("Refresh", f"log {tail.run} {lines}", refresh=True), Offer("Check now", f"check {tail.run}")),
        context(secrets) if secrets else None,
    )


def _written(tail: LogTail) -> Text:
    if tail.written_at is None:
        return ()
    return (", written ", Time(tail.written_at), f" ({duration(tail.at - tail.written_at)} ago)")
