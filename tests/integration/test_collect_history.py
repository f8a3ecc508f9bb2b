"""Whatever happens to a log between two reads: each whole line comes once and in order, as long as its file exists."""

from __future__ import annotations

import tempfile
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from monitor_core.config.models import Host
from tests.support.follower import Follower
from tests.support.history import History, Reader

EVENTS = st.one_of(
    st.tuples(st.just("read")),
    st.tuples(st.just("read")),
    st.tuples(st.just("write_lines"), st.integers(1, 20)),
    st.tuples(st.just("write_piece"), st.booleans()),
    st.tuples(st.just("rotate"), st.booleans(), st.booleans()),
    st.tuples(st.just("truncate"), st.booleans()),
    st.tuples(st.just("close")),
    st.tuples(st.just("delete")),
    st.tuples(st.just("replace")),
    st.tuples(st.just("sync")),
    st.tuples(st.just("forget")),
)


@settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.too_slow])
@given(st.booleans(), st.lists(EVENTS, max_size=25))
def test_each_whole_line_comes_once_and_in_order_as_long_as_its_file_exists(appends, events):
    with tempfile.TemporaryDirectory() as folder:
        history = History(Path(folder), appends=appends)
        reader, follower = Reader(history), Follower(Host(name="here", transport="local"), patterns=[history.path])
        for event in [("write_lines", 1), *events, ("read",)]:
            happen(event, history, reader, follower)
        history.end()
        follower.close()


def happen(event, history, reader, follower):
    match event:
        case ("read",):
            expected = reader.read()
            log = follower.read()
            got = b"".join(chunk.lines for chunk in log.chunks) if log.trouble is None else None
            assert got == expected
        case ("rotate", create, reopen):
            history.rotate(create=create, reopen=reopen)
        case ("truncate", copy):
            history.truncate(copy=copy)
        case ("sync",) if not reader.knows_again():
            pass
        case (what, *arguments):
            getattr(history, what)(*arguments)
