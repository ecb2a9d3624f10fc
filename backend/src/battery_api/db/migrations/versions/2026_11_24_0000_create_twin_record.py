"""Create the record of the digital twin: discharges, their evidence, and daily estimates."""

import sqlalchemy as sa
from alembic import op

revision = "0007_twin_record"
down_revision = "0006_operations"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("set local lock_timeout = '5s'")
    op.create_table(
        "discharge_mark",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("string_id", sa.Integer(), nullable=False),
        sa.Column("start_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("end_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_discharge_mark")),
    )
    op.create_table(
        "discharge_event",
        sa.Column("id", sa.Integer(), sa.Identity(always=False), nullable=False),
        sa.Column("string_id", sa.Integer(), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("mode", sa.Text(), nullable=False),
        sa.Column("drawn_ah", sa.REAL(), nullable=False),
        sa.Column("depth_pct", sa.REAL(), nullable=False),
        sa.Column("mean_current_a", sa.REAL(), nullable=False),
        sa.Column("min_voltage_v", sa.REAL(), nullable=True),
        sa.Column("lowest_battery_id", sa.Integer(), nullable=True),
        sa.Column("mean_temperature_c", sa.REAL(), nullable=True),
        sa.Column("complete", sa.Boolean(), nullable=False),
        sa.Column("is_open", sa.Boolean(), nullable=False),
        sa.CheckConstraint("mode in ('discharge', 'test')", name=op.f("ck_discharge_event_mode")),
        sa.CheckConstraint("ended_at >= started_at", name=op.f("ck_discharge_event_span")),
        sa.ForeignKeyConstraint(["string_id"], ["string.id"], name=op.f("fk_discharge_event_string_id_string")),
        sa.ForeignKeyConstraint(
            ["lowest_battery_id"], ["battery.id"], name=op.f("fk_discharge_event_lowest_battery_id_battery")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_discharge_event")),
        sa.UniqueConstraint("string_id", "started_at", name=op.f("uq_discharge_event_string_id_started_at")),
    )
    op.create_index("ix_discharge_event_is_open", "discharge_event", ["string_id"], postgresql_where=sa.text("is_open"))
    op.create_table(
        "discharge_battery",
        sa.Column("event_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("battery_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("end_voltage_v", sa.REAL(), nullable=True),
        sa.Column("min_voltage_v", sa.REAL(), nullable=True),
        sa.Column("mean_temperature_c", sa.REAL(), nullable=True),
        sa.Column("soh_pct", sa.REAL(), nullable=True),
        sa.Column("soh_sd_pct", sa.REAL(), nullable=True),
        sa.Column("soh_provenance", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(
            ["event_id"],
            ["discharge_event.id"],
            name=op.f("fk_discharge_battery_event_id_discharge_event"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(["battery_id"], ["battery.id"], name=op.f("fk_discharge_battery_battery_id_battery")),
        sa.PrimaryKeyConstraint("event_id", "battery_id", name=op.f("pk_discharge_battery")),
    )
    op.create_index(op.f("ix_discharge_battery_battery_id"), "discharge_battery", ["battery_id"])
    op.create_table(
        "digital_twin_state",
        sa.Column("battery_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("time", sa.DateTime(timezone=True), nullable=False),
        sa.Column("soc_pct", sa.REAL(), nullable=True),
        sa.Column("soc_sd_pct", sa.REAL(), nullable=True),
        sa.Column("soc_provenance", sa.Text(), nullable=True),
        sa.Column("soh_pct", sa.REAL(), nullable=True),
        sa.Column("soh_sd_pct", sa.REAL(), nullable=True),
        sa.Column("soh_provenance", sa.Text(), nullable=True),
        sa.Column("resistance_mohm", sa.REAL(), nullable=True),
        sa.Column("resistance_sd_mohm", sa.REAL(), nullable=True),
        sa.Column("parameters_version", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["battery_id"], ["battery.id"], name=op.f("fk_digital_twin_state_battery_id_battery")),
        sa.PrimaryKeyConstraint("battery_id", "day", name=op.f("pk_digital_twin_state")),
    )
    op.add_column("battery_state", sa.Column("resistance_estimate_mohm", sa.REAL(), nullable=True))
    op.add_column("battery_state", sa.Column("resistance_estimate_sd_mohm", sa.REAL(), nullable=True))
    _mark_what_is_stored()


def downgrade() -> None:
    op.execute("set local lock_timeout = '5s'")
    op.drop_column("battery_state", "resistance_estimate_sd_mohm")
    op.drop_column("battery_state", "resistance_estimate_mohm")
    op.drop_table("digital_twin_state")
    op.drop_table("discharge_battery")
    op.drop_table("discharge_event")
    op.drop_table("discharge_mark")


def _mark_what_is_stored() -> None:
    # Rows from before this revision left no mark. Each string gets one a week from its first row, found by its index.
    op.execute(
        """
        insert into discharge_mark (string_id, start_at, end_at)
        select s.string_id, week, week + interval '7 days'
        from string_state s,
             lateral (select min(t.time) as time from string_telemetry t where t.string_id = s.string_id) first,
             generate_series(first.time, now(), interval '7 days') week
        where first.time is not null
        """
    )
