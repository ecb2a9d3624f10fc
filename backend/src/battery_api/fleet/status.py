"""When a battery's data are stale, and what its status is: one rule for pages, alerts and live messages."""

from battery_contracts.enums import HealthStatus

MIN_STALE_AFTER_S = 300.0
STALE_INTERVALS = 3.0


def stale_after_s(reporting_interval_s: float | None) -> float:
    """Return the age in seconds above which a value is stale: 5 min or 3 reporting intervals, whichever is longer."""
    return max(MIN_STALE_AFTER_S, STALE_INTERVALS * (reporting_interval_s or 0.0))


def stale_after_sql(interval: str) -> str:
    """Return the limit of `stale_after_s` as an SQL expression over a column name."""
    return f"greatest({MIN_STALE_AFTER_S}, {STALE_INTERVALS} * coalesce({interval}, 0))"


def status_of(*, is_stale: bool, open_critical: int, open_warning: int) -> HealthStatus:
    """Return the worst condition; stale data outrank a warning, since a silent battery must not look healthier."""
    if open_critical:
        return HealthStatus.CRITICAL
    if is_stale:
        return HealthStatus.NO_DATA
    return HealthStatus.WARNING if open_warning else HealthStatus.NORMAL


def status_sql(
    time: str,
    interval: str,
    critical: str,
    warning: str,
    *,
    now: str = "cast(:now as timestamptz)",
    retired_at: str | None = None,
) -> str:
    """Return the status of `status_of` as an SQL expression; ``now`` is a bound parameter or an expression.

    Nothing watches a battery from its ``retired_at`` on, so from then its data say nothing of it.
    """
    retired = f"when {retired_at} is not null then '{HealthStatus.NO_DATA}' " if retired_at else ""
    stale = f"{time} is null or {time} < {now} - make_interval(secs => {stale_after_sql(interval)})"
    return (
        f"case {retired}when {critical} > 0 then '{HealthStatus.CRITICAL}' when {stale} then '{HealthStatus.NO_DATA}' "
        f"when {warning} > 0 then '{HealthStatus.WARNING}' else '{HealthStatus.NORMAL}' end"
    )
