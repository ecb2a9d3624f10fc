"""Create the rows of present state."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0004_live"
down_revision = "0003_telemetry"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("set local lock_timeout = '5s'")
    op.create_table(
        "location_state",
        sa.Column("location_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("seq", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("time", sa.DateTime(timezone=True), nullable=True),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ambient_c", sa.REAL(), nullable=True),
        sa.Column("humidity_pct", sa.REAL(), nullable=True),
        sa.Column("hvac", sa.Text(), nullable=True),
        sa.Column("mains", sa.Boolean(), nullable=True),
        sa.Column("reporting_interval_s", sa.REAL(), nullable=True),
        sa.Column("rule_state", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
        sa.ForeignKeyConstraint(["location_id"], ["location.id"], name=op.f("fk_location_state_location_id_location")),
        sa.PrimaryKeyConstraint("location_id", name=op.f("pk_location_state")),
    )
    op.create_table(
        "string_state",
        sa.Column("string_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("time", sa.DateTime(timezone=True), nullable=True),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("voltage_v", sa.REAL(), nullable=True),
        sa.Column("current_a", sa.REAL(), nullable=True),
        sa.Column("float_current_ma", sa.REAL(), nullable=True),
        sa.Column("ripple_voltage_v", sa.REAL(), nullable=True),
        sa.Column("ripple_current_a", sa.REAL(), nullable=True),
        sa.Column("mode", sa.Text(), nullable=True),
        sa.Column("mode_since", sa.DateTime(timezone=True), nullable=True),
        sa.Column("last_discharge_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("reporting_interval_s", sa.REAL(), nullable=True),
        sa.Column("rule_state", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
        sa.ForeignKeyConstraint(["string_id"], ["string.id"], name=op.f("fk_string_state_string_id_string")),
        sa.PrimaryKeyConstraint("string_id", name=op.f("pk_string_state")),
    )
    op.create_table(
        "battery_state",
        sa.Column("battery_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("seq", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("time", sa.DateTime(timezone=True), nullable=True),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("voltage_v", sa.REAL(), nullable=True),
        sa.Column("current_a", sa.REAL(), nullable=True),
        sa.Column("temperature_c", sa.REAL(), nullable=True),
        sa.Column("internal_resistance_mohm", sa.REAL(), nullable=True),
        sa.Column("resistance_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("resistance_temperature_c", sa.REAL(), nullable=True),
        sa.Column("soc_pct", sa.REAL(), nullable=True),
        sa.Column("soc_sd_pct", sa.REAL(), nullable=True),
        sa.Column("soc_provenance", sa.Text(), nullable=True),
        sa.Column("soh_pct", sa.REAL(), nullable=True),
        sa.Column("soh_sd_pct", sa.REAL(), nullable=True),
        sa.Column("soh_provenance", sa.Text(), nullable=True),
        sa.Column("quality", sa.SmallInteger(), server_default="0", nullable=False),
        sa.Column("reporting_interval_s", sa.REAL(), nullable=True),
        sa.Column("twin_state", sa.LargeBinary(), nullable=True),
        sa.Column("twin_state_version", sa.Integer(), server_default="0", nullable=False),
        sa.Column("rule_state", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
        sa.Column("open_info", sa.SmallInteger(), server_default="0", nullable=False),
        sa.Column("open_warning", sa.SmallInteger(), server_default="0", nullable=False),
        sa.Column("open_critical", sa.SmallInteger(), server_default="0", nullable=False),
        sa.Column("count_day", sa.DateTime(timezone=True), nullable=True),
        sa.Column("received_count", sa.Integer(), server_default="0", nullable=False),
        sa.Column("accepted_count", sa.Integer(), server_default="0", nullable=False),
        sa.Column("late_count", sa.Integer(), server_default="0", nullable=False),
        sa.Column("duplicate_count", sa.Integer(), server_default="0", nullable=False),
        sa.Column("rejected_count", sa.Integer(), server_default="0", nullable=False),
        sa.ForeignKeyConstraint(["battery_id"], ["battery.id"], name=op.f("fk_battery_state_battery_id_battery")),
        sa.PrimaryKeyConstraint("battery_id", name=op.f("pk_battery_state")),
    )


def downgrade() -> None:
    op.execute("set local lock_timeout = '5s'")
    op.drop_table("battery_state")
    op.drop_table("string_state")
    op.drop_table("location_state")
