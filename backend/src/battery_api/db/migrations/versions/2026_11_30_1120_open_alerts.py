"""Let an alert stay open, and its battery at its status, for as long as the condition lasts, resolved or not.

Of an alert that was resolved before this, no rule knows any more whether its condition lasts; it raised a new alert if
it did. So it cleared when it was resolved.
"""

import sqlalchemy as sa
from alembic import op

revision = "0020_open_alerts"
down_revision = "0019_session_start"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("set local lock_timeout = '5s'")
    op.execute(
        "update alert set cleared_at = greatest(raised_at, resolved_at) "
        "where cleared_at is null and resolved_at is not null"
    )
    op.drop_index("uq_alert_open", table_name="alert")
    op.create_index(
        "uq_alert_open", "alert", ["subject", "type"], unique=True, postgresql_where=sa.text("cleared_at is null")
    )


def downgrade() -> None:
    op.execute("set local lock_timeout = '5s'")
    op.drop_index("uq_alert_open", table_name="alert")
    op.create_index(
        "uq_alert_open",
        "alert",
        ["subject", "type"],
        unique=True,
        postgresql_where=sa.text("cleared_at is null and resolved_at is null"),
    )
