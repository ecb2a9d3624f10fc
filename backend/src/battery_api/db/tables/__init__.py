"""All tables of the platform; importing this package registers them in the metadata."""

from battery_api.db.tables import (
    access,
    alerts,
    days,
    fleet,
    incidents,
    live,
    operations,
    predictions,
    silences,
    telemetry,
    twin,
)

__all__ = [
    "access",
    "alerts",
    "days",
    "fleet",
    "incidents",
    "live",
    "operations",
    "predictions",
    "silences",
    "telemetry",
    "twin",
]
