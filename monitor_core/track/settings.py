"""What a run was told at its start, where its log prints it: how often it logs, evaluates and saves."""

from __future__ import annotations

from collections.abc import Iterable

from monitor_core.model.records import Marker, MarkerKind, Record


def settings_of(records: Iterable[Record]) -> dict[str, int]:
    """Return the settings that records tell of, by name; those that are no whole numbers are left out."""
    markers = (each for each in records if isinstance(each, Marker) and each.kind is MarkerKind.SETTING)
    return {marker.name: int(marker.value) for marker in markers if marker.value.isdigit()}
