"""The passphrases of private keys, for as long as the process lives; they are written nowhere."""

from __future__ import annotations

import threading
from collections.abc import Hashable
from dataclasses import dataclass, field
from typing import Any


@dataclass(slots=True)
class Keyring:
    """What people typed, by the path of the key, and the keys unlocked with it, since that takes 0.1 s each time."""

    _passphrases: dict[str, str] = field(default_factory=dict, repr=False)
    _unlocked: dict[Hashable, Any] = field(default_factory=dict, repr=False)
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    def remember(self, path: str, passphrase: str) -> None:
        """Keep the passphrase of a key."""
        self._passphrases[path] = passphrase

    def passphrase(self, path: str) -> str:
        """Return what unlocks a key; empty if nobody said."""
        return self._passphrases.get(path, "")

    def unlocked(self, which: Hashable) -> Any:
        """Return a key that was unlocked before; None if it was not."""
        with self._lock:
            return self._unlocked.get(which)

    def keep(self, which: Hashable, key: Any) -> None:
        """Keep a key that was unlocked."""
        with self._lock:
            self._unlocked[which] = key
