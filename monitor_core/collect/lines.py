"""Cuts bytes of a log into whole, clean lines, however the bytes were divided between reads."""

from __future__ import annotations

import re

MAX_LINE = 16 * 1024

# In an unfinished line (never in a clean one): all that comes up to the line's end is dropped.
_DROP = b"\0"
# The unfinished line of a file that is read from its middle on: its first line comes out empty.
INSIDE_A_LINE = _DROP

_CONTROLS = bytes({*range(32), 127} - {*b"\t\n"})
_EACH_CONTROL = tuple(bytes([control]) for control in _CONTROLS)
# ECMA-48: CSI, then OSC and the others that carry a text, then those of two or three bytes. The bounds keep a stray
# escape from holding back, or swallowing, what follows it.
_TEXT = rb"[^\x00-\x1f\x7f]{0,4096}"
_ESCAPE = re.compile(
    rb"\x1b(?:\[[0-?]{0,64}[ -/]{0,8}[@-~]|[\]PX^_]" + _TEXT + rb"(?:\x07|\x1b\\)|[ -/]{0,4}[0-~])",
)
_UNFINISHED = re.compile(
    rb"(?:\r|\x1b(?:\[[0-?]{0,64}[ -/]{0,8}|[\]PX^_]" + _TEXT + rb"\x1b?|[ -/]{0,4}))\Z",
)
_LONGEST_UNFINISHED = 4100


def cut(partial: bytes, data: bytes) -> tuple[bytes, bytes]:
    r"""Join the unfinished line with new bytes; return the whole lines and the new unfinished line.

    The lines are clean: they end in `\n` (also those that ended in `\r\n` or `\r`), terminal sequences and control
    bytes except tabs are gone, and a line longer than `MAX_LINE` keeps its first part only. The unfinished line stays
    small however long the line in the file is.
    """
    begun, dropping, waiting = partial.partition(_DROP)
    if not dropping:
        waiting = _unfinished(partial)
        begun = partial[: len(partial) - len(waiting)]
    raw = waiting + data
    waiting = _unfinished(raw)
    text = _clean(raw[: len(raw) - len(waiting)])
    if dropping:
        end = text.find(b"\n")
        if end < 0:
            return b"", begun + _DROP + waiting
        text = text[end:]
    lines, last = _join(begun, text)
    return lines, last + waiting


def _unfinished(raw: bytes) -> bytes:
    """Return the carriage return or terminal sequence at the very end of which the next byte decides what it is."""
    start = max(0, len(raw) - _LONGEST_UNFINISHED)
    if not raw.endswith(b"\r") and raw.find(b"\x1b", start) < 0:
        return b""
    match = _UNFINISHED.search(raw, start)
    return match.group() if match else b""


def _clean(raw: bytes) -> bytes:
    # Looking for each byte in turn is twice as fast as one pass of translate: nearly all data has none of them.
    if not any(control in raw for control in _EACH_CONTROL):
        return raw
    if b"\r" in raw:
        raw = raw.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    if b"\x1b" in raw:
        raw = _ESCAPE.sub(b"", raw)
    return raw.translate(None, _CONTROLS)


def _join(begun: bytes, text: bytes) -> tuple[bytes, bytes]:
    """Put the begun line before clean text; return the whole lines and the unfinished one, each as short as it may be.

    The text is copied once: a second copy of a large read costs more than all the rest.
    """
    start = text.find(b"\n")
    if start < 0:
        return b"", _shorten(begun + text)
    view = memoryview(text)
    pieces: list[bytes | memoryview] = [(begun + text[:start])[:MAX_LINE]]
    taken = start
    while len(text) - start > MAX_LINE:
        next_start = text.rfind(b"\n", start, start + MAX_LINE + 1) + 1
        if not next_start:
            next_start = text.find(b"\n", start + MAX_LINE)
            if next_start < 0:
                break
            pieces.append(view[taken : start + MAX_LINE])
            taken = next_start
        start = next_start
    end = text.rfind(b"\n") + 1
    return b"".join([*pieces, view[taken:end]]), _shorten(text[end:])


def _shorten(line: bytes) -> bytes:
    return line if len(line) <= MAX_LINE else line[:MAX_LINE] + _DROP
