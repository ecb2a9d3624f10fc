"""Remember how far each string is judged and what was known then, so that late readings are judged in their place."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0012_judge_again"
down_revision = "0011_corrections"
branch_labels = None
depends_on = None

_INSTANTS = {
    "location_state": ("judged_until", "rejudge_from", "known_ambient_at"),
    "string_state": ("judged_until", "rejudge_from", "checkpoint_at", "known_current_at"),
    "battery_state": ("known_voltage_at", "known_temperature_at", "arrived_at"),
}
_VALUES = {
    "location_state": ("known_ambient_c",),
    "string_state": ("known_current_a",),
    "battery_state": ("known_voltage_v", "known_temperature_c", "arrival_lag_s"),
}


def upgrade() -> None:
    op.execute("set local lock_timeout = '5s'")
    for table, names in _INSTANTS.items():
        for name in names:
            op.add_column(table, sa.Column(name, sa.DateTime(timezone=True), nullable=True))
    for table, names in _VALUES.items():
        for name in names:
            op.add_column(table, sa.Column(name, sa.REAL(), nullable=True))
    op.add_column("string_telemetry", sa.Column("reported_mode", sa.Text(), nullable=True))
    op.add_column("alert", sa.Column("episode_count", sa.Integer(), server_default="1", nullable=False))
    op.add_column("alert", sa.Column("withdrawn_at", sa.DateTime(timezone=True), nullable=True))
    op.create_table(
        "judgement_checkpoint",
        sa.Column("string_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("state", postgresql.JSONB(), nullable=False),
        sa.ForeignKeyConstraint(["string_id"], ["string.id"], name=op.f("fk_judgement_checkpoint_string_id_string")),
        sa.PrimaryKeyConstraint("string_id", "at", name=op.f("pk_judgement_checkpoint")),
    )
    # The newest reading of each subject is judged already, and what it measured is known.
    op.execute(
        "update battery_state set known_voltage_v = voltage_v, known_temperature_c = temperature_c, "
        "known_voltage_at = case when voltage_v is not null then time end, "
        "known_temperature_at = case when temperature_c is not null then time end, "
        "arrived_at = received_at, arrival_lag_s = extract(epoch from received_at - time)"
    )
    op.execute(
        "update location_state set judged_until = time, known_ambient_c = ambient_c, "
        "known_ambient_at = case when ambient_c is not null then time end"
    )
    op.execute(
        "update string_state set known_current_a = current_a, "
        "known_current_at = case when current_a is not null then time end"
    )
    op.execute(
        "update string_state set judged_until = greatest(string_state.time, newest.time) from "
        "(select b.string_id, max(s.time) as time from battery b join battery_state s on s.battery_id = b.id "
        "group by b.string_id) as newest where newest.string_id = string_state.string_id"
    )


def downgrade() -> None:
    op.execute("set local lock_timeout = '5s'")
    op.drop_table("judgement_checkpoint")
    op.drop_column("alert", "withdrawn_at")
    op.drop_column("alert", "episode_count")
    op.drop_column("string_telemetry", "reported_mode")
    for table, names in (*_VALUES.items(), *_INSTANTS.items()):
        for name in names:
            op.drop_column(table, name)
