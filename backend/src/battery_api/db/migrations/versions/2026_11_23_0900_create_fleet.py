"""Create the fleet: locations, systems, strings, battery models and batteries."""

import sqlalchemy as sa
from alembic import op

revision = "0001_fleet"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("set local lock_timeout = '5s'")
    op.create_table(
        "battery_model",
        sa.Column("id", sa.Integer(), sa.Identity(always=False), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("manufacturer", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("chemistry", sa.Text(), nullable=False),
        sa.Column("nominal_voltage_v", sa.REAL(), nullable=False),
        sa.Column("cell_count", sa.SmallInteger(), nullable=False),
        sa.Column("rated_capacity_ah", sa.REAL(), nullable=False),
        sa.Column("float_voltage_low_v", sa.REAL(), nullable=False),
        sa.Column("float_voltage_high_v", sa.REAL(), nullable=False),
        sa.Column("float_compensation_v_per_c", sa.REAL(), nullable=False),
        sa.Column("nominal_resistance_mohm", sa.REAL(), nullable=False),
        sa.Column("max_charge_current_a", sa.REAL(), nullable=False),
        sa.Column("mass_kg", sa.REAL(), nullable=False),
        sa.Column("design_life_years", sa.REAL(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_battery_model")),
        sa.UniqueConstraint("code", name=op.f("uq_battery_model_code")),
    )
    op.create_table(
        "location",
        sa.Column("id", sa.Integer(), sa.Identity(always=False), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("region", sa.Text(), nullable=False),
        sa.Column("latitude", sa.Double(), nullable=False),
        sa.Column("longitude", sa.Double(), nullable=False),
        sa.Column("altitude_m", sa.REAL(), nullable=False),
        sa.Column("commissioned_on", sa.Date(), nullable=False),
        sa.Column("utility", sa.Text(), nullable=False),
        sa.Column("climate_zone", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_location")),
        sa.UniqueConstraint("code", name=op.f("uq_location_code")),
    )
    op.create_table(
        "battery_system",
        sa.Column("id", sa.Integer(), sa.Identity(always=False), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("location_id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("rated_power_kva", sa.REAL(), nullable=False),
        sa.CheckConstraint("kind in ('UPS', 'RECTIFIER')", name=op.f("ck_battery_system_kind")),
        sa.ForeignKeyConstraint(["location_id"], ["location.id"], name=op.f("fk_battery_system_location_id_location")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_battery_system")),
        sa.UniqueConstraint("code", name=op.f("uq_battery_system_code")),
    )
    op.create_index(op.f("ix_battery_system_location_id"), "battery_system", ["location_id"], unique=False)
    op.create_table(
        "string",
        sa.Column("id", sa.Integer(), sa.Identity(always=False), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("system_id", sa.Integer(), nullable=False),
        sa.Column("location_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["location_id"], ["location.id"], name=op.f("fk_string_location_id_location")),
        sa.ForeignKeyConstraint(["system_id"], ["battery_system.id"], name=op.f("fk_string_system_id_battery_system")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_string")),
        sa.UniqueConstraint("code", name=op.f("uq_string_code")),
    )
    op.create_index(op.f("ix_string_location_id"), "string", ["location_id"], unique=False)
    op.create_index(op.f("ix_string_system_id"), "string", ["system_id"], unique=False)
    op.create_table(
        "battery",
        sa.Column("id", sa.Integer(), sa.Identity(always=False), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("string_id", sa.Integer(), nullable=False),
        sa.Column("location_id", sa.Integer(), nullable=False),
        sa.Column("model_id", sa.Integer(), nullable=False),
        sa.Column("position", sa.SmallInteger(), nullable=False),
        sa.Column("serial_number", sa.Text(), nullable=False),
        sa.Column("installed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("removed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("removed_reason", sa.Text(), nullable=True),
        sa.Column("baseline_resistance_mohm", sa.REAL(), nullable=True),
        sa.Column("baseline_temperature_c", sa.REAL(), nullable=True),
        sa.CheckConstraint("removed_at is null or removed_at > installed_at", name=op.f("ck_battery_span")),
        sa.ForeignKeyConstraint(["location_id"], ["location.id"], name=op.f("fk_battery_location_id_location")),
        sa.ForeignKeyConstraint(["model_id"], ["battery_model.id"], name=op.f("fk_battery_model_id_battery_model")),
        sa.ForeignKeyConstraint(["string_id"], ["string.id"], name=op.f("fk_battery_string_id_string")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_battery")),
        sa.UniqueConstraint("code", "installed_at", name=op.f("uq_battery_code_installed_at")),
        sa.UniqueConstraint("serial_number", name=op.f("uq_battery_serial_number")),
    )
    op.create_index(op.f("ix_battery_location_id"), "battery", ["location_id"], unique=False)
    op.create_index(op.f("ix_battery_string_id"), "battery", ["string_id"], unique=False)
    op.create_index(
        "uq_battery_code_present", "battery", ["code"], unique=True, postgresql_where=sa.text("removed_at is null")
    )


def downgrade() -> None:
    op.execute("set local lock_timeout = '5s'")
    op.drop_index("uq_battery_code_present", table_name="battery", postgresql_where=sa.text("removed_at is null"))
    op.drop_index(op.f("ix_battery_string_id"), table_name="battery")
    op.drop_index(op.f("ix_battery_location_id"), table_name="battery")
    op.drop_table("battery")
    op.drop_index(op.f("ix_string_system_id"), table_name="string")
    op.drop_index(op.f("ix_string_location_id"), table_name="string")
    op.drop_table("string")
    op.drop_index(op.f("ix_battery_system_location_id"), table_name="battery_system")
    op.drop_table("battery_system")
    op.drop_table("location")
    op.drop_table("battery_model")
