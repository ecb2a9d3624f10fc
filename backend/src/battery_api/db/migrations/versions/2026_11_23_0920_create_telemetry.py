"""Create the time series and their roll-ups on either engine."""

from datetime import UTC, datetime, timedelta

import sqlalchemy as sa
from alembic import op

from battery_api.db import timescale
from battery_api.db.tables.telemetry import ROLLUP_CHANNELS

revision = "0003_telemetry"
down_revision = "0002_access"
branch_labels = None
depends_on = None

RETENTION_DAYS = 730


def upgrade() -> None:
    op.execute("set local lock_timeout = '5s'")
    on_timescale = _timescale()
    partition = "" if on_timescale else " partition by range (time)"
    op.execute(
        "create table telemetry (battery_id integer not null, time timestamptz not null, "
        "voltage_v real, current_a real, "
        "temperature_c real, internal_resistance_mohm real, soc_pct real, soh_pct real, "
        "quality smallint not null default 0, constraint pk_telemetry primary key (battery_id, time))" + partition
    )
    op.execute(
        "create table string_telemetry (string_id integer not null, time timestamptz not null, voltage_v real, "
        "current_a real, float_current_ma real, ripple_voltage_v real, ripple_current_a real, mode text, "
        "constraint pk_string_telemetry primary key (string_id, time))" + partition
    )
    op.execute(
        "create table site_environment (location_id integer not null, time timestamptz not null, ambient_c real, "
        "humidity_pct real, hvac text, mains smallint, "
        "constraint pk_site_environment primary key (location_id, time))" + partition
    )
    if on_timescale:
        _make_hypertables()
    else:
        _make_partitions()
        for rollup in timescale.ROLLUPS:
            op.create_table(rollup, *_rollup_columns(), sa.PrimaryKeyConstraint("battery_id", "bucket"))
    op.create_table(
        "reading_count",
        sa.Column("battery_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("day", sa.DateTime(timezone=True), nullable=False),
        sa.Column("received", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("accepted", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("late", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("duplicate", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("rejected", sa.BigInteger(), server_default="0", nullable=False),
        sa.PrimaryKeyConstraint("battery_id", "day", name=op.f("pk_reading_count")),
    )
    op.create_table(
        "rollup_mark",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("string_id", sa.Integer(), nullable=False),
        sa.Column("hour", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_rollup_mark")),
    )


def downgrade() -> None:
    op.execute("set local lock_timeout = '5s'")
    for rollup in reversed(timescale.ROLLUPS):
        op.execute(f"drop materialized view {rollup}" if _timescale() else f"drop table {rollup}")
    op.drop_table("reading_count")
    op.drop_table("rollup_mark")
    for series in reversed(timescale.TIME_SERIES):
        op.execute(f"drop table {series.table}")


def _timescale() -> bool:
    connection = op.get_bind()
    if connection.scalar(sa.text(timescale.DETECT)):
        return True
    if not connection.scalar(sa.text(timescale.AVAILABLE)):
        return False
    op.execute("create extension timescaledb")
    return True


def _make_hypertables() -> None:
    for series in timescale.TIME_SERIES:
        for statement in timescale.hypertable_statements(series, retention_days=RETENTION_DAYS):
            op.execute(statement)
    for rollup in timescale.ROLLUPS:
        for statement in timescale.continuous_aggregate_statements(rollup, retention_days=RETENTION_DAYS):
            op.execute(statement)


def _make_partitions() -> None:
    # Enough to start with; the partition job makes the rest back to the retention that is set.
    now = datetime.now(UTC)
    for series in timescale.TIME_SERIES:
        for month in timescale.months_between(now - timedelta(days=100), now + timedelta(days=62)):
            op.execute(timescale.partition_statement(series.table, month))


def _rollup_columns() -> list[sa.Column[object]]:
    columns: list[sa.Column[object]] = [
        sa.Column("battery_id", sa.Integer(), nullable=False),
        sa.Column("bucket", sa.DateTime(timezone=True), nullable=False),
        sa.Column("row_count", sa.Integer(), nullable=False),
    ]
    for channel in ROLLUP_CHANNELS:
        columns += [
            sa.Column(f"{channel}_count", sa.Integer(), nullable=False),
            sa.Column(f"{channel}_min", sa.REAL()),
            sa.Column(f"{channel}_max", sa.REAL()),
            sa.Column(f"{channel}_sum", sa.Double()),
            sa.Column(f"{channel}_last", sa.REAL()),
        ]
    return columns
