"""The tables. Times are seconds since 1970, UTC, as floats: there is no zone that could be lost on the way."""

from __future__ import annotations

from sqlalchemy import Boolean, Column, Float, ForeignKey, Index, Integer, LargeBinary, MetaData, String, Table, Text

metadata = MetaData()

runs = Table(
    "runs",
    metadata,
    Column("name", String, primary_key=True),
    Column("host", String, nullable=False),
    Column("state", Text, nullable=False),  # track.memory
    Column("parsers", Text, nullable=False),  # JSON: path -> parser state
    Column("seen_at", Float),
    Column("clock_skew", Float),
)
cursors = Table(
    "cursors",
    metadata,
    Column("run", ForeignKey("runs.name", ondelete="CASCADE"), primary_key=True),
    Column("path", String, primary_key=True),
    Column("identity", String, nullable=False),
    Column("offset", Integer, nullable=False),
    Column("fingerprint", LargeBinary, nullable=False),
    Column("partial", LargeBinary, nullable=False),
    Column("mtime", Float, nullable=False, server_default="0"),
    Column("real_path", String, nullable=False, server_default=""),
)
hosts = Table(
    "hosts",
    metadata,
    Column("name", String, primary_key=True),
    Column("seen_at", Float),
    Column("failing_since", Float),
    Column("failures", Integer, nullable=False),
    Column("error", Text, nullable=False),
)
incidents = Table(
    "incidents",
    metadata,
    Column("number", Integer, primary_key=True, autoincrement=True),
    Column("subject", String, nullable=False),
    Column("kind", String, nullable=False),
    Column("detail", String, nullable=False),
    Column("severity", String, nullable=False),
    Column("state", String, nullable=False),
    Column("starts_at", Float, nullable=False),
    Column("fired_at", Float),
    Column("ends_at", Float),
    Column("facts", Text, nullable=False),  # JSON
    Column("acknowledged_by", String, nullable=False),
    Column("acknowledged_at", Float),
    Column("muted", Integer, nullable=False),
    Column("told_for", Float, nullable=False),
    Column("held", Integer, nullable=False, server_default="0"),  # the incident that holds its messages back; 0: none
    Column("false_alarm_by", String, nullable=False, server_default=""),
    Column("false_alarm_at", Float),
    Index("incidents_active", "state", "subject"),
    Index("incidents_ended", "ends_at"),
    sqlite_autoincrement=True,
)
deliveries = Table(
    "deliveries",
    metadata,
    Column("number", Integer, primary_key=True, autoincrement=True),
    Column("key", String, nullable=False, unique=True),
    Column("incident", ForeignKey("incidents.number", ondelete="CASCADE"), nullable=False),
    Column("notifier", String, nullable=False),
    Column("target", String, nullable=False),
    Column("reason", String, nullable=False),
    Column("state", String, nullable=False),
    Column("created_at", Float, nullable=False),
    Column("due_at", Float, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("last_error", Text, nullable=False),
    Column("ref", String, nullable=False),
    Column("fallback_for", String, nullable=False),
    Column("repeat", Boolean, nullable=False),
    Column("sent_at", Float),
    Index("deliveries_due", "state", "notifier", "due_at"),
    Index("deliveries_incident", "incident", "notifier", "target"),
    sqlite_autoincrement=True,
)
mutes = Table(
    "mutes",
    metadata,
    Column("number", Integer, primary_key=True, autoincrement=True),
    Column("subject", String, nullable=False),  # empty: all
    Column("kind", String, nullable=False),  # empty: all
    Column("until", Float, nullable=False),
    Column("by", String, nullable=False),
    Column("created_at", Float, nullable=False),
    Column("reason", Text, nullable=False),
    Column("ended_at", Float),
    sqlite_autoincrement=True,
)
settings = Table(
    "settings",
    metadata,
    Column("scope", String, primary_key=True),  # all, host NAME, run NAME
    Column("name", String, primary_key=True),
    Column("value", String, nullable=False),
    Column("by", String, nullable=False),
    Column("at", Float, nullable=False),
)
audit = Table(
    "audit",
    metadata,
    Column("number", Integer, primary_key=True, autoincrement=True),
    Column("at", Float, nullable=False),
    Column("actor", String, nullable=False),
    Column("verb", String, nullable=False),
    Column("subject", String, nullable=False),
    Column("old", Text, nullable=False),
    Column("new", Text, nullable=False),
    Column("refused", Text, nullable=False),  # why; empty if it was done
)
lease = Table(
    "lease",
    metadata,
    Column("name", String, primary_key=True),
    Column("holder", String, nullable=False),
    Column("fence", Integer, nullable=False),
    Column("renewed_at", Float, nullable=False),
    Column("expires_at", Float, nullable=False),
    Column("looked_at", Float),  # until when it is known that somebody looked
)
# Each record of progress names its run: by a number, which takes one byte where a name may take sixty.
series = Table(
    "series",
    metadata,
    Column("number", Integer, primary_key=True),
    Column("run", ForeignKey("runs.name", ondelete="CASCADE"), nullable=False, unique=True),
)
progress = Table(
    "progress",
    metadata,
    Column("series", ForeignKey("series.number", ondelete="CASCADE"), primary_key=True),
    Column("at", Float, primary_key=True),
    Column("iteration", Integer, primary_key=True),
    Column("ms", Float),
    Column("loss", Float),
    Column("first", Boolean, nullable=False),  # of a launch
    Column("before", Text),  # track.marks; NULL: written by a version that did not keep it
    Column("keep", Boolean, nullable=False),  # it outlives those around it
    sqlite_with_rowid=False,
)
judgements = Table(
    "judgements",
    metadata,
    Column("number", Integer, primary_key=True),
    Column("incident", ForeignKey("incidents.number", ondelete="CASCADE"), nullable=False),
    Column("at", Float, nullable=False),
    Column("severity", String, nullable=False),
    Column("facts", Text, nullable=False),  # JSON
    Column("thresholds", Text, nullable=False),  # JSON: what held then, as a list
    Index("judgements_incident", "incident"),
)
decisions = Table(
    "decisions",
    metadata,
    Column("number", Integer, primary_key=True),
    Column("incident", ForeignKey("incidents.number", ondelete="CASCADE"), nullable=False),
    Column("at", Float, nullable=False),
    Column("reason", String, nullable=False),  # empty: nothing was to be told
    Column("receiver", String, nullable=False),  # empty: it is about all of them
    Column("outcome", String, nullable=False),
    Column("why", Text, nullable=False),
    Column("by", String, nullable=False),  # the person behind it; empty: nobody
    Column("delivery", Integer, nullable=False),  # 0: none
    Index("decisions_incident", "incident"),
)
attempts = Table(
    "attempts",
    metadata,
    Column("number", Integer, primary_key=True),
    Column("delivery", ForeignKey("deliveries.number", ondelete="CASCADE"), nullable=False),
    Column("at", Float, nullable=False),
    Column("error", Text, nullable=False),  # empty: it was taken
    Column("retry_at", Float),
    Index("attempts_delivery", "delivery"),
)
