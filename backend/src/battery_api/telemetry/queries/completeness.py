"""Readings of each battery and day against the number expected."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy.ext.asyncio import AsyncConnection

from battery_api.db.bangkok import day_start, operating_day
from battery_api.db.fetching import fetch_all
from battery_api.telemetry.queries.selection import SelectedBattery
from battery_api.telemetry.schemas import DayCompleteness
from battery_api.telemetry.store.reading_counts import COUNTS
from battery_servicekit.pagination import Page, PageRequest
from battery_servicekit.turns import made_in_turns

MAX_COMPLETENESS_SPAN: Final = timedelta(days=800)
_DAY: Final = timedelta(days=1)
_SUMS: Final = ", ".join(f"sum({name})::bigint as {name}" for name in COUNTS)
_STATE: Final = ", ".join(f"{name}_count" for name in COUNTS)
_COUNTED: Final = (
    f"select battery_id, day, {_SUMS} from ("
    f"select battery_id, day, {', '.join(COUNTS)} from reading_count where battery_id = any($1::int[]) "
    f"union all select battery_id, count_day, {_STATE} from battery_state "
    "where battery_id = any($1::int[]) and count_day is not null"
    ") as counted where day >= $2 and day < $3 group by battery_id, day"
)
_INTERVALS: Final = "select battery_id, reporting_interval_s from battery_state where battery_id = any($1::int[])"


async def read_completeness(
    connection: AsyncConnection,
    batteries: Sequence[SelectedBattery],
    start: datetime,
    end: datetime,
    *,
    now: datetime,
    page: PageRequest,
) -> Page[DayCompleteness]:
    """Return one line per battery and day (Asia/Bangkok) of the span, including days without readings."""
    days = _days(start, min(end, now))
    total = len(batteries) * len(days)
    numbers = range(page.skip, min(page.skip + page.limit, total))
    shown = [(batteries[number // len(days)], days[number % len(days)]) for number in numbers]
    keys = sorted({battery.key for battery, _ in shown})
    counted: dict[tuple[int, datetime], Any] = {}
    intervals: dict[int, float | None] = {}
    if keys:
        rows = await fetch_all(connection, _COUNTED, (keys, days[0], days[-1] + _DAY))
        counted = {(row.battery_id, row.day): row for row in rows}
        intervals = {row[0]: row[1] for row in await fetch_all(connection, _INTERVALS, (keys,))}

    def line(of: tuple[SelectedBattery, datetime]) -> DayCompleteness:
        battery, day = of
        return _line(battery, day, counted.get((battery.key, day)), intervals.get(battery.key), now)

    items = await made_in_turns(line, shown)
    return Page(items=items, total=total, skip=page.skip, limit=page.limit)


def _days(start: datetime, end: datetime) -> list[datetime]:
    first = day_start(start)
    count = max(0, -((first - end) // _DAY))
    return [first + number * _DAY for number in range(count)]


def _line(
    battery: SelectedBattery, day: datetime, counts: Any, interval_s: float | None, now: datetime
) -> DayCompleteness:
    elapsed_s = min(now - day, _DAY).total_seconds()
    expected = None if not interval_s else int(elapsed_s // interval_s)
    values = {name: 0 if counts is None else int(getattr(counts, name)) for name in COUNTS}
    return DayCompleteness(
        battery_id=battery.code,
        day=operating_day(day).isoformat(),
        expected=expected,
        complete_pct=None if not expected else round(min(100.0, 100.0 * values["accepted"] / expected), 1),
        **values,
    )
