"""The progress of the runs: each line for a while, then one in ten minutes and the ends of each launch.

Each function works on a connection whose transaction its caller holds. Times are seconds since 1970. Which record will
outlive those around it is decided when it is written, so that thinning is one DELETE.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from itertools import islice, zip_longest

from sqlalchemy import Connection, Integer, ScalarSelect, bindparam, cast, delete, func, insert, select, tuple_, update

from monitor_core.model.records import MOST_POINTS, Point
from monitor_core.store.tables import progress as table
from monitor_core.store.tables import series

# Of the old records, those at least stay that come first in each stretch of so many seconds.
APART = 600.0
# Not built from the table: the driver takes rows as they are in a third of the time, and a first sight has thousands.
_ADD = (
    'INSERT OR IGNORE INTO progress (series, at, iteration, ms, loss, first, "before", keep)'
    " VALUES (?, ?, ?, ?, ?, ?, ?, ?)"
)
_LAST = select(
    series.c.number, select(func.max(table.c.at)).where(table.c.series == series.c.number).scalar_subquery()
).where(series.c.run == bindparam("run"))
_Row = tuple[int, float, int, float | None, float | None, bool, str, bool]


def add(connection: Connection, run: str, points: Collection[Point], *, full_since: float) -> None:
    """Write down what came of a run, in the order of time; what is older than `full_since` is thinned at once."""
    if not points:
        return
    number, last = _series(connection, run)
    if last is not None and next(iter(points)).first:
        connection.execute(update(table).where(table.c.series == number, table.c.at == last).values(keep=True))
    rows = [row for row in _rows(number, points, last) if row[-1] or row[1] >= full_since]
    connection.exec_driver_sql(_ADD, rows)


def between(connection: Connection, run: str, since: float, until: float, most: int) -> list[Point]:
    """Return what a run did from `since` until before `until`, oldest first.

    Where that is more than `most` records, they are the newest ones of so many equally long stretches of time.
    """
    here = (table.c.series == _number(run)) & (table.c.at >= since) & (table.c.at < until)
    columns = (table.c.iteration, table.c.ms, table.c.loss, table.c.first)
    query = select(table.c.at, *columns).where(here).order_by(table.c.at, table.c.iteration)
    if connection.execute(select(func.count()).where(here)).scalar_one() > most:
        stretch = cast((table.c.at - since) / ((until - since) / most), Integer)
        # SQLite takes the other columns from the row that has the maximum (https://www.sqlite.org/lang_select.html).
        query = select(func.max(table.c.at).label("at"), *columns).where(here).group_by(stretch).order_by("at")
    return [Point(*row) for row in connection.execute(query)]


def newest(connection: Connection, run: str, since: float, most: int) -> list[Point]:
    """Return the newest records of a run, oldest first: each line from `since` on, `most` of them at most.

    Those of a version that did not keep what came between lines are left out.
    """
    here = (table.c.series == _number(run)) & (table.c.at >= since) & table.c.before.is_not(None)
    columns = (table.c.iteration, table.c.ms, table.c.loss, table.c.first, table.c.before)
    query = select(table.c.at, *columns).where(here).order_by(table.c.at.desc(), table.c.iteration.desc()).limit(most)
    return [Point(*row) for row in connection.execute(query)][::-1]


def span(connection: Connection, run: str) -> tuple[float, float] | None:
    """Return when the oldest and the newest record of a run were written; None if there is none."""
    ends = (select(end(table.c.at)).where(table.c.series == _number(run)) for end in (func.min, func.max))
    oldest, newest = connection.execute(select(*(end.scalar_subquery() for end in ends))).one()
    return None if oldest is None else (oldest, newest)


def runs(connection: Connection) -> list[str]:
    """Return the runs that have records."""
    return list(connection.execute(select(series.c.run)).scalars())


def thin(connection: Connection, run: str, *, full_since: float, since: float, most: int) -> int:
    """Remove up to `most` records of a run that are older than `since`, or than `full_since` and not worth keeping.

    Beyond `MOST_POINTS` records a run has only such, and beyond twice as many none. Returns how many were removed.
    """
    number = connection.execute(select(_number(run))).scalar_one()
    crowded = _newest(connection, number, MOST_POINTS)
    if crowded is not None:
        full_since = max(full_since, crowded)
        since = max(since, _newest(connection, number, 2 * MOST_POINTS) or 0.0)
    # The first condition follows from the second, and lets SQLite look at old records only.
    old = (table.c.at < max(since, full_since)) & ((table.c.at < since) | ~table.c.keep)
    chosen = select(table.c.at, table.c.iteration).where(table.c.series == number, old).limit(most)
    key = tuple_(table.c.at, table.c.iteration)
    return connection.execute(delete(table).where(table.c.series == number, key.in_(chosen))).rowcount


def _series(connection: Connection, run: str) -> tuple[int, float | None]:
    """Return the number of a run, and when its newest record was written."""
    row = connection.execute(_LAST, {"run": run}).one_or_none()
    if row is not None:
        return row[0], row[1]
    number = connection.execute(insert(series).values(run=run)).inserted_primary_key
    assert number is not None
    return number[0], None


def _number(run: str) -> ScalarSelect[int]:
    return select(series.c.number).where(series.c.run == run).scalar_subquery()


def _newest(connection: Connection, number: int, count: int) -> float | None:
    """Return when the oldest of so many of the newest records was written, None if there are fewer."""
    query = select(table.c.at).where(table.c.series == number).order_by(table.c.at.desc())
    return connection.execute(query.offset(count - 1).limit(1)).scalar_one_or_none()


def _rows(number: int, points: Collection[Point], last: float | None) -> Iterator[_Row]:
    for point, after in zip_longest(points, islice(points, 1, None)):
        apart = last is None or point.at // APART != last // APART
        yield number, *point, point.first or apart or (after is not None and after.first)
        last = point.at
