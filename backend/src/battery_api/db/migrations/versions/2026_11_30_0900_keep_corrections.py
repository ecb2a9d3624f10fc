"""Count readings that complete or correct a stored one, and keep what a correction overwrites."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0011_corrections"
down_revision = "0010_retirement"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("set local lock_timeout = '5s'")
    for name in ("merged", "corrected"):
        op.add_column("reading_count", sa.Column(name, sa.BigInteger(), server_default="0", nullable=False))
        op.add_column("battery_state", sa.Column(f"{name}_count", sa.Integer(), server_default="0", nullable=False))
    op.create_table(
        "overwritten_reading",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("subject_id", sa.Integer(), nullable=False),
        sa.Column("time", sa.DateTime(timezone=True), nullable=False),
        sa.Column("overwritten_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("values", postgresql.JSONB(), nullable=False),
        sa.Column("is_dangerous", sa.Boolean(), nullable=False),
        sa.CheckConstraint("kind in ('battery', 'string', 'location')", name=op.f("ck_overwritten_reading_kind")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_overwritten_reading")),
    )
    op.create_index(
        "ix_overwritten_reading_kind_subject_id_time", "overwritten_reading", ["kind", "subject_id", "time"]
    )


def downgrade() -> None:
    op.execute("set local lock_timeout = '5s'")
    op.drop_table("overwritten_reading")
    for name in ("corrected", "merged"):
        op.drop_column("battery_state", f"{name}_count")
        op.drop_column("reading_count", name)
