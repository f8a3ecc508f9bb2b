"""What each table means, in a few sentences: the words of the page beside its figures."""

from __future__ import annotations

POLL = """\
A poll asks over a standing connection for the bytes after the last one, parses and judges them, and commits them with
all that they cause. Most of the original's time is no work: its SSH library lets the kernel hold small packets back
until earlier ones are acknowledged (Nagle's algorithm). The second row is its way without that. Bytes are those on the
wire, where ours are compressed. The floor is what running `true` on the host costs over a connection like ours."""

SIZES = """\
What a poll costs depends on what is new, not on what is there; the last row says how nearly."""

MEMORY = """\
Ours holds everything that a monitor with Slack loads, and went through the first look at the log, which is read in
pieces. The original loads less and is the smaller one while the log is small; then it holds all lines at once."""

FIRST_LOOK = """\
Both connect, read, parse and judge. Ours reads the last 16 MiB: enough to know how the run has been going. The second
row is our reader and parser made to go through all of it, so that what was not read is not taken for speed."""

PARSE = """\
No disk and no network: the log is in memory, as decoded lines for the original's pattern, which it searches for in each
line, as blocks of bytes for our parser, which also looks for checkpoints, evaluations, ends and errors and makes
numbers of all fields. Both found every iteration. What it costs to recognise the format is the difference to a parser
that was told it; `rg` only counts the lines, and says how fast a file can be searched at all."""

HOSTILE = """\
Cut into lines and parsed, twice: half of it and all of it. Twice as much should take twice as long, whatever it is."""

START_UP = """\
Who asks for help should not wait for libraries that it does not need. The original has no help: beside ours stand its
imports. Large libraries that `trainstatus --help` loads: {libraries}."""

FLEET = """\
One process watches {runs} runs on {hosts} hosts every {interval:g} s for {seconds:g} s, with Slack connected; each run
writes a progress line and ten others every 10 s. All hosts are one sshd of this machine, whose share, with what runs in
its sessions, stands apart: with real hosts it is theirs. A check interval without a look at a run is a missed one."""

HISTORY = """\
The original keeps nothing. Each progress line becomes a record in the transaction that its poll has anyway; after two
days one in ten minutes is left, after thirty none. Besides, each run had a trouble a day, with messages, a mute and an
acknowledgement, which are kept for longer. Once an hour what is old is removed, in steps: between two of them others
may write. A record's bytes are those of the file, divided by the records in it."""
