"""The kinds of values that a configuration holds, each with the sentence that says what is wrong with a bad one."""

from __future__ import annotations

import re
from collections.abc import Iterable
from difflib import get_close_matches
from functools import partial
from typing import Annotated, Any

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    GetPydanticSchema,
    PlainValidator,
    create_model,
)
from pydantic_core import CoreSchema, core_schema

from monitor_core.patterns import check_marker, check_progress
from monitor_core.redact import redact
from monitor_core.thresholds import CATALOGUE, Threshold
from monitor_core.units import DURATION_EXAMPLES, compact_duration, parse_duration

SHORTEST, LONGEST = 0.05, 7 * 86400.0  # seconds
YOUNGEST, OLDEST = 3600.0, 3650 * 86400.0
PORTS = range(1, 65536)
STRAIGHT = "none"
_SHOWN = 80  # characters of a bad value that a message repeats
_KINDS = {dict: "a section", list: "a list", type(None): "an empty value"}


def shown(value: Any) -> str:
    """Return a value as a message repeats it: short, and with what looks like a secret masked."""
    if type(value) in _KINDS:
        return _KINDS[type(value)]
    if isinstance(value, bool):
        return str(value).lower()
    text = redact(str(value))
    text = text if len(text) <= _SHOWN else text[:_SHOWN] + "…"
    return repr(text) if isinstance(value, str) else text


def did_you_mean(word: str, words: Iterable[str]) -> str:
    """Return ` (did you mean slow?)`, or which words there are if none is near."""
    known = list(words)
    near = get_close_matches(word, known, n=1)
    if near:
        return f" (did you mean {near[0]}?)"
    return f" (there are: {', '.join(known)})" if known else ""


def _seconds(value: Any, shortest: float = SHORTEST, longest: float = LONGEST) -> float:
    if isinstance(value, str):
        return _bounded(parse_duration(value), value, shortest, longest)
    wrong = "has no unit" if type(value) in {int, float} else "is not a duration"
    raise ValueError(f"{shown(value)} {wrong} (examples: {DURATION_EXAMPLES})")


def _age(value: Any) -> float:
    return _seconds(value, YOUNGEST, OLDEST)


def _bounded(seconds: float, typed: Any, shortest: float = SHORTEST, longest: float = LONGEST) -> float:
    if shortest <= seconds <= longest:
        return seconds
    bounds = f"{compact_duration(shortest)} to {compact_duration(longest)}"
    raise ValueError(f"{shown(typed)} is out of range ({bounds})")


