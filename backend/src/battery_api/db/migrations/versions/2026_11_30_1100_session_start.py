"""Remember when each session was opened, so that it ends some day however often it is used."""

import sqlalchemy as sa
from alembic import op

revision = "0019_session_start"
down_revision = "0018_partition_functions"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("set local lock_timeout = '5s'")
    op.add_column("refresh_token", sa.Column("opened_at", sa.DateTime(timezone=True), nullable=True))
    op.execute(
        "update refresh_token as t set opened_at = family.first_at from "
        "(select family_id, min(issued_at) as first_at from refresh_token group by family_id) as family "
        "where family.family_id = t.family_id"
    )
    op.alter_column("refresh_token", "opened_at", nullable=False)


def downgrade() -> None:
    op.execute("set local lock_timeout = '5s'")
    op.drop_column("refresh_token", "opened_at")
