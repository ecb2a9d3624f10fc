"""How far back the raw rows reach."""

from datetime import datetime, timedelta


def raw_available_from(now: datetime, retention_days: int) -> datetime:
    """Return the instant from which raw rows are kept; before it only the roll-ups answer."""
    return now - timedelta(days=retention_days)
