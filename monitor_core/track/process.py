"""What is known of the process of a run: only one that was seen alive can be gone."""

from __future__ import annotations

from dataclasses import dataclass, replace

from monitor_core.model.records import Presence, ProcessQuery, Sign

# Two looks so many seconds apart must miss a process before it is gone: a launcher may start it again meanwhile.
APART = 10.0
# So often a scheduler is asked how a job ended; one without accounting never knows.
_MOST_ASKED = 5


@dataclass(slots=True)
class ProcessSeen:
    """The process of a run, as the looks at it have shown. Times are seconds since 1970 on our clock.

    `of` is the process, as the configuration names it. `presence` and `who` are what the last look said. `seen_at` is
    the last look that saw it alive, `missed_at` the first one since then that did not. `gone` is decided once, until it
    is seen again. `processes`, `pids` and `jobs` are those that were last there. `asked`: how often its scheduler was
    asked in vain how it ended.
    """

    of: str = ""
    presence: Presence | None = None
    who: str = ""
    seen_at: float | None = None
    missed_at: float | None = None
    gone: bool = False
    processes: int | None = None
    pids: str = ""
    jobs: str = ""
    asked: int = 0

    @property
    def there(self) -> bool:
        """Whether it was seen alive, and is not gone as far as is known."""
        return self.presence in {Presence.ALIVE, Presence.ABSENT} and self.seen_at is not None and not self.gone

    @property
    def again_at(self) -> float | None:
        """Return when another look decides whether it is gone; None where none is needed."""
        return self.missed_at + APART + 0.001 if self.missed_at is not None and not self.gone else None

    @property
    def text(self) -> str:
        """Return what is known of it, for people: `alive (process 4711)`; empty where nobody asked."""
        if self.presence is None:
            return ""
        return f"{'gone' if self.gone else self.presence} ({self.who})"

    def ask(self, query: ProcessQuery) -> ProcessQuery:
        """Return the question with the jobs whose end its scheduler is to tell."""
        seen = self if self.of == query.of else ProcessSeen()
        known = seen.jobs or query.name
        over = seen.gone or seen.asked >= _MOST_ASKED or not known[:1].isdigit()
        return replace(query, jobs="" if over else known)

    def note(self, sign: Sign) -> None:
        """Take over what a look said."""
        self.presence, self.who = sign.presence, sign.who

    def meet(self, sign: Sign, now: float) -> bool:
        """Note that it is alive, or will be; return whether it had been gone."""
        was_gone, self.gone, self.missed_at, self.asked = self.gone, False, None, 0
        self.processes, self.pids, self.jobs = sign.processes, sign.pids, sign.jobs
        self.seen_at = now
        return was_gone

    def miss(self, sign: Sign, now: float) -> bool:
        """Note that it was not found; return whether it is gone with this look, by its scheduler's word or by two."""
        self.asked += not sign.word
        if self.gone or (self.seen_at is None and sign.ended_at is None):
            return False
        if self.missed_at is None:
            self.missed_at = now
        self.gone = bool(sign.word) or now - self.missed_at >= APART
        return self.gone

    def doubt(self) -> None:
        """Forget that it was seen: the log goes on without it, so that it cannot have been the training."""
        self.asked += 1
        self.seen_at = self.missed_at = None
        self.gone = False
        self.presence, self.who = Presence.UNKNOWN, f"the log goes on, but {self.who}"