def _plain_seconds(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise ValueError(f"{shown(value)} is not a number of seconds (example: 1200)")  # noqa: TRY004 pydantic's
    return _bounded(float(value), value)


def _port(value: Any) -> int:
    text = "" if isinstance(value, bool) else str(value)
    if not (text.isascii() and text.isdecimal() and len(text) <= len("65535") and int(text) in PORTS):
        raise ValueError(f"{shown(value)} is not a port ({PORTS[0]} to {PORTS[-1]})")
    return int(text)


def _listed(value: Any) -> Any:
    return (value,) if isinstance(value, (str, int, float)) else value


def _api_url(url: str) -> str:
    if not re.fullmatch(r"https?://[^\s/@]+(/\S*)?", url):
        raise ValueError(f"{shown(url)} is not the URL of an API (example: https://slack.com/api/)")
    return url if url.endswith("/") else url + "/"


def _some(example: str) -> AfterValidator:
    def check(values: tuple[str, ...]) -> tuple[str, ...]:
        if not values:
            raise ValueError(f"is empty (example: {example})")
        return values

    return AfterValidator(check)


def is_name(text: str) -> bool:
    """Tell whether a run or host may be called so: what can be typed in a command without quotes."""
    return bool(re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]{0,62}", text))


def jumps_in(text: str) -> tuple[str, ...]:
    """Return the names in a `jump`, the nearest first; none if the way is to be straight."""
    return () if text == STRAIGHT else tuple(part for part in (each.strip() for each in text.split(",")) if part)


def _name(name: str) -> str:
    if not is_name(name):
        raise ValueError(f"{shown(name)} is not a name: up to 63 letters, digits, '.', '_', '-' (example: llama-70b)")
    if name.lower() == "all":
        raise ValueError("'all' means every run in commands: choose another name")
    return name


def _log_path(path: str) -> str:
    if not path.startswith(("/", "~/")):
        raise ValueError(f"{shown(path)} is not absolute (examples: /data/llama/train.log, ~/logs/*.log)")
    if ".." in path.split("/"):
        raise ValueError(f"{shown(path)} goes up with '..': write the path without it")
    return path


def _pid_file(path: str) -> str:
    if path and not path.startswith(("/", "~/")):
        raise ValueError(f"{shown(path)} is not absolute (example: /data/llama/train.pid)")
    if re.search(r"[*?\[\n\0]", path):
        raise ValueError(f"{shown(path)} is a pattern: name one file (example: /data/llama/train.pid)")
    return path


def _one_line(text: str) -> str:
    if not text.strip("* ") or not text.isprintable():
        raise ValueError(f"{shown(text)} is no part of a command line (example: pretrain_gpt.py --config llama-70b)")
    return text.strip()


def _slurm_job(value: Any) -> str:
    text = str(value) if type(value) in {int, str} else ""
    if not text.strip() or not text.isprintable() or "," in text:
        raise ValueError(f"{shown(value)} is no job (examples: 4711, 4711_3, llama-70b)")
    return text.strip()


def _database(url: str) -> str:
    path = url.removeprefix("sqlite:///")
    if path == url or not path or path.startswith((":memory:", "?")):
        raise ValueError(f"{shown(url)} is not the URL of an SQLite file (example: sqlite:///trainstatus.db)")
    return url


def _local_path(path: str) -> str:
    if path and not path.startswith(("/", "~/")):
        raise ValueError(f"{shown(path)} is not absolute (example: ~/.ssh/id_ed25519)")
    return path


def _known_hosts(path: str) -> str:
    return path if path == "known_hosts" else _local_path(path)


def _ssh_config(value: Any) -> bool | str:
    if isinstance(value, bool):
        return value
    if not isinstance(value, str) or not value.startswith(("/", "~/")):
        raise ValueError(f"{shown(value)} is neither true, nor false, nor an absolute path (example: ~/.ssh/other)")
    return value


def _matching(pattern: str, what: str) -> AfterValidator:
    def check(text: str) -> str:
        if not re.fullmatch(pattern, text):
            raise ValueError(f"{shown(text)} is not {what}")
        return text

    return AfterValidator(check)


def _threshold(threshold: Threshold, value: Any) -> str:
    if isinstance(value, (dict, list)):
        raise ValueError(f"{shown(value)} is no value; allowed for {threshold.name}: {threshold.allowed}")  # noqa: TRY004 pydantic's
    return threshold.read(str(value)).text


def _set_thresholds(read: BaseModel) -> dict[str, str]:
    return read.model_dump(exclude_unset=True)


# A model of the catalogue, so that each bad threshold of a section is told with its own line.
_Thresholds = create_model(
    "_Thresholds",
    __config__=ConfigDict(extra="forbid"),
    **{
        name: (Annotated[str, BeforeValidator(partial(_threshold, threshold))], "")
        for name, threshold in CATALOGUE.items()
    },  # type: ignore[call-overload]  # mypy knows no fields that are made from data
)


def _threshold_schema(_source: Any, handler: Any) -> CoreSchema:
    as_they_are = core_schema.plain_serializer_function_ser_schema(dict)
    return core_schema.no_info_after_validator_function(
        _set_thresholds, handler(_Thresholds), serialization=as_they_are
    )


Seconds = Annotated[float, BeforeValidator(_seconds)]
Age = Annotated[float, BeforeValidator(_age)]
PlainSeconds = Annotated[float, BeforeValidator(_plain_seconds)]
Port = Annotated[int, BeforeValidator(_port)]
listed = BeforeValidator(_listed)
Texts = Annotated[tuple[str, ...], listed]
Name = Annotated[str, AfterValidator(_name)]
LogPath = Annotated[str, AfterValidator(_log_path)]
LogPaths = Annotated[tuple[LogPath, ...], _some("/data/llama/train.log"), listed]
PidFile = Annotated[str, AfterValidator(_pid_file)]
OneLine = Annotated[str, AfterValidator(_one_line)]
SlurmJob = Annotated[str, BeforeValidator(_slurm_job)]
ProgressPatterns = Annotated[
    tuple[Annotated[str, AfterValidator(check_progress)], ...], _some("step {iteration}/{total} loss={loss}"), listed
]
MarkerPatterns = Annotated[tuple[Annotated[str, AfterValidator(check_marker)], ...], listed]
LocalPath = Annotated[str, AfterValidator(_local_path)]
KnownHosts = Annotated[str, AfterValidator(_known_hosts)]
SshConfig = Annotated[bool | str, PlainValidator(_ssh_config)]
ApiUrl = Annotated[str, AfterValidator(_api_url)]
Database = Annotated[str, AfterValidator(_database)]
HostAddress = Annotated[str, _matching(r"[^\s/@]*", "a host's name or address (example: 192.0.2.1)")]
MailAddress = Annotated[str, _matching(r"[^@\s<>,;]+@[^@\s<>,;]+", "a mail address (example: oncall@example.com)")]
Channel = Annotated[str, _matching(r"[CG][A-Z0-9]+", "the id of a Slack channel (example: C0123ABCD)")]
SlackId = Annotated[str, _matching(r"[UWS][A-Z0-9]+", "the Slack id of a person or group (example: U012ALICE)")]
ThresholdTexts = Annotated[dict[str, str], GetPydanticSchema(_threshold_schema)]
