"""Progress bars as tqdm prints them: `Epoch 0:  46%|████  | 139/300 [00:15<00:18,  9.02it/s, loss=2.31]`.

The layout is that of `tqdm.format_meter` (https://github.com/tqdm/tqdm).
"""

from __future__ import annotations

import re

from monitor_core.model.records import Record
from monitor_core.parse.averages import Average
from monitor_core.parse.counter import Counter
from monitor_core.parse.dialect import Keys, Rule, finder
from monitor_core.parse.fields import FIELDS, Told
from monitor_core.parse.stamps import last_stamp

_LITERAL = "%|"
_COUNT, _VALUE = FIELDS["iteration"].pattern, FIELDS["s"].pattern
_BAR = re.compile(
    (
        r"(?P<name>[^|\r\n]{0,100}?)(?<!\d)\d{1,3}%\|[^|]{0,600}\| {0,9}"
        rf"(?P<iteration>{_COUNT})/(?P<total>{_COUNT}) \[(?P<elapsed>(?:\d{{1,5}}:)?\d\d:\d\d)<"
        rf"(?P<left>[\d:?]{{1,12}}), {{0,9}}(?:\?|(?P<rate>{_VALUE}))(?P<unit> ?[^\],]{{1,20}})"
    ).encode()
)
# What is prepared, loaded, checked or predicted is no training.
_OTHERS = re.compile(
    rb"(?i)\b(?:map|filter|tokeniz|download|load|sav|fetch|generat|group|concat|cast|pack|truncat"
    rb"|sanity|valid|eval|test|predict|infer|creat|writ|read|prepar|comput|process|adding|applying|convert|captur"
    rb"|resolv|extract|quantiz|merg|checkpoint|sampl|autotun|compil|val\b|dev\b|preproces"
    rb"|encod|decod|embed|index|shuffl|split|build|scan|cach|upload|collect|pars|warm|calibrat|setup|setting|hash)"
)
_OF_EPOCHS = re.compile(rb"(?i)\bepochs?:? *$")
# What is counted in these is data or bytes.
_NO_ITERATIONS = re.compile(rb"(?i)^ ?(?:examples|\w?i?B|files?|\w?bytes)/s")
_EPOCH = re.compile(rb"(?i)\bepoch:?[ \[]*(\d{1,9})(?: ?/ ?(\d{1,9}))?")


def bar(*, keys: Keys, epochs: bool = True, smoothed: bool = True) -> Rule:
    """Return the rule of the bars of a training; `keys` are those of the values in it.

    The first bar that is not one of something else is followed; another length is believed only when that one is full,
    when a new training may have begun, or when the values of the training go with it.
    `epochs`: a full bar that begins again is the next epoch, and not the next launch. `smoothed`: its rate is that
    of the last iterations above all, and not that since its beginning.
    """
    find = finder(tuple(keys.items()))

    def read(line: bytes, counter: Counter) -> Record | None:
        match = _BAR.search(line)
        if not match or _OTHERS.search(match["name"]) or _NO_ITERATIONS.match(match["unit"]):
            return None
        count, length = (FIELDS["iteration"].read(match[name]) for name in ("iteration", "total"))
        if _OF_EPOCHS.search(match["name"]):
            counter.epochs = int(length)
        epoch = _EPOCH.search(match["name"]) if epochs else None
        if not _is_next(counter, epoch, int(length)) and not _follows(counter, int(count), int(length), epochs=epochs):
            if count and length != counter.bar:
                counter.rival = int(length)
            return None
        if not count:
            return None
        counter.rival, counter.doubted = None, False
        told: Told = {}
        find(line, match.end(), told)
        if epochs:
            _through_epochs(counter, told, epoch, int(count), int(length))
        else:
            told |= {"iteration": count, "total": length}
        if told["iteration"] == counter.iteration:
            # Drawn again, it may tell another loss.
            return counter.detail(told, None) if "loss" in told else None
        seconds = _time(match, counter, smoothed=smoothed)
        counter.leads = False
        return counter.progress(told if seconds is None else told | {"s": seconds}, last_stamp(line[: match.start()]))

    return Rule(_LITERAL.encode(), read, proves=False, pattern=_BAR.pattern)


def _is_next(counter: Counter, epoch: re.Match[bytes] | None, length: int) -> bool:
    """Whether a bar is that of a later epoch, of whatever length: the last one may end before it is full."""
    if not _is_later(counter, epoch):
        return False
    counter.bar = length
    return True


def _is_later(counter: Counter, epoch: re.Match[bytes] | None) -> bool:
    return epoch is not None and counter.epoch is not None and int(epoch[1]) > counter.epoch


def _follows(counter: Counter, count: int, length: int, *, epochs: bool) -> bool:
    """Whether a bar is that of the training; ranks draw copies.

    They are at most an iteration behind the first, unless the log says when a training begins: then even one that
    begins again without that is a copy.
    """
    behind = (counter.iteration or 0) - counter.done - count
    if count == 0 and behind > 1 and counter.bar == length and not (counter.announced or (epochs and behind == length)):
        counter.release()
    new = counter.bar != length or (counter.free and behind > 0)
    if not new:
        return behind <= 0 or (epochs and behind + count == length)
    # One at zero decides nothing: around the bars of the epochs there may be one that counts them.
    if length == 0 or not (counter.free or counter.iteration is None):
        return False
    counter.bar, counter.free, counter.iteration, counter.done = length, False, None, 0
    return True


def _through_epochs(counter: Counter, told: Told, epoch: re.Match[bytes] | None, count: int, length: int) -> None:
    if epoch:
        if counter.batches is None or (counter.iteration is None and not _is_later(counter, epoch)):
            counter.batches = length
        number = counter.epoch = int(epoch[1])
        batches = counter.batches or length
        if counter.first_epoch is None:
            # Some count from zero, some from one; whoever names how many there are counts from one.
            counter.first_epoch = 1 if number == 1 or (number and epoch[2]) else 0
        counter.done = max(0, number - counter.first_epoch) * batches
        if epoch[2]:
            told["total"] = int(epoch[2]) * batches
    elif counter.iteration is not None and counter.iteration >= counter.done + length > counter.done + count:
        counter.done += length
    told["iteration"] = counter.done + count
    if "total" in told or epoch:
        return
    if counter.epochs and counter.epochs != length:
        told["total"] = counter.epochs * length
    elif counter.done == 0:
        told["total"] = length


def _time(match: re.Match[bytes], counter: Counter, *, smoothed: bool) -> float | None:
    """Return how many seconds each of the last iterations took, None where the bar does not tell.

    It tells how many a second if they are fast, else how long one takes.
    """
    if match["rate"] is None:
        return None
    fast, count = not match["unit"].strip().startswith(b"s/"), int(FIELDS["iteration"].read(match["iteration"]))
    average = Average.of(count, FIELDS["s"].read(match["rate"]), per_second=fast)
    if average is None:
        return None
    if smoothed:
        return counter.unfolding.smoothed(average)
    return counter.unfolding.overall(average, FIELDS["elapsed_s"].read(match["elapsed"]))
