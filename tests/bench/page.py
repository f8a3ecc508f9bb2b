"""The page that the bench writes: parts between comments, each measured by itself."""

from __future__ import annotations

import re

INTRODUCTION = """\
# Benchmarks

Written by `make bench`; do not edit. Each part says when it was measured and by which command: `python -m tests.bench
--only PART` measures and replaces one of them: {parts}; `detection` stands for the last two. Limits were set before
the measurement; they fail nothing.
"""


def part(introduction, facts, tables):
    """Return a part of the page, in Markdown: what it is about, what it was measured with, and its tables."""
    return "\n\n".join([introduction, _table(("measured", "with"), facts.items()), *map(section, tables)])


def section(table):
    """Return a table under its title, with what it means."""
    rows = _table(table.head, (row.cells() for row in table.rows))
    return f"### {table.title}\n{table.meaning}\n\n{rows}"


def replaced(page, name, text, names):
    """Return the page with one part replaced; of a part that it lacks it says that it was not measured yet."""
    texts = {known: _found(page, known) for known in names} | {name: text}
    parts = [f"{_begin(known)}\n\n{texts[known]}\n\n{_end(known)}\n" for known in names]
    return "\n".join([INTRODUCTION.format(parts=", ".join(f"`{known}`" for known in names)), *parts])


def _found(page, name):
    match = re.search(f"{_begin(name)}\n+(.*?)\n+{_end(name)}", page, re.DOTALL)
    return match[1] if match else "Not measured yet."


def _begin(name):
    return f"<!-- bench: {name} -->"


def _end(name):
    return f"<!-- end of {name} -->"


def _table(head, rows):
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(map(str, cells))} |" for cells in lines)
