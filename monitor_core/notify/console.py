"""Prints messages in a terminal, or plainly where the output is none."""

from __future__ import annotations

from io import StringIO
from typing import Any

from rich.console import Console, Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from monitor_core.errors import NotifyError
from monitor_core.model.message import Look, Message
from monitor_core.notify.render import Page, Piece, Pieces, page

_INDENT = (0, 0, 0, 2)
_STYLES = {
    Look.CRITICAL: "bold red",
    Look.WARNING: "bold yellow",
    Look.INFO: "bold blue",
    Look.UNKNOWN: "bold magenta",
    Look.ACKNOWLEDGED: "bold blue",
    Look.MUTED: "bold dim",
    Look.RESOLVED: "bold green",
    Look.FINISHED: "bold green",
    Look.FLAPPING: "bold yellow",
}


class ConsoleNotifier:
    """Prints each message to a terminal; `console` says which, the standard output if left out."""

    name = "console"
    edits = False

    def __init__(self, console: Console | None = None) -> None:
        self._console = console or Console()

    def check_target(self, target: str) -> str:  # noqa: ARG002 there is one terminal
        """Accept any target: there is one terminal."""
        return ""

    def send(self, target: str, message: Message, *, key: str, previous: str) -> str:
        """Print the message and return its key, or `previous`; raise NotifyError if the output takes nothing."""
        try:
            self._console.file.write(_painted(message, self._console))
            self._console.file.flush()
        except (OSError, ValueError) as error:
            closed = isinstance(error, (BrokenPipeError, ValueError))
            raise NotifyError(f"{target} takes no output: {error}", permanent=closed) from error
        return previous or key

    def close(self) -> None:
        """Leave the terminal to whoever opened it."""


def _painted(message: Message, console: Console) -> str:
    """Return what the console is to show; rich does not write it, for it would end the process on a broken pipe."""
    colours: Any = console.color_system
    canvas = Console(file=StringIO(), width=console.width, color_system=colours, highlight=False)
    with canvas.capture() as capture:
        canvas.print(_layout(message))
    lines = "".join(f"{line.rstrip()}\n" for line in capture.get().splitlines())
    return lines.encode(console.encoding, "replace").decode(console.encoding)


def _layout(message: Message) -> Group:
    words = page(message)
    parts: list[RenderableType] = [_headline(words, _STYLES[message.look]), *map(_text, words.paragraphs)]
    if message.look is not Look.RESOLVED:
        parts += _details(words)
    return Group(*parts, "")


def _headline(words: Page, style: str) -> Text:
    return Text.assemble((" · ".join(words.mark), style), "  ", (words.title, "bold"))


def _text(pieces: Pieces) -> Text:
    return Text.assemble(*((words, "bold" if strong else "") for words, strong in pieces))


def _details(words: Page) -> list[RenderableType]:
    excerpt = Text("\n".join(words.excerpt), style="dim", overflow="fold")
    commands = tuple((label, (Piece(command),)) for label, command in words.commands)
    blocks: list[tuple[bool, RenderableType]] = [
        (bool(words.members), Group(Text(words.members_title), Padding(_rows(words.members), _INDENT))),
        (bool(words.facts), _rows(words.facts)),
        (bool(words.excerpt), Group(Text(words.excerpt_title), Padding(excerpt, _INDENT))),
        (bool(words.hint), Text(f"Hint: {words.hint}")),
        (bool(commands), _rows(commands)),
        (bool(words.context), Text(words.context, style="dim")),
    ]
    return [Padding(block, _INDENT) for filled, block in blocks if filled]


def _rows(rows: tuple[tuple[str, Pieces], ...]) -> Table:
    table = Table.grid(padding=(0, 2, 0, 0))
    table.add_column(style="dim", no_wrap=True)
    table.add_column(overflow="fold")
    for label, value in rows:
        table.add_row(Text(label), _text(value))
    return table
