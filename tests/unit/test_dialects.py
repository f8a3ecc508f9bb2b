"""Every dialect of the table keeps to what recognition and reading are built on."""

from __future__ import annotations

import re
from itertools import pairwise

import pytest

from monitor_core.model.records import Progress
from monitor_core.parse import DIALECTS, Parser
from monitor_core.parse.counter import Counter
from monitor_core.parse.dialect import Rank

FRAMEWORKS = [name for name, dialect in DIALECTS.items() if dialect.rank is Rank.FRAMEWORK]
RULES = [
    pytest.param(rule, id=f"{name}-{rule.literal!r}") for name, dialect in DIALECTS.items() for rule in dialect.rules
]
# A bar of a loop of one's own.
BARS = b"".join(b" %d%%|#   | %d/70 [00:15<00:18,  9.02it/s]\n" % (count, count) for count in (1, 2, 3))
# A line of this length is the longest that is read.
LONGEST = 8192
# A part that may be any text is tried from each place where the part before it fits.
WIDE = 100
ANY_TEXT = re.compile(rb"[.C]\{\d*,(\d+)\}")
WITHOUT_BOUND = re.compile(rb"[*+]|\{\d+,\}")


def example(name):
    return b"".join(line + b"\n" for line in DIALECTS[name].example.encode().splitlines())


def progress_of(records):
    return [record for record in records if isinstance(record, Progress)]


def agree(lines):
    return any(one.iteration < two.iteration and one.total == two.total for one, two in pairwise(lines))


def bare(pattern):
    """The pattern with each class and each escaped character as one letter, which is easier to look through."""
    return re.sub(rb"\[\^?\]?(?:\\.|[^\]])*\]", b"C", re.sub(rb"\\[^dDwWsSbB]", b"x", pattern))


@pytest.mark.parametrize("name", DIALECTS)
def test_a_dialect_is_named_titled_and_shown_by_an_example(name):
    dialect = DIALECTS[name]
    assert dialect.name == name == name.lower()
    assert dialect.title
    assert all(line.strip() for line in dialect.example.splitlines())


@pytest.mark.parametrize("name", DIALECTS)
def test_the_example_of_a_dialect_is_progress_in_it(name):
    counter = Counter()
    records = [DIALECTS[name].record(line, counter) for line in example(name).splitlines()]
    assert progress_of(records)
    assert DIALECTS[name].title


@pytest.mark.parametrize("name", DIALECTS)
def test_the_example_of_a_dialect_is_recognised_as_its_own(name):
    parser = Parser()
    records = parser.feed(example(name))
    assert parser.format == name
    assert progress_of(records)


# GPT-NeoX came of Megatron: either reads the lines of GPT-NeoX, and it is asked first.
KIN = {"gpt-neox": "megatron"}


@pytest.mark.parametrize("name", DIALECTS)
def test_no_other_framework_claims_the_example_of_a_dialect(name):
    for other in FRAMEWORKS:
        counter = Counter()
        records = [DIALECTS[other].record(line, counter) for line in example(name).splitlines()]
        believed = counter.proven or not DIALECTS[other].needs_proof
        assert other in {name, KIN.get(name)} or not believed or not progress_of(records), other


def test_frameworks_are_asked_before_what_is_printed_inside_of_them():
    ranks = [dialect.rank for dialect in DIALECTS.values()]
    assert ranks == sorted(ranks)


@pytest.mark.parametrize("name", [name for name in DIALECTS if name != "tqdm" and not DIALECTS[name].needs_proof])
def test_two_lines_of_a_dialect_outweigh_bars_that_came_first(name):
    parser = Parser()
    parser.feed(BARS)
    assert parser.format == "tqdm"
    lines = progress_of(Parser(name).feed(example(name)))
    parser.feed(example(name))
    assert parser.format == (name if agree(lines) else "tqdm")


@pytest.mark.parametrize("rule", RULES)
def test_a_literal_is_part_of_one_line_and_says_enough_to_be_rare(rule):
    assert b"\n" not in rule.literal
    assert len(rule.literal.strip(b" ")) > 1


@pytest.mark.parametrize("rule", [param for param in RULES if param.values[0].pattern])
def test_a_pattern_takes_a_time_that_grows_as_its_line(rule):
    pattern = bare(rule.pattern)
    assert not WITHOUT_BOUND.search(pattern), pattern
    assert sum(int(bound) > WIDE for bound in ANY_TEXT.findall(pattern)) <= 1, pattern


@pytest.mark.parametrize("name", DIALECTS)
def test_lines_made_of_what_a_dialect_looks_for_are_read_to_their_end(name):
    words = [*DIALECTS[name].literals, *example(name).splitlines()]
    for word in words:
        for filling in (b"", b" ", b"\t", b"1", b"|", b": "):
            line = ((word + filling) * LONGEST)[:LONGEST]
            Parser(name).feed(line + b"\n" + filling * (LONGEST - len(word)) + word + b"\n")
