"""Weigh the roll-ups by time: integral and held time of each channel, kept by one job on either engine."""

import sqlalchemy as sa
from alembic import op

from battery_api.db import timescale
from battery_api.db.tables.telemetry import ROLLUP_CHANNELS

revision = "0009_time_weights"
down_revision = "0008_local_midnights"
branch_labels = None
depends_on = None

RETENTION_DAYS = 730
_FIRST_COLUMNS = (
    "row_count",
    *(f"{channel}_{figure}" for channel in ROLLUP_CHANNELS for figure in ("count", "min", "max", "sum", "last")),
)
_WEIGHTS = tuple(f"{channel}_{figure}" for channel in ROLLUP_CHANNELS for figure in ("integral", "held_s"))


def upgrade() -> None:
    op.execute("set local lock_timeout = '5s'")
    for rollup in timescale.ROLLUPS:
        if _on_timescale():
            _replace_aggregate(rollup)
        else:
            for name in _WEIGHTS:
                op.add_column(rollup, sa.Column(name, sa.Double(), nullable=True))
    op.create_index("ix_rollup_mark_string_id_hour", "rollup_mark", ["string_id", "hour"])
    _mark_what_is_stored()


def downgrade() -> None:
    op.execute("set local lock_timeout = '5s'")
    op.drop_index("ix_rollup_mark_string_id_hour", "rollup_mark")
    for rollup in timescale.ROLLUPS:
        if _on_timescale():
            op.execute(f"drop table {rollup}")
            for statement in timescale.continuous_aggregate_statements(rollup, retention_days=RETENTION_DAYS):
                op.execute(statement)
        else:
            op.execute(f"delete from {rollup} where row_count = 0")
            for name in _WEIGHTS:
                op.drop_column(rollup, name)


def _on_timescale() -> bool:
    return op.get_bind().scalar(sa.text(timescale.DETECT)) is not None


def _replace_aggregate(rollup: str) -> None:
    """Put a table in the place of a continuous aggregate; keep the buckets whose readings are deleted."""
    op.execute(f"alter materialized view {rollup} rename to {rollup}_aggregate")
    op.create_table(
        rollup, *_rollup_columns(), sa.PrimaryKeyConstraint("battery_id", "bucket", name=op.f(f"pk_{rollup}"))
    )
    for statement in timescale.rollup_hypertable_statements(rollup, retention_days=RETENTION_DAYS):
        op.execute(statement)
    columns = f"battery_id, bucket, {', '.join(_FIRST_COLUMNS)}"
    op.execute(
        f"insert into {rollup} ({columns}) select {columns} from {rollup}_aggregate "
        "where bucket < (select min(time) from telemetry)"
    )
    op.execute(f"drop materialized view {rollup}_aggregate")


def _mark_what_is_stored() -> None:
    # The job rebuilds every hour of the readings, the newest marks first; until then queries compute marked hours from
    # the readings. By days, so that each is composed about once.
    op.execute(
        """
        insert into rollup_mark (string_id, hour)
        select s.id, hour
        from string s,
             lateral (
                 select min(t.time) as first, max(t.time) as last
                 from battery b, lateral (
                     (select time from telemetry where battery_id = b.id order by time limit 1)
                     union all
                     (select time from telemetry where battery_id = b.id order by time desc limit 1)
                 ) t
                 where b.string_id = s.id
             ) stored,
             generate_series(
                 date_trunc('hour', stored.first at time zone 'UTC') at time zone 'UTC',
                 stored.last + interval '5 minutes', interval '1 hour'
             ) hour
        order by date_trunc('day', (hour + interval '7 hours') at time zone 'UTC'), s.id, hour
        """
    )


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
            sa.Column(f"{channel}_integral", sa.Double()),
            sa.Column(f"{channel}_held_s", sa.Double()),
        ]
    return columns
