"""Keep what the digital twin knew of a string at some instants, so that late readings are estimated in their place.

What is known now becomes the first snapshot: the readings before it were estimated without any.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0021_twin_snapshots"
down_revision = "0020_open_alerts"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("set local lock_timeout = '5s'")
    for name in ("reestimate_from", "snapshot_at", "known_float_current_at"):
        op.add_column("string_state", sa.Column(name, sa.DateTime(timezone=True), nullable=True))
    op.add_column("string_state", sa.Column("known_float_current_ma", sa.REAL(), nullable=True))
    op.create_table(
        "twin_snapshot",
        sa.Column("string_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("is_kept", sa.Boolean(), nullable=False),
        sa.Column("is_first", sa.Boolean(), server_default="false", nullable=False),
        sa.Column("string", postgresql.JSONB(), nullable=False),
        sa.Column("battery_ids", postgresql.ARRAY(sa.Integer()), nullable=False),
        sa.Column("states", postgresql.ARRAY(sa.LargeBinary()), nullable=False),
        sa.ForeignKeyConstraint(["string_id"], ["string.id"], name=op.f("fk_twin_snapshot_string_id_string")),
        sa.PrimaryKeyConstraint("string_id", "at", name=op.f("pk_twin_snapshot")),
    )
    op.execute(
        "update string_state set known_float_current_ma = float_current_ma, "
        "known_float_current_at = case when float_current_ma is not null then time end"
    )
    op.execute(
        "insert into twin_snapshot (string_id, at, is_kept, is_first, string, battery_ids, states) "
        "select s.string_id, s.judged_until, true, true, jsonb_build_object("
        "'time', s.time, 'known_current_a', s.known_current_a, 'known_current_at', s.known_current_at, "
        "'known_float_current_ma', s.known_float_current_ma, 'known_float_current_at', s.known_float_current_at, "
        "'mode', s.mode, 'mode_since', s.mode_since, 'last_discharge_at', s.last_discharge_at, "
        "'reporting_interval_s', s.reporting_interval_s), "
        "array_agg(t.battery_id order by t.battery_id), array_agg(t.twin_state order by t.battery_id) "
        "from string_state s join battery b on b.string_id = s.string_id and b.removed_at is null "
        "join battery_state t on t.battery_id = b.id and t.twin_state is not null "
        "where s.judged_until is not null group by s.string_id"
    )
    op.execute("update string_state s set snapshot_at = n.at from twin_snapshot n where n.string_id = s.string_id")


def downgrade() -> None:
    op.execute("set local lock_timeout = '5s'")
    op.drop_table("twin_snapshot")
    for name in ("known_float_current_ma", "known_float_current_at", "snapshot_at", "reestimate_from"):
        op.drop_column("string_state", name)
