"""Skipping: iterations that fp16 skips, and a loss scale that collapses."""

from __future__ import annotations

import pytest

from monitor_core.model.incidents import Severity
from tests.support.losses import found, kinds, megatron


def lines_of(scales, *, step=1, skipped=lambda _: 0):
    return [
        megatron(step * n, 2.0 + n % 5 / 100, scale=str(float(scale)), skipped=skipped(n))
        for n, scale in enumerate(scales, 1)
    ]


def test_more_than_a_fifth_of_the_last_iterations_skipped_is_told_until_it_is_a_tenth():
    lines = lines_of([1024] * 400, skipped=lambda n: n > 250 and n % 3 == 0)
    (incident,) = found(lines)
    assert (incident.kind, incident.severity) == ("skipping", Severity.WARNING)
    assert (incident.facts["what"], incident.facts["limit"], incident.facts["of"]) == ("skipped", 0.2, 50)
    assert incident.facts["share"] == pytest.approx(1 / 3, abs=0.02)
    assert 250 < incident.facts["since_iteration"] < 290
    assert [one.active for one in found([*lines, *lines_of([1024] * 460)[400:]])] == [False]
    fewer = lines_of([1024] * 460, skipped=lambda n: n > 250 and n % 7 == 0)[400:]
    assert [one.active for one in found([*lines, *fewer])] == [True]
    assert kinds(lines, skipping="50%") == []


def test_lines_of_many_iterations_count_by_their_iterations():
    assert kinds(lines_of([1024] * 60, step=10, skipped=lambda n: 3 * (n > 30))) == ["skipping"]
    assert kinds(lines_of([1024] * 60, step=10, skipped=lambda n: n > 30)) == []


def test_what_the_first_iterations_skip_to_find_the_scale_is_healthy():
    search = [2.0 ** max(15, 32 - n) for n in range(1, 300)]
    assert kinds(lines_of(search, skipped=lambda n: n < 60)) == []


def test_a_scale_that_is_halved_four_times_in_short_time_is_told():
    (incident,) = found(lines_of([65536] * 300 + [32768] * 10 + [16384] * 10 + [8192] * 10 + [4096] * 10))
    facts = incident.facts
    assert (incident.kind, facts["what"], facts["scale_before"], facts["scale"]) == ("skipping", "scale", 65536, 4096)
    assert facts["since_iteration"] == 331


@pytest.mark.parametrize(
    ("scales", "step"),
    [
        ([1.0] * 600, 1),
        ([64, 32, 16, 8, 4, 4, 8, 4, 2, 1, 0.5, 1, 2, 1, 0.5, 1, 2, 4, 8, 16] * 10, 200),
        ([65536] * 300 + [32768] * 100 + [16384] * 100 + [32768] * 100, 1),
    ],
    ids=["bf16", "one that settles", "one that is searched again"],
)
def test_a_scale_that_stays_or_falls_slowly_is_healthy(scales, step):
    assert kinds(lines_of(scales, step=step)) == []
