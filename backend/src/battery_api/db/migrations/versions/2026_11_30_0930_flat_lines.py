"""Keep how the channels of each string's batteries move, so that one that stands still is noticed."""

import sqlalchemy as sa
from alembic import op

revision = "0013_flat_lines"
down_revision = "0012_judge_again"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("set local lock_timeout = '5s'")
    op.add_column("string_state", sa.Column("flatlines", sa.LargeBinary(), nullable=True))


def downgrade() -> None:
    op.execute("set local lock_timeout = '5s'")
    op.drop_column("string_state", "flatlines")
