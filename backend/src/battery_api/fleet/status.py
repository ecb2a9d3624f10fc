"""When a battery counts as silent, and what its status is: one rule for pages, alerts and live messages."""

from battery_contracts.enums import HealthStatus

MIN_STALE_AFTER_S = 300.0
STALE_INTERVALS = 3.0


def stale_after_s(reporting_interval_s: float | None) -> float:
    """Return the age in seconds past which a value is stale: the larger of 5 min and 3 reporting intervals."""
    return max(MIN_STALE_AFTER_S, STALE_INTERVALS * (reporting_interval_s or 0.0))


def stale_after_sql(interval: str) -> str:
    """Return the same in seconds as an SQL expression over a column name."""
    return f"greatest({MIN_STALE_AFTER_S}, {STALE_INTERVALS} * coalesce({interval}, 0))"


def status_of(*, is_stale: bool, open_critical: int, open_warning: int) -> HealthStatus:
    """Return the worst condition. Silence outranks a warning: nothing may look milder because its data stopped."""
    if open_critical:
        return HealthStatus.CRITICAL
    if is_stale:
        return HealthStatus.NO_DATA
    return HealthStatus.WARNING if open_warning else HealthStatus.NORMAL


def status_sql(time: str, interval: str, critical: str, warning: str, *, now: str = "cast(:now as timestamptz)") -> str:
    """Return the same as an SQL expression; ``now`` is a bound parameter or an expression."""
    stale = f"{time} is null or {time} < {now} - make_interval(secs => {stale_after_sql(interval)})"
    return (
        f"case when {critical} > 0 then '{HealthStatus.CRITICAL}' when {stale} then '{HealthStatus.NO_DATA}' "
        f"when {warning} > 0 then '{HealthStatus.WARNING}' else '{HealthStatus.NORMAL}' end"
    )
