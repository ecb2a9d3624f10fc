"""Instants as requests carry them."""

from datetime import datetime


def iso(instant: datetime) -> str:
    return instant.isoformat().replace("+00:00", "Z")
