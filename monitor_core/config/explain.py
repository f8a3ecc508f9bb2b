"""What pydantic found wrong, in sentences: the value, what it should be, and an example."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails

from monitor_core.config.strict_yaml import Path, Tree
from monitor_core.config.values import did_you_mean, shown
from monitor_core.errors import Problem
from monitor_core.thresholds import CATALOGUE

_REASONS: Mapping[str, str] = MappingProxyType(
    {
        "string_type": "is not text: put it in quotes",
        "bool_type": "is neither true nor false",
        "bool_parsing": "is neither true nor false",
        "tuple_type": "is not a list",
        "string_too_short": "is empty",
    }
)


def explain(error: ErrorDetails, tree: Tree, root: type[BaseModel]) -> Problem:
    """Return the problem that one of pydantic's errors stands for."""
    path = _written(tuple(step for step in error["loc"] if step != "[key]"), tree)
    field, section = look_up(root, path)
    return tree.problem(path, _sentence(error, tree.value(path), field, section, str(path[-1]) if path else ""))


def _written(path: Path, tree: Tree) -> Path:
    """Return the path without what only the models know: an item of a value that stands alone, a kind of a union."""
    while path and path not in tree.lines and path[:-1] in tree.lines and not isinstance(tree.value(path[:-1]), dict):
        path = path[:-1]
    return path


def _sentence(error: ErrorDetails, value: Any, field: FieldInfo | None, section: tuple[str, ...], key: str) -> str:
    context = error.get("ctx", {})
    if error["type"] == "value_error":
        return str(context["error"])
    if error["type"] == "extra_forbidden":
        return f"is an unknown key{did_you_mean(key, section)}"
    example = f" (example: {field.examples[0]})" if field and field.examples else ""
    if error["type"] == "missing":
        return f"is missing{example}"
    if error["type"] in {"dict_type", "model_type"}:  # the value may be a secret in the wrong place
        return "is not a section of keys and values"
    if error["type"] in {"literal_error", "enum"}:
        return f"{shown(value)} is not one of {str(context['expected']).replace(chr(39), '')}"
    return f"{shown(value)} {_REASONS.get(error['type'], 'cannot be used')}{example}"


def keys_of(model: type[BaseModel]) -> dict[str, FieldInfo]:
    """Return the keys that the section of a file takes; a name is none, it is the key of its section."""
    return {
        field.alias or name: field
        for name, field in model.model_fields.items()
        if not (name == "name" and field.exclude)
    }


def models_in(annotation: Any) -> list[type[BaseModel]]:
    """Return the sections inside a type: Host in `dict[Name, Host]`, Email in `Email | None`."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [model for part in get_args(annotation) for model in models_in(part)]


def look_up(root: type[BaseModel], path: Path) -> tuple[FieldInfo | None, tuple[str, ...]]:
    """Return the field at a path, and the keys of the section in which the path ends."""
    keys = keys_of(root)
    field = keys.get(str(path[0])) if path else None
    rest = path[1:]
    if field is None or not rest:
        return field, tuple(keys)
    if path[0] == "thresholds":
        return field, tuple(CATALOGUE)
    inner = rest[1:] if get_origin(field.annotation) in {dict, tuple} else rest
    models = models_in(field.annotation)
    return look_up(models[0], inner) if models and inner else (field, tuple(keys))
