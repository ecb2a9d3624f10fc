"""Keep the slow trends of strings and the mains losses of locations, for the rules that need more than one reading."""

import sqlalchemy as sa
from alembic import op

revision = "0026_string_trends"
down_revision = "0025_incidents"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("set local lock_timeout = '5s'")
    op.add_column("string_state", sa.Column("trends", sa.LargeBinary(), nullable=True))
    op.add_column("location_state", sa.Column("mains_history", sa.LargeBinary(), nullable=True))


def downgrade() -> None:
    op.execute("set local lock_timeout = '5s'")
    op.drop_column("location_state", "mains_history")
    op.drop_column("string_state", "trends")
