"""Let days of installation and removal begin at midnight in Asia/Bangkok; they were stored as midnights in UTC."""

from alembic import op

revision = "0008_local_midnights"
down_revision = "0007_twin_record"
branch_labels = None
depends_on = None

_SHIFT = "interval '7 hours'"
"""Asia/Bangkok is ahead of UTC by this much all year."""


def upgrade() -> None:
    # Days came from the fleet file as exact midnights in UTC; any other instant was meant as it is.
    _shift(f"- {_SHIFT}", time_of_day="00:00")


def downgrade() -> None:
    _shift(f"+ {_SHIFT}", time_of_day="17:00")


def _shift(change: str, *, time_of_day: str) -> None:
    op.execute("set local lock_timeout = '5s'")
    # One statement for both columns: a battery is removed at the instant at which the next one is installed.
    op.execute(
        f"""
        update battery set installed_at = {_shifted("installed_at", change, time_of_day)},
                           removed_at = {_shifted("removed_at", change, time_of_day)}
        where {_is_at("installed_at", time_of_day)} or {_is_at("removed_at", time_of_day)}
        """  # names and constants of this file
    )


def _shifted(column: str, change: str, time_of_day: str) -> str:
    return f"case when {_is_at(column, time_of_day)} then {column} {change} else {column} end"


def _is_at(column: str, time_of_day: str) -> str:
    return f"({column} at time zone 'UTC')::time = time '{time_of_day}'"
