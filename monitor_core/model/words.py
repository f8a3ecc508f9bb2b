"""Words that people write, for a kind of incident, and read, of where a launch took up its run."""

from __future__ import annotations

from collections import Counter
from difflib import get_close_matches

from monitor_core.model.incidents import KINDS, Kind, SubjectKind
from monitor_core.units import count, counted

# A mute is about runs and hosts: `blind` and `test` are words of a reason. What people see is as good as the kind's own
# name (`nan_loss`), unless it is the word of two kinds.
_MUTABLE = {
    kind: spec.word.lower().replace(" ", "_") for kind, spec in KINDS.items() if spec.subject != SubjectKind.SELF
}
_SHARED = Counter(_MUTABLE.values())
_KINDS = {word: kind for kind, word in _MUTABLE.items() if _SHARED[word] == 1} | {str(kind): kind for kind in _MUTABLE}
# Below this a word is likelier to be an own word than a kind with a slip: `host` is none of `host_key`.
_LIKE = 0.75
_LONGEST = 40


def taken_up(resumed: int | None, redone: int | None) -> str:
    """Write where a launch took up its run: `resumed from 8,000, 400 iterations redone`; empty for a first launch."""
    if resumed is None or redone is None:
        return ""
    began = f"resumed from {count(resumed)}" if resumed else "started again from the beginning"
    return f"{began}, {counted(redone, 'iteration')} redone" if redone else began


def kind_written(word: str) -> Kind | None:
    """Return the kind that a whole word names, in any case, with `-` or `_`; None if it names none.

    Both names are taken: the kind's own (`loss_nan`), and the one on messages (`nan_loss`).
    """
    return _KINDS.get(_plain(word))


def kind_meant(word: str) -> Kind | None:
    """Return the kind that a word, which names none, is a slip of; None if it is like none."""
    close = get_close_matches(_plain(word)[:_LONGEST], _KINDS, n=1, cutoff=_LIKE)
    return _KINDS[close[0]] if close and kind_written(word) is None else None


def _plain(word: str) -> str:
    return word.lower().replace("-", "_")
