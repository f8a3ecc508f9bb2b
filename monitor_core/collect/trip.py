"""One read of a host: asks until all has been answered that can be, and sets aside what hangs."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace
from typing import Protocol

from monitor_core.collect.aside import Aside
from monitor_core.collect.frames import Answer, FileFrame, Refusal
from monitor_core.collect.questions import Ask, Question
from monitor_core.collect.transport import Call, Deadline, NoSession
from monitor_core.errors import HostKeyChanged, Unreachable

# What lies near something that hangs may hang too: it comes last, and gets this part of the patience.
_DOUBT = 0.4


class Speaker(Protocol):
    """Puts questions to one host, in its language."""

    def ask(self, asked: Sequence[Ask], patience: float, deadline: Deadline) -> tuple[Answer, Call | None]:
        """Return what the host answered before it was silent for `patience` seconds, and then what waits for the rest.

        Without such a call the answer is whole, or the time for reading was over. Raises Unreachable, HostKeyChanged
        and NoSession.
        """

    def watch(self, deadline: Deadline) -> AbstractContextManager[None]:
        """Make sure that nothing within lasts longer than the deadline; all is asked within."""

    def close(self) -> None:
        """Let go of the connection; may be called from any thread."""


@dataclass(slots=True)
class Trip:
    """Puts questions to a host; `runs` are the names of those that they belong to.

    `late` are the runs of which nothing could be read for want of time.
    """

    speaker: Speaker
    aside: Aside
    runs: Sequence[str]
    deadline: Deadline
    late: set[str] = field(default_factory=set)

    def ask(self, asked: Iterable[Ask]) -> Answer:
        """Ask, what lies near something that hangs after the rest; what cannot be answered now is refused."""
        answer = Answer()
        pending, over = self._without_hung(asked, answer), False
        while not over:
            batch, others, patience = self._divide(pending)
            try:
                left, over = self._ask(batch, patience, answer)
            except NoSession:
                _refuse(pending, "no session", answer)
                return answer
            pending = self._without_hung([*left, *others], answer)
            over = over or not pending or not self.deadline.reading
        _refuse(pending, "late", answer)
        read = {frame.run for frame in answer.files}
        self.late |= {self.runs[each.request] for each in pending if each.run not in read}
        return answer

    def _without_hung(self, asked: Iterable[Ask], answer: Answer) -> list[Ask]:
        """Return the questions without what hangs; that is refused."""
        hung = self.aside.waiting
        left = []
        for each in asked:
            answer.refusals += [Refusal(each.run, "hangs", name) for name in sorted(each.names & hung)]
            if rest := each.without(hung):
                left.append(rest)
        return left

    def _divide(self, pending: Sequence[Ask]) -> tuple[list[Ask], list[Ask], float]:
        """Return what is to be asked now, what later, and how long the host may be silent."""
        near = {each.run: self.aside.nearness(each.names) for each in pending}
        doubtful = sorted((each for each in pending if near[each.run]), key=lambda each: near[each.run])
        plain = [each for each in pending if not near[each.run]]
        if plain or not doubtful:
            return plain, doubtful, self.deadline.patience
        return doubtful, [], self.deadline.patience * _DOUBT

    def _ask(self, batch: list[Ask], patience: float, answer: Answer) -> tuple[list[Ask], bool]:
        """Ask, and set aside what hangs; return what is left to be asked, and whether there is no time for it."""
        said, call = self._say(batch, patience)
        answer.add(replace(said, files=[frame for frame in said.files if _is_usable(frame, batch)]))
        if said.whole or not batch:
            return [], False
        run, what = said.place or (batch[0].run, "")
        at = [each.run for each in batch].index(run)
        if call:
            self._set_aside(batch[at].names_at(what), self.runs[batch[at].request], call)
        return [batch[at].after(said.paths(run)), *batch[at + 1 :]], call is None

    def _say(self, batch: Sequence[Ask], patience: float) -> tuple[Answer, Call | None]:
        """Ask; where what hangs takes up all sessions of a connection, on a new one."""
        try:
            return self.speaker.ask(batch, patience, self.deadline)
        except NoSession:
            self.aside.make_room()
            self.speaker.close()
            return self.speaker.ask(batch, patience, self.deadline)

    def _set_aside(self, names: frozenset[str], run: str, call: Call) -> None:
        """Set aside what a call hangs at, and make sure that it is not the whole host that hangs."""
        self.aside.put(names, run, call)
        try:
            _, silent = self._say([], self.deadline.patience)
        except (Unreachable, HostKeyChanged):
            self.aside.forget(names)
            raise
        if silent:
            silent.end()


def _refuse(asked: Iterable[Ask], why: str, answer: Answer) -> None:
    answer.refusals += [Refusal(each.run, why, name) for each in asked for name in sorted(each.names)]


def _is_usable(frame: FileFrame, asked: Sequence[Ask]) -> bool:
    """Say whether enough came of a file to know it again."""
    if not frame.goes_on:
        return True
    question = next(each for each in asked if each.run == frame.run)
    assert isinstance(question, Question)
    return len(frame.data) >= len(question.cursors[frame.path].fingerprint)
