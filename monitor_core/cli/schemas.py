"""Writes the JSON Schemas of what the verbs print with `--json`: `python -m monitor_core.cli.schemas docs/schema`.

They are open: new keys may be added, and whoever reads our JSON is to leave alone what it does not know. Every key
that is named is always there.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue

from monitor_core.model.past import Audit, History, Why
from monitor_core.model.views import Health, Overview, RunView, ThresholdChange, ThresholdView

SCHEMAS: dict[str, Any] = {
    "status": Overview,
    "run": RunView,
    "self": Health,
    "history": History,
    "why": Why,
    "audit": Audit,
    "thresholds": tuple[ThresholdView, ...],
    "threshold-change": ThresholdChange,
}


class _Printed(GenerateJsonSchema):
    """The schema of what is printed: no field is left out, and strict JSON has no number for what is not finite."""

    def float_schema(self, schema: Any) -> JsonSchemaValue:  # noqa: ARG002 the library calls it so, as all of these
        return {"type": ["number", "string"], "pattern": "^(nan|-?inf)$"}

    def default_schema(self, schema: Any) -> JsonSchemaValue:
        return self.generate_inner(schema["schema"])

    def field_is_required(self, field: Any, total: bool) -> bool:  # noqa: ARG002, FBT001 see above
        return True

    def field_title_should_be_set(self, schema: Any) -> bool:  # noqa: ARG002 see above
        return False


def schema(name: str) -> dict[str, Any]:
    """Return the schema of one answer."""
    made = TypeAdapter(SCHEMAS[name]).json_schema(mode="serialization", schema_generator=_Printed)
    return {"$schema": GenerateJsonSchema.schema_dialect, **made, "title": name}


def write(folder: Path) -> None:
    """Write one file for each answer."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in SCHEMAS:
        (folder / f"{name}.json").write_text(json.dumps(schema(name), indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    write(Path(sys.argv[1]))
