"""What launchers put before a line to say which rank wrote it: `[rank3]: `, `[default3]:`, `3: `, `[1,3]<stdout>:`."""

from __future__ import annotations

import re

_TAGS = re.compile(
    rb"""(?:
      [ ]{0,8}\d{1,7}:                                  # srun --label
    | [ ]?\[(?:rank|default)\d{1,7}\]:                  # torch, torchrun --tee
    | [ ]?\[\d{1,7},\d{1,7}\](?:<std\w{3,5}>)?:             # mpirun --tag-output
    | (?:localhost|\d{1,3}(?:\.\d{1,3}){3}|[a-z][a-z0-9.-]{0,62}\d[a-z0-9.-]{0,62}):(?=[ ])  # pdsh: the host
    )+""",
    re.VERBOSE,
)
_HOST = re.compile(rb"(?:^|[\s:])((?!localhost)(?:\d{1,3}(?:\.\d{1,3}){3}|[a-z][a-z0-9.-]{0,62}\d[a-z0-9.-]{0,62})):")
_RANK = re.compile(rb"(?:(?:rank|default|,)(\d+)\]|(?<![\w.-])(\d+):)")


def tags_of(line: bytes) -> bytes:
    """Return the tags at the beginning of a line, without the space after them; empty if it has none."""
    match = _TAGS.match(line)
    return match[0] if match else b""


def rank_of(tags: bytes) -> str:
    """Return the rank that the tags name, the innermost if there are several; empty if they name none."""
    ranks = _RANK.findall(tags)
    return b"".join(ranks[-1]).decode() if ranks else ""


def host_of(tags: bytes) -> str:
    """Return the host that the tags name; empty if they name none, or this one."""
    match = _HOST.search(tags)
    return match[1].decode() if match else ""
