"""What came between two lines of progress is kept with the later one, so that both can be judged again."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Add the column; what an earlier version wrote has NULL there."""
    op.add_column("progress", sa.Column("before", sa.Text))
