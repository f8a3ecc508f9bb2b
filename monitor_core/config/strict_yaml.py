"""YAML without its traps: what looks like a word stays a word, and whatever could surprise is refused with its line."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import yaml

from monitor_core.errors import ConfigError, Problem
from monitor_core.redact import redact

Path = tuple[str | int, ...]
_DEEPEST = 16  # a configuration has six levels
# The core schema of YAML 1.2 without octal, hexadecimal, infinity and NaN: 0644, 12:30, no and 2026-01-01 are words.
_WORDS = {"true": True, "True": True, "false": False, "False": False, "": None, "~": None, "null": None, "Null": None}
_WHOLE = re.compile(r"[-+]?(0|[1-9][0-9]{0,17})")
_DECIMAL = re.compile(r"[-+]?([0-9]{1,18}(\.[0-9]{0,18})?|\.[0-9]{1,18})([eE][-+]?[0-9]{1,2})?")


@dataclass(slots=True)
class Tree:
    """What a file says: its values, the line of each key and item, and what was wrong while reading it."""

    file: str
    data: dict[str, Any] = field(default_factory=dict)
    lines: dict[Path, int] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)

    def problem(self, path: Path, text: str) -> Problem:
        """Return a problem with the line of the path, or of the nearest section around it that the file has."""
        around = (path[:length] for length in range(len(path), -1, -1))
        line = next((self.lines[part] for part in around if part in self.lines), None)
        return Problem(self.file, line, dotted(path), text)

    def value(self, path: Path) -> Any:
        """Return what the file says at a path; None where it says nothing."""
        value: Any = self.data
        for step in path:
            if isinstance(value, dict):
                value = value.get(str(step))
            elif isinstance(value, list) and isinstance(step, int):
                value = value[step]
            else:
                return None
        return value


def dotted(path: Path) -> str:
    """Write a path as people read it: `email.recipients[0].address`; without characters that are no text."""
    text = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in path).removeprefix(".")
    return redact("".join(c if c.isprintable() else "?" for c in text))


def read(text: str, file: str) -> Tree:
    """Read a file's text; raise ConfigError if it is no mapping in valid YAML. Smaller troubles are in the tree."""
    try:
        root = _Composer(text).get_single_node()
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        raise ConfigError([Problem(file, line, "", "holds a control character: remove it")]) from None
    except yaml.MarkedYAMLError as error:
        raise ConfigError([Problem(file, _line_of(error), "", _what_is_wrong(error))]) from None
    except (ValueError, OverflowError):
        raise ConfigError([Problem(file, None, "", "is not valid YAML: an escape or a directive is no text")]) from None
    if root is None:
        raise ConfigError([Problem(file, None, "", "is empty: begin with a copy of config/trainstatus.example.yaml")])
    if not isinstance(root, yaml.MappingNode):
        raise ConfigError([Problem(file, _line(root), "", "holds no keys (example: `runs:` at the start of a line)")])
    return _Builder(Tree(file)).build(root)


class _Composer(yaml.SafeLoader):
    """Composes nodes; refuses what a configuration needs none of: aliases, anchors, tags, deep nesting."""

    depth = 0

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        event: yaml.Event = self.peek_event()  # type: ignore[no-untyped-call]  # in types-PyYAML
        if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None):
            raise _refusal(event, "an alias (*) or anchor (&): put the value in quotes, or write it out")
        if getattr(event, "tag", None):
            raise _refusal(event, "a tag (!): put the value in quotes")
        if self.depth >= _DEEPEST:
            raise _refusal(event, "nested too deeply")
        self.depth += 1
        node = super().compose_node(parent, index)
        self.depth -= 1
        return node


class _Refusal(yaml.MarkedYAMLError):
    """What is valid YAML, and refused all the same."""


def _refusal(event: yaml.Event, text: str) -> _Refusal:
    return _Refusal(problem=text, problem_mark=event.start_mark)  # type: ignore[arg-type]  # the C parser's mark


