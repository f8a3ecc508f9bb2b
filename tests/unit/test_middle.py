"""The median that is kept from one value to the next is the one that all values have."""

from __future__ import annotations

import random
import statistics

from monitor_core.track.memory import dump, load
from monitor_core.track.pace import WINDOW, Middle
from monitor_core.track.state import RunState


def test_the_median_is_that_of_the_last_values_whatever_comes_and_however_often_the_same():
    chance, middle, values, given = random.Random(1), Middle(), [], []
    for _ in range(3 * WINDOW):
        given.append(chance.choice([1.0, 2.0, chance.random()]))
        assert middle.remember(values, given[-1]) == statistics.median(given[-WINDOW:])
    assert values == given[-WINDOW:]


def test_a_list_that_was_replaced_or_emptied_is_put_in_order_anew():
    middle, values = Middle(), [1.0, 2.0]
    assert middle.remember(values, 3.0) == 2.0
    assert middle.remember([10.0, 20.0, 30.0], 40.0) == 25.0
    values.clear()
    assert middle.remember(values, 5.0) == 5.0


def test_what_is_stored_holds_the_values_once_and_gives_the_same_median():
    state = RunState()
    state.pace.accept(7.0)
    state.pace.accept(9.0)
    assert "ordered" not in dump(state)
    again = load(dump(state))
    assert again.pace.middle.remember(again.pace.accepted, 8.0) == 8.0
