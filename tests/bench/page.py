"""The page that the bench writes."""

from __future__ import annotations

_HEAD = ("quantity", "original's way", "ours", "times better", "limit")
_INTRODUCTION = """\
# Benchmarks

Written by `make bench`; do not edit. What trainstatus costs, beside the way of the tool that it replaces: at each check
that one connects anew, reads the whole log over SFTP and matches one pattern on each line. Its way was written anew for
this page from its description (tests/bench/original.py). Both ways run on the same log, the same machine and a real
sshd on its loopback interface, one after the other: trust the ratios more than the figures.

A figure is the median of many polls, and of two or three runs where one takes seconds; bytes were counted in runs of
their own. Each way runs in a process of its own; its memory is the most that it ever held.
The log is that of a Megatron training, one line in eleven tells of progress. MB and KB are powers of ten.
Limits were set before the measurement; they fail nothing."""


def page(tables, machine, date, command):
    """Return the page, in Markdown."""
    facts = {"Command": f"`{command}`", "Date": f"{date} UTC", **machine}
    parts = [
        _INTRODUCTION,
        _table(("measured", "with"), facts.items()),
        *(f"## {table.title}\n{table.meaning}\n\n{_rows(table)}" for table in tables),
    ]
    return "\n\n".join(parts) + "\n"


def _rows(table):
    return _table(_HEAD, (row.cells() for row in table.rows))


def _table(head, rows):
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)
