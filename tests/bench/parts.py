"""What `make bench` measures, part by part: each says why it cannot be measured here, and measures."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from tests.bench import generated, generated_tables, meanings, recorded
from tests.bench.lab import open_lab
from tests.bench.machine import machine
from tests.bench.tables import Bench, Plan
from tests.support.sshd import why_not


def _cost(arguments):
    facts = machine()
    with open_lab() as lab:
        return facts, Bench(lab, Plan(full=arguments.full)).tables()


def _recorded(_arguments):
    return {}, recorded.tables()


def _generated(_arguments):
    return {}, generated_tables.tables(*generated.measure(generated.Plan()))


@dataclass(frozen=True)
class Part:
    """A part of the page; `measure` returns with what it was measured, and its tables."""

    introduction: str
    measure: Callable
    why_not: Callable = lambda: None


PARTS = {
    "cost": Part(meanings.COST, _cost, why_not),
    "recorded": Part(meanings.RECORDED, _recorded),
    "generated": Part(meanings.GENERATED, _generated),
}
# Names for several of them.
GROUPS = {"detection": ("recorded", "generated")}
