"""Live messages of the statuses that alerts have changed."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

from sqlalchemy.ext.asyncio import AsyncConnection

from battery_api.alerts.alert_rows import AlertDraft
from battery_api.db.fetching import fetch_all
from battery_api.fleet.status import stale_after_s, status_of
from battery_contracts.events import BatteryStatusUpdate, StatusColumns

_STATUSES: Final = """
    select b.code, l.code as location_code, s.time, s.reporting_interval_s, s.open_critical, s.open_warning
    from battery b join battery_state s on s.battery_id = b.id join location l on l.id = b.location_id
    where b.code = any($1::text[]) and b.removed_at is null order by l.code, b.code
"""


async def statuses_of(
    connection: AsyncConnection, drafts: Sequence[AlertDraft], now: datetime
) -> list[BatteryStatusUpdate]:
    """Return the statuses of the batteries of written alerts, one message per location."""
    codes = sorted({draft.subject.code for draft in drafts})
    by_location: dict[str, list[Any]] = {}
    for row in await fetch_all(connection, _STATUSES, (codes,)) if codes else ():
        by_location.setdefault(row.location_code, []).append(row)
    return [
        BatteryStatusUpdate(
            location_id=location_code,
            columns=StatusColumns(
                battery_id=[row.code for row in rows],
                status=[
                    status_of(
                        is_stale=row.time is None
                        or (now - row.time).total_seconds() > stale_after_s(row.reporting_interval_s),
                        open_critical=row.open_critical,
                        open_warning=row.open_warning,
                    )
                    for row in rows
                ],
                open_critical=[row.open_critical for row in rows],
                open_warning=[row.open_warning for row in rows],
            ),
        )
        for location_code, rows in by_location.items()
    ]
