"""Daily histories of the batteries of a location, as the ML service takes them for a prediction."""

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt
from sqlalchemy.ext.asyncio import AsyncConnection

from battery_api.db.bangkok import day_sql, operating_day
from battery_api.db.fetching import fetch_all
from battery_api.fleet.ohmic import resistance_at_25c
from battery_api.telemetry.days.repository import read_progress
from battery_api.telemetry.store.array_columns import ArrayColumn, read_arrays
from battery_contracts.ml import DAILY_COLUMNS, RulBatchRequest

HISTORY_DAYS: Final = 800
"""How far back a prediction looks: the windows of the ML service's features reach no further."""
_BATTERIES: Final = f"""
    select b.id, b.code, g.code, b.installed_at, m.rated_capacity_ah, m.design_life_years,
           b.baseline_resistance_mohm, b.baseline_temperature_c
    from battery b join string g on g.id = b.string_id join battery_model m on m.id = b.model_id
    where b.location_id = $1::int and b.installed_at <= $2::timestamptz
      and (b.removed_at is null or b.removed_at > $2) and (b.retired_at is null or b.retired_at > $2)
      and exists (select from battery_day d where d.battery_id = b.id and d.day > $3::date - $4::int
                  and d.day <= $3::date and d.day >= {day_sql("b.installed_at")})
    order by g.code, b.position
"""
_DAYS: Final = (
    "select battery_id, $3::date - day as days_ago, {columns} from battery_day "
    "where battery_id = any($1::int[]) and day > $3::date - $2::int and day <= $3::date"
)


class BatteryInService(NamedTuple):
    """A battery of which a history is read."""

    key: int
    code: str
    string_code: str
    installed_at: datetime
    rated_ah: float
    design_life_years: float
    baseline_resistance_mohm: float | None
    baseline_temperature_c: float | None


async def read_histories(
    connection: AsyncConnection, location_key: int, as_of: datetime, days: int = HISTORY_DAYS
) -> RulBatchRequest | None:
    """Return the histories of the batteries that are in service in a location at an instant; None without any.

    They reach from the oldest stored day to the last whole day (Asia/Bangkok) before ``as_of``, at most ``days`` of
    them. What is not known is NaN, and so is every day before a battery was installed. A battery without any day of its
    own is left out.
    """
    last_day = operating_day(as_of) - timedelta(days=1)
    rows = await fetch_all(connection, _BATTERIES, (location_key, as_of, last_day, days))
    batteries = [BatteryInService(*row) for row in rows]
    if not batteries:
        return None
    width, daily = await _read_days(connection, batteries, last_day, days)
    return RulBatchRequest(
        as_of=as_of,
        battery_id=[battery.code for battery in batteries],
        string_id=[battery.string_code for battery in batteries],
        age_days=[(as_of - battery.installed_at) / timedelta(days=1) for battery in batteries],
        rated_ah=[battery.rated_ah for battery in batteries],
        design_life_years=[battery.design_life_years for battery in batteries],
        baseline_resistance_mohm=_baselines_25c(batteries),
        days=width,
        daily=daily,
    )


async def _read_days(
    connection: AsyncConnection, batteries: Sequence[BatteryInService], last_day: date, days: int
) -> tuple[int, dict[str, bytes]]:
    """Return the number of days and the packed rectangle of each column."""
    columns = [
        ArrayColumn("battery_id", "int"),
        ArrayColumn("days_ago", "int"),
        *(ArrayColumn(name, "real") for name in DAILY_COLUMNS),
    ]
    source = _DAYS.format(columns=", ".join(DAILY_COLUMNS))
    keys = [battery.key for battery in batteries]
    read = await read_arrays(connection, columns, source, (keys, days, last_day))
    order = np.argsort(keys)
    slot = order[np.searchsorted(np.array(keys)[order], read["battery_id"])]
    own_days = np.array([(last_day - operating_day(battery.installed_at)).days for battery in batteries])
    is_own = read["days_ago"] <= own_days[slot]
    slot, days_ago = slot[is_own], read["days_ago"][is_own]
    width = int(days_ago.max(initial=0)) + 1
    cells = slot * width + (width - 1 - days_ago)
    return width, {name: _packed(read[name][is_own], cells, len(batteries) * width) for name in DAILY_COLUMNS}


def _packed(values: npt.NDArray[Any], cells: npt.NDArray[np.int64], size: int) -> bytes:
    rectangle = np.full(size, np.nan, "<f4")
    rectangle[cells] = values
    return rectangle.tobytes()


def _baselines_25c(batteries: Sequence[BatteryInService]) -> list[float | None]:
    """Return the batteries' own resistances when new, in mΩ at 25 °C; None without a value or its temperature."""
    measured = np.array([battery.baseline_resistance_mohm for battery in batteries], np.float64)
    temperature_c = np.array([battery.baseline_temperature_c for battery in batteries], np.float64)
    referred = resistance_at_25c(measured, temperature_c).tolist()
    return [None if np.isnan(value) else value for value in referred]


class DailyHistories:
    """The daily histories of the fleet as predictions take them."""

    async def read_histories(
        self, connection: AsyncConnection, location: int, as_of: datetime
    ) -> RulBatchRequest | None:
        """Return the histories of the batteries in service of a location; None if none has a day."""
        return await read_histories(connection, location, as_of)

    async def progress(self, connection: AsyncConnection, now: datetime) -> tuple[int, bool]:
        """Return how many past days of strings were ever computed, and whether some still wait."""
        return await read_progress(connection, operating_day(now))
