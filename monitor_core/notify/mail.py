"""Lays a message out as the text and the HTML of a mail (pure)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from jinja2 import Environment, PackageLoader, StrictUndefined

from monitor_core.model.message import Look, Message
from monitor_core.notify.render import Page, page, plain
from monitor_core.units import NBSP

# The colour's name is a class of the template, which has another shade of it for dark mode.
_TONES: Mapping[Look, str] = {
    Look.CRITICAL: "critical",
    Look.WARNING: "warning",
    Look.INFO: "info",
    Look.UNKNOWN: "unknown",
    Look.ACKNOWLEDGED: "info",
    Look.MUTED: "quiet",
    Look.RESOLVED: "resolved",
    Look.FINISHED: "resolved",
    Look.FLAPPING: "warning",
}
_IN_SLACK, _IN_SHELL = "To type in Slack", "To type in a shell"
_SIGNATURE = "-- "  # mail programs grey out what follows (RFC 3676, 4.3)
_TEMPLATES = Environment(
    loader=PackageLoader("monitor_core.notify"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)


def mail_text(message: Message, footer: Sequence[str]) -> str:
    """Return the mail as plain text, complete by itself; `footer` says why its reader gets it."""
    words = page(message)
    blocks = (
        f"{', '.join(words.mark)}: {words.title}",
        *(plain(paragraph) for paragraph in words.paragraphs),
        _members(words),
        _rows([(label, plain(value)) for label, value in words.facts]),
        _excerpt(words),
        f"Hint: {words.hint}" if words.hint else "",
        f"{_to_type(words)}:\n{_rows(words.commands)}" if words.commands else "",
        words.context,
        "\n".join((_SIGNATURE, *footer)),
    )
    return "\n\n".join(block for block in blocks if block).replace(NBSP, " ") + "\n"


def mail_html(message: Message, footer: Sequence[str]) -> str:
    """Return the mail as HTML: one table, styles in place, no image, and no link that acts."""
    template, words = _TEMPLATES.get_template("alert.html.j2"), page(message, arrow="→")
    return template.render(page=words, tone=_TONES[message.look], to_type=_to_type(words), footer=footer)


def _to_type(words: Page) -> str:
    return _IN_SLACK if any(command.startswith("/") for _, command in words.commands) else _IN_SHELL


def _rows(rows: Sequence[tuple[str, str]]) -> str:
    width = max((len(label) for label, _ in rows), default=0) + 3
    return "\n".join(f"{f'{label}:':<{width}}{value}" if value else label for label, value in rows)


def _members(words: Page) -> str:
    rows = [(label, plain(value)) for label, value in words.members]
    return f"{words.members_title}:\n{_rows(rows)}" if rows else ""


def _excerpt(words: Page) -> str:
    return "\n".join((words.excerpt_title, *(f"  {line}" for line in words.excerpt))) if words.excerpt else ""
