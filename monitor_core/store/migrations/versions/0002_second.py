"""One brain, history and decisions: the lease, progress records, what was decided, each attempt, false alarms."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Add the tables and columns."""
    op.create_table(
        "lease",
        sa.Column("name", sa.String, primary_key=True),
        sa.Column("holder", sa.String, nullable=False),
        sa.Column("fence", sa.Integer, nullable=False),
        sa.Column("renewed_at", sa.Float, nullable=False),
        sa.Column("expires_at", sa.Float, nullable=False),
        sa.Column("looked_at", sa.Float),
    )
    op.create_table(
        "series",
        sa.Column("number", sa.Integer, primary_key=True),
        sa.Column("run", sa.String, sa.ForeignKey("runs.name", ondelete="CASCADE"), nullable=False, unique=True),
    )
    op.create_table(
        "progress",
        sa.Column("series", sa.Integer, sa.ForeignKey("series.number", ondelete="CASCADE"), primary_key=True),
        sa.Column("at", sa.Float, primary_key=True),
        sa.Column("iteration", sa.Integer, primary_key=True),
        sa.Column("ms", sa.Float),
        sa.Column("loss", sa.Float),
        sa.Column("first", sa.Boolean, nullable=False),
        sa.Column("keep", sa.Boolean, nullable=False),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "judgements",
        sa.Column("number", sa.Integer, primary_key=True),
        sa.Column("incident", sa.Integer, sa.ForeignKey("incidents.number", ondelete="CASCADE"), nullable=False),
        sa.Column("at", sa.Float, nullable=False),
        sa.Column("severity", sa.String, nullable=False),
        sa.Column("facts", sa.Text, nullable=False),
        sa.Column("thresholds", sa.Text, nullable=False),
    )
    op.create_index("judgements_incident", "judgements", ["incident"])
    op.create_table(
        "decisions",
        sa.Column("number", sa.Integer, primary_key=True),
        sa.Column("incident", sa.Integer, sa.ForeignKey("incidents.number", ondelete="CASCADE"), nullable=False),
        sa.Column("at", sa.Float, nullable=False),
        sa.Column("reason", sa.String, nullable=False),
        sa.Column("receiver", sa.String, nullable=False),
        sa.Column("outcome", sa.String, nullable=False),
        sa.Column("why", sa.Text, nullable=False),
        sa.Column("by", sa.String, nullable=False),
        sa.Column("delivery", sa.Integer, nullable=False),
    )
    op.create_index("decisions_incident", "decisions", ["incident"])
    op.create_table(
        "attempts",
        sa.Column("number", sa.Integer, primary_key=True),
        sa.Column("delivery", sa.Integer, sa.ForeignKey("deliveries.number", ondelete="CASCADE"), nullable=False),
        sa.Column("at", sa.Float, nullable=False),
        sa.Column("error", sa.Text, nullable=False),
        sa.Column("retry_at", sa.Float),
    )
    op.create_index("attempts_delivery", "attempts", ["delivery"])
    op.create_index("incidents_ended", "incidents", ["ends_at"])
    for column in (
        sa.Column("held", sa.Integer, nullable=False, server_default="0"),
        sa.Column("false_alarm_by", sa.String, nullable=False, server_default=""),
        sa.Column("false_alarm_at", sa.Float),
    ):
        op.add_column("incidents", column)
    op.add_column("cursors", sa.Column("mtime", sa.Float, nullable=False, server_default="0"))
    op.add_column("cursors", sa.Column("real_path", sa.String, nullable=False, server_default=""))
