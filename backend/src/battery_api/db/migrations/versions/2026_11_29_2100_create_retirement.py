"""Record the retirement of batteries, and why an alert ended with its subject."""

import sqlalchemy as sa
from alembic import op

revision = "0010_retirement"
down_revision = "0009_time_weights"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("set local lock_timeout = '5s'")
    op.add_column("battery", sa.Column("retired_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("battery", sa.Column("retired_by", sa.Text(), nullable=True))
    op.add_column("battery", sa.Column("retired_reason", sa.Text(), nullable=True))
    op.create_check_constraint(
        op.f("ck_battery_retirement"),
        "battery",
        "(retired_at is null) = (retired_by is null) and (retired_at is null) = (retired_reason is null)",
    )
    op.add_column("alert", sa.Column("end_reason", sa.Text(), nullable=True))
    op.create_check_constraint(op.f("ck_alert_end_reason"), "alert", "end_reason in ('replaced', 'retired')")


def downgrade() -> None:
    op.execute("set local lock_timeout = '5s'")
    op.drop_constraint(op.f("ck_alert_end_reason"), "alert")
    op.drop_column("alert", "end_reason")
    op.drop_constraint(op.f("ck_battery_retirement"), "battery")
    op.drop_column("battery", "retired_reason")
    op.drop_column("battery", "retired_by")
    op.drop_column("battery", "retired_at")
