from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor_core.thresholds import CATALOGUE, Preset, Value, preset_values


@pytest.mark.parametrize(
    ("name", "typed", "value", "text"),
    [
        ("slow", "1.2", Value(1.2, is_duration=False), "1.2"),
        ("slow", " 1.2X ", Value(1.2, is_duration=False), "1.2"),
        ("stuck", "3.0", Value(3.0, is_duration=False), "3"),
        ("stuck", "20m", Value(1200.0, is_duration=True), "20m"),
        ("stuck_floor", "1h30m", Value(5400.0, is_duration=True), "1h30m"),
        ("unreachable", "0s", Value(0.0, is_duration=True), "0s"),
        ("loss_flat", "200", Value(200.0, is_duration=False), "200"),
        ("skipping", "25%", Value(0.25, is_duration=False), "0.25"),
        ("skipping", "0.25", Value(0.25, is_duration=False), "0.25"),
    ],
)
def test_a_threshold_is_read_and_written_as_people_type_it(name, typed, value, text):
    assert CATALOGUE[name].read(typed) == value
    assert value.text == text


@pytest.mark.parametrize(
    ("name", "typed", "said"),
    [
        ("slow", "5m", "'5m' is not a ratio (examples: 1.1, 2, 3.5); allowed for slow: 1.01 to 100"),
        ("slow", "1.2.3", "'1.2.3' is not a ratio (examples: 1.1, 2, 3.5); allowed for slow: 1.01 to 100"),
        ("slow", "²", "'²' is not a ratio (examples: 1.1, 2, 3.5); allowed for slow: 1.01 to 100"),
        ("slow", "-2", "'-2' is not a ratio (examples: 1.1, 2, 3.5); allowed for slow: 1.01 to 100"),
        ("slow", "nan", "'nan' is not a ratio (examples: 1.1, 2, 3.5); allowed for slow: 1.01 to 100"),
        ("slow", "1.0x", "'1.0x' is out of range; allowed for slow: 1.01 to 100"),
        (
            "stuck",
            "",
            "'' is not a ratio or duration (examples: 1.5, 30s, 20m, 1h30m); allowed for stuck: 1 to 1000, or 1s to 7d",
        ),
        ("stuck", "8d", "'8d' is out of range; allowed for stuck: 1 to 1000, or 1s to 7d"),
        ("stuck", "1001", "'1001' is out of range; allowed for stuck: 1 to 1000, or 1s to 7d"),
        ("loss_flat", "5.5", "'5.5' is not a whole number (examples: 50, 200); allowed for loss_flat: 20 to 100000"),
        ("skipping", "2x", "'2x' is not a share (examples: 0.2, 20%); allowed for skipping: 0.01 to 1"),
        ("skipping", "200%", "'200%' is out of range; allowed for skipping: 0.01 to 1"),
        ("stuck_floor", "2", "'2' is not a duration (examples: 30s, 20m, 1h30m); allowed for stuck_floor: 0.1s to 1d"),
    ],
)
def test_a_bad_threshold_is_refused_with_what_is_allowed(name, typed, said):
    with pytest.raises(ValueError) as refusal:
        CATALOGUE[name].read(typed)
    assert str(refusal.value) == said


@pytest.mark.parametrize("typed", ["9" * 400, "9" * 400 + "d", "9" * 400 + ".5x"])
def test_a_number_beyond_all_bounds_is_out_of_range(typed):
    with pytest.raises(ValueError, match="out of range"):
        CATALOGUE["stuck"].read(typed)


@given(st.sampled_from(sorted(CATALOGUE)), st.text() | st.from_regex(r"[0-9.]{1,8}[smhdx]?", fullmatch=True))
def test_whatever_is_typed_is_a_value_within_bounds_or_refused(name, typed):
    threshold = CATALOGUE[name]
    try:
        value = threshold.read(typed)
    except ValueError as refusal:
        assert "allowed for" in str(refusal)  # noqa: PT017 both ends are right
        return
    low, high = (threshold.shortest, threshold.longest) if value.is_duration else (threshold.low, threshold.high)
    assert low <= value.amount <= high


def test_every_preset_has_values_that_its_thresholds_take():
    default = {name: value and value.text for name, value in preset_values(Preset.DEFAULT).items()}
    seed = {name: value and value.text for name, value in preset_values(Preset.SEED).items()}
    assert default == {
        "stuck": "2",
        "stuck_critical": "5",
        "stuck_floor": "2m",
        "slow": "1.1",
        "slow_critical": "1.5",
        "not_exiting": "10m",
        "loss_spike": "6",
        "diverged": "1.3",
        "loss_flat": "50",
        "skipping": "0.2",
        "unreachable": "1m",
        "log_missing": "3m",
        "flapping": "1h",
        "blind": "3m",
    }
    assert (seed["stuck"], seed["slow"], seed["stuck_floor"], seed["slow_critical"]) == ("2", "1.5", None, None)
