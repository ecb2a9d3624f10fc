"""Keep a daily history of each battery, and mark every day of which there are readings for the job that fills it."""

import sqlalchemy as sa
from alembic import op

revision = "0023_battery_days"
down_revision = "0022_string_runtime"
branch_labels = None
depends_on = None

_COLUMNS = (
    "voltage_mean_v",
    "voltage_deviation_v",
    "string_spread_v",
    "temperature_mean_c",
    "temperature_min_c",
    "temperature_max_c",
    "hours_above_30c",
    "hours_above_35c",
    "temperature_rise_k",
    "resistance_25c_mohm",
    "float_current_ma",
    "discharge_count",
    "discharge_s",
    "discharge_ah",
    "discharge_min_v",
)


def upgrade() -> None:
    op.execute("set local lock_timeout = '5s'")
    op.create_table(
        "battery_day",
        sa.Column("battery_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        *(sa.Column(name, sa.REAL(), nullable=True) for name in _COLUMNS),
        sa.PrimaryKeyConstraint("battery_id", "day", name=op.f("pk_battery_day")),
    )
    op.create_index("ix_battery_day_day", "battery_day", ["day"])
    op.create_table(
        "battery_day_mark",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("string_id", sa.Integer(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_battery_day_mark")),
    )
    op.create_table(
        "battery_day_progress",
        sa.Column("id", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("past_day_count", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_battery_day_progress")),
        sa.CheckConstraint("id = 1", name=op.f("ck_battery_day_progress_single")),
    )
    op.execute("insert into battery_day_progress (id, past_day_count) values (1, 0)")
    op.create_index("ix_battery_day_mark_day_string_id", "battery_day_mark", ["day", "string_id"])
    # What is not rolled up yet is marked when it is.
    op.execute(
        "insert into battery_day_mark (string_id, day) "
        "select distinct b.string_id, (d.bucket at time zone 'Asia/Bangkok')::date "
        "from telemetry_daily d join battery b on b.id = d.battery_id"
    )


def downgrade() -> None:
    op.execute("set local lock_timeout = '5s'")
    op.drop_table("battery_day_progress")
    op.drop_table("battery_day_mark")
    op.drop_table("battery_day")
