"""Which threshold is meant and for what: the words of a command that say so."""

from __future__ import annotations

from dataclasses import replace

from bot import messages
from bot.words import ALL, Line, name
from monitor_core.errors import CommandError
from monitor_core.thresholds import CATALOGUE

DRY_RUN = "--dry-run"


def apart(line: Line) -> Line:
    """Return the line with `stuck=20m` as two words and `stuck critical` or `stuck-critical` as one."""
    words: list[str] = []
    for word in " ".join(line.rest).replace("=", " ").split():
        joined = f"{words[-1]}_{word}".casefold() if words else ""
        if joined in CATALOGUE:
            words[-1] = joined
        else:
            plain = word.casefold().replace("-", "_")
            words.append(plain if plain in CATALOGUE else word)
    return replace(line, words=(line.words[0], *words), rest=tuple(words))


def options(line: Line) -> tuple[str, Line]:
    """Take `--run NAME`, `--host NAME` or `--all` out of the line and return the scope that they say, empty if none."""
    for place, word in enumerate(line.rest):
        if word.casefold() == "--all":
            return ALL, _without(line, place, (word,))
        kinds = {"--run": line.names.runs, "--host": line.names.hosts}
        if word.casefold() in kinds:
            kind = word.casefold().removeprefix("--")
            named = line.after(place + 1)
            if not named.rest:
                raise CommandError(messages.incomplete("threshold set"), "help threshold")
            found = name(named, kinds[word.casefold()], kind)
            return f"{kind} {found}", _without(line, place, (word, found))
    return "", line


def dry_run(line: Line) -> tuple[bool, Line]:
    """Take `--dry-run` out of the line and return whether it was there."""
    place = next((place for place, word in enumerate(line.rest) if word.casefold() == DRY_RUN), None)
    return (False, line) if place is None else (True, _without(line, place, (DRY_RUN,)))


def _without(line: Line, place: int, option: tuple[str, ...]) -> Line:
    rest = line.rest[:place] + line.rest[place + len(option) :]
    return replace(line, words=(line.words[0], *rest), rest=rest, tail=(*line.tail, *option))


def scope_word(line: Line) -> tuple[str, Line]:
    """Return the scope that the next word says; `all`, with nothing taken, if it is a threshold or the end."""
    if not line.rest:
        return ALL, line
    found = name(line, (*CATALOGUE, ALL, *line.names.all), "threshold, run or host")
    if found in CATALOGUE:
        return ALL, line
    kind = "run" if found in line.names.runs else "host"
    return ALL if found == ALL else f"{kind} {found}", line.after()
