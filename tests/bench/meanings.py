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

HEALTHY = """\
Trainings in which nothing is wrong, generated (tests/bench/streams.py) with noise that was fitted to real ones: a third
of the runs has the noise of the quietest tenth of them, a third that of the middle, a third that of the roughest tenth,
in every respect at once. Each run lasts 40 h and is looked at once a minute. In brackets stands the exact upper 95 %
bound of the Poisson mean. What flaps counts once, as it is told; with the seed preset nothing is held back. Generator
and limits were fixed before the detectors were tuned."""

BY_CONDITION = """\
The same, for each sort of training. Pauses last at least a minute (evaluations 40 s), some much longer, up to twice the
longest before. That a run was ended and resumed is true, and no false alarm."""

FAULTS = """\
The fault begins after 200 to 300 lines. Told is what was told of the right kind while it held, or at the first look
afterwards; the delay runs from its true beginning to the look that told it, with a look each minute, a line each 40 s
(60 s where a line tells of 10 iterations). A hang is late by what passes after the limit of the silence. Of the noises,
quiet and usual are below 3 %."""

LOGS = """\
Logs of others, published with their code, replayed by the times that they print, or where they print none by the times
per iteration added up; without those that failed and those without progress. What is told though nobody read in them
that it was so is a false alarm."""

EVENTS = """\
Small trainings of ten frameworks with faults injected and labelled, replayed as their bytes came, with a look each
second and `stuck_floor` at 5 s: their iterations last 0.04 to 0.8 s, and most are written in blocks that come every 5
to 9 s. The delay runs from the beginning of the fault."""

RUNS = """\
An alarm in a window in which the machine was busy with something else counts neither way. A single slow iteration is no
fault: what is told of it counts as outside events."""

ENDINGS = """\
Of the real logs and the labelled runs together: those that crashed, with the root cause that a person found or
injected, and those that finished."""

COST = """\
## What it costs
What trainstatus costs, beside the way of the tool that it replaces: at each check that one connects anew, reads the
whole log over SFTP and matches one pattern on each line. Its way was written anew for this page from its description
(tests/bench/original.py). Both ways run on the same log, the same machine and a real sshd on its loopback interface,
one after the other: trust the ratios more than the figures.

A figure is the median of many polls, and of two or three runs where one takes seconds; bytes were counted in runs of
their own. Each way runs in a process of its own; its memory is the most that it ever held.
The log is that of a Megatron training, one line in eleven tells of progress. MB and KB are powers of ten."""

RECORDED = """\
## What is told of real trainings
Only what people are told counts: incidents that fired, without those that a flapping one holds back. Preset `default`
are our rules, `seed` those of the original tool to the letter, on which nothing was asked."""

GENERATED = """\
## What is told of generated trainings
Real logs are too few to tell how rare false alarms are. `python -m tests.bench.generated --help` says how to generate
less, or to look at each false alarm."""
