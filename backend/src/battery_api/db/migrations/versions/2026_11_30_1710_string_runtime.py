"""Keep the runtime of each string beside its newest values, so that lists show it; a job computes the first ones."""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0022_string_runtime"
down_revision = "0021_twin_snapshots"
branch_labels = None
depends_on = None

_COLUMNS: tuple[tuple[str, sa.types.TypeEngine[Any]], ...] = (
    ("runtime_at", sa.DateTime(timezone=True)),
    ("runtime_p10_s", sa.REAL()),
    ("runtime_p50_s", sa.REAL()),
    ("runtime_p90_s", sa.REAL()),
    ("runtime_current_a", sa.REAL()),
    ("runtime_load_basis", sa.Text()),
    ("runtime_limiting_battery_id", sa.Integer()),
    ("runtime_withheld_count", sa.SmallInteger()),
    ("runtime_reason", sa.Text()),
)


def upgrade() -> None:
    op.execute("set local lock_timeout = '5s'")
    for name, kind in _COLUMNS:
        op.add_column("string_state", sa.Column(name, kind, nullable=True))
    op.create_foreign_key(
        op.f("fk_string_state_runtime_limiting_battery_id_battery"),
        "string_state",
        "battery",
        ["runtime_limiting_battery_id"],
        ["id"],
    )
    op.create_check_constraint(
        op.f("ck_string_state_runtime"),
        "string_state",
        "num_nonnulls(runtime_p10_s, runtime_p50_s, runtime_p90_s) = "
        "case when runtime_at is null or runtime_reason is not null then 0 else 3 end",
    )
    op.create_check_constraint(
        op.f("ck_string_state_runtime_load_basis"),
        "string_state",
        "runtime_load_basis in ('present', 'last_discharge')",
    )


def downgrade() -> None:
    op.execute("set local lock_timeout = '5s'")
    for name in ("ck_string_state_runtime_load_basis", "ck_string_state_runtime"):
        op.drop_constraint(op.f(name), "string_state")
    for name, _ in reversed(_COLUMNS):
        op.drop_column("string_state", name)
