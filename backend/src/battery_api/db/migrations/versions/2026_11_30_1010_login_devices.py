"""Keep the device of a login attempt, and since when a stranger waits."""

import sqlalchemy as sa
from alembic import op

revision = "0015_login_devices"
down_revision = "0014_audit_chain"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("set local lock_timeout = '5s'")
    op.add_column("login_attempt", sa.Column("device", sa.Text(), nullable=True))
    op.add_column("login_attempt", sa.Column("refused", sa.Boolean(), server_default=sa.text("false"), nullable=False))
    op.create_index("ix_login_attempt_username_at", "login_attempt", ["username", "at"], unique=False)
    op.create_index("ix_login_attempt_device_at", "login_attempt", ["device", "at"], unique=False)


def downgrade() -> None:
    op.execute("set local lock_timeout = '5s'")
    op.drop_index("ix_login_attempt_device_at", table_name="login_attempt")
    op.drop_index("ix_login_attempt_username_at", table_name="login_attempt")
    op.execute("delete from login_attempt where refused")
    op.drop_column("login_attempt", "refused")
    op.drop_column("login_attempt", "device")