# Sentences for PyYAML's own; none repeats more of the file than a key, since what it trips over may be a secret.
_SENTENCES = {
    "undefined tag handle": "a tag (!): put the value in quotes",
    "while scanning an alias": "a * that begins a value: put the value in quotes",
    "while scanning an anchor": "a & that begins a value: put the value in quotes",
    "another document": "a second document (---): keep one",
    "'\\t'": "a tab: indent with spaces",
    "mapping values are not allowed here": "a ':' where none can be: check the indentation, or put the value in quotes",
    "could not find expected ':'": "a key without ':' and a value",
    "expected <block end>": "a line that fits neither the section before nor a new one: check the indentation",
    "expected '<document start>'": "a line that fits nothing before it: check the indentation",
    "expected ',' or": "a bracket or brace that is not closed, or a missing comma",
    "unexpected end of stream": "a quote that is not closed",
    "cannot start any token": "a character that cannot start a value: put the value in quotes",
}


_UNFINISHED = ("could not find expected ':'", "expected ',' or", "unexpected end of stream")


def _line_of(error: yaml.MarkedYAMLError) -> int | None:
    """Return the line to mend: where the unfinished thing begins, else where reading stopped."""
    unfinished = any(part in (error.problem or "") for part in _UNFINISHED)
    mark = (error.context_mark if unfinished else None) or error.problem_mark
    return mark.line + 1 if mark else None


def _what_is_wrong(error: yaml.MarkedYAMLError) -> str:
    told = f"{error.context} {error.problem}"
    if isinstance(error, _Refusal):
        return f"holds {error.problem}"
    for part, sentence in _SENTENCES.items():
        if part in told:
            return f"is not valid YAML: {sentence}"
    return f"is not valid YAML: {error.problem}"


def _line(node: yaml.Node) -> int:
    return int(node.start_mark.line) + 1


class _Builder:
    """Turns nodes into values and notes where each stands."""

    def __init__(self, tree: Tree) -> None:
        self.tree = tree

    def build(self, root: yaml.MappingNode) -> Tree:
        self.tree.data = self._mapping(root, ())
        return self.tree

    def _value(self, node: yaml.Node, path: Path) -> Any:
        if isinstance(node, yaml.MappingNode):
            return self._mapping(node, path)
        if isinstance(node, yaml.ScalarNode):
            return self._scalar(node, path)
        return [self._item(item, (*path, index)) for index, item in enumerate(node.value)]

    def _item(self, node: yaml.Node, path: Path) -> Any:
        self.tree.lines[path] = _line(node)
        return self._value(node, path)

    def _mapping(self, node: yaml.MappingNode, path: Path) -> dict[str, Any]:
        values: dict[str, Any] = {}
        for key, child, line in self._keys(node, path):
            place = (*path, key)
            if place in self.tree.lines:
                self._complain(line, place, f"stands here again (first on line {self.tree.lines[place]}): keep one")
                continue
            self.tree.lines[place] = line
            value = self._value(child, place)
            if value is not None:  # a key without a value is a key left out
                values[key] = value
        return values

    def _keys(self, node: yaml.MappingNode, path: Path) -> Iterator[tuple[str, yaml.Node, int]]:
        for key, child in node.value:
            if isinstance(key, yaml.ScalarNode):
                yield key.value, child, _line(key)
            else:
                self._complain(_line(key), path, "a key is a list or a section: put it in quotes")

    def _scalar(self, node: yaml.ScalarNode, path: Path) -> Any:
        text: str = node.value
        if not text.isprintable():
            self._complain(_line(node), path, "holds a line break or control character: remove it")
        return text if node.style else _plain(text)

    def _complain(self, line: int, path: Path, text: str) -> None:
        self.tree.problems.append(Problem(self.tree.file, line, dotted(path), text))


def _plain(text: str) -> Any:
    if text in _WORDS:
        return _WORDS[text]
    if _WHOLE.fullmatch(text):
        return int(text)
    if _DECIMAL.fullmatch(text) and not re.match(r"[-+]?0[0-9]", text):
        return float(text)
    return text
