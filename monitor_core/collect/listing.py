"""Finds the files that paths and globs name by SFTP alone, the way a shell would."""

from __future__ import annotations

import stat
from collections.abc import Callable
from dataclasses import dataclass
from fnmatch import fnmatchcase
from glob import escape

import paramiko

from monitor_core.collect.questions import MAX_FILES, Question, is_glob, parts

_READ_AHEADS = 4

# Paths with their mtimes as far as a listing told them; None for a link, of whose file it tells nothing.
_Found = dict[str, float | None]
_UNKNOWN = 0.0


@dataclass(frozen=True, slots=True)
class Listing:
    """Looks into folders; `begin` is told each time what is looked at next, and may raise.

    Methods raise TimeoutError if the server falls silent, and UnicodeDecodeError for a name that is not UTF-8.
    """

    client: paramiko.SFTPClient
    begin: Callable[[str], None]

    def paths(self, question: Question) -> tuple[list[str], list[str]]:
        """Return the files of a question, the newest if they are too many, and the globs that cannot be followed.

        A glob that matches nothing stands for itself.
        """
        found: _Found = {}
        refused = []
        for place, pattern in enumerate(question.patterns):
            path = self._absolute(pattern)
            if question.exact or not is_glob(pattern):
                found.setdefault(path, _UNKNOWN)
                continue
            try:
                found |= self._matching(path, str(place)) or {path: _UNKNOWN}
            except UnicodeDecodeError:
                refused.append(pattern)
        named = {path: mtime for path, mtime in found.items() if "\n" not in path}
        links = [path for path, mtime in named.items() if mtime is None and path not in question.hung]
        twice = {path for path in links if self._is_link_to(path, named)}
        once = {path: mtime for path, mtime in named.items() if path not in twice}
        return [path for path in self._newest(once) if path not in question.skip], refused

    def rotated(self, path: str) -> list[str]:
        """Return the files that rotation may have made of one: they are named after it."""
        folder, _, name = path.rpartition("/")
        try:
            return self._newest({f"{folder}/{each}": mtime for each, mtime in self._in(folder, f"{escape(name)}[.-]*")})
        except UnicodeDecodeError:
            return []

    def _is_link_to(self, path: str, named: _Found) -> bool:
        """Say whether a path only leads to a file that is named besides."""
        self.begin(path)
        try:
            real = self.client.normalize(path)
        except TimeoutError:
            raise
        except OSError:
            return False
        return real != path and real in named

    def _absolute(self, pattern: str) -> str:
        if not pattern.startswith("~/"):
            return pattern
        self.begin("")
        return self.client.normalize(".").rstrip("/") + pattern[1:]

    def _matching(self, path: str, place: str) -> _Found:
        found: _Found = {"": _UNKNOWN}
        components = path.split("/")[1:]
        for component in components:
            if is_glob(component):
                wanted = "".join(part if is_glob(part) else escape(part) for part in parts(component))
                found = {
                    f"{folder}/{name}": mtime for folder in found for name, mtime in self._in(folder, wanted, place)
                }
            else:
                found = {f"{folder}/{component}": _UNKNOWN for folder in found}
        if is_glob(components[-1]):
            return found
        return {path: _UNKNOWN for path in found if self._mtime(path, place) is not None}

    def _in(self, folder: str, wanted: str, place: str = "") -> list[tuple[str, float | None]]:
        """Return what matches in a folder, in order, with its mtime; nothing if it is no folder for us."""
        self.begin(place)
        found = []
        try:
            for entry in self.client.listdir_iter(folder or "/", _READ_AHEADS):
                self.begin(place)
                hidden = entry.filename.startswith(".") and not wanted.startswith(".")
                if not hidden and fnmatchcase(entry.filename, wanted):
                    is_link = stat.S_ISLNK(entry.st_mode or 0)
                    found.append((entry.filename, None if is_link else float(entry.st_mtime or 0)))
        except TimeoutError:
            raise
        except OSError:
            return []
        return sorted(found)

    def _newest(self, found: _Found) -> list[str]:
        if len(found) <= MAX_FILES:
            return list(found)
        mtimes = {path: mtime or self._mtime(path, "") or 0.0 for path, mtime in found.items()}
        return sorted(sorted(found, key=mtimes.__getitem__)[-MAX_FILES:])

    def _mtime(self, path: str, place: str) -> float | None:
        """Return the mtime of a file; None if it is not there."""
        self.begin(place)
        try:
            return float(self.client.stat(path).st_mtime or 0)
        except TimeoutError:
            raise
        except OSError:
            return None
