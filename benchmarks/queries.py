"""Queries side by side with the plain ways: G6, G7, G8 and G9. Run: python benchmarks/queries.py."""

import asyncio
import time
from datetime import UTC, datetime, timedelta
from typing import Final

from telemetry_ground import EVERYONE, Ground, Report, prepared_ground, side_by_side

from battery_api.db.fetching import fetch_all
from battery_api.db.timescale import aggregate_list, create_partitions
from battery_api.telemetry.queries import series
from battery_api.telemetry.queries.buckets import BUCKETS_OF_RAW
from battery_api.telemetry.queries.latest import read_latest
from battery_api.telemetry.queries.resolution import Resolution
from battery_api.telemetry.store import rollups
from battery_api.telemetry.store.indices import BatteryKey

ROUNDS = 9
DENSE_BATTERIES: Final = 4
END: Final = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)
FILL: Final = (
    "insert into telemetry (battery_id, time, voltage_v, current_a, temperature_c) "
    "select b.id, at, 13.6 + random() * 0.1, 0.1, 25 + random() from generate_series($1::timestamptz, $2, "
    "interval '1 minute') at cross join (select id from battery order by id limit $3) b on conflict do nothing"
)
LATERAL: Final = (
    "select b.code, t.* from battery b cross join lateral "
    "(select * from telemetry where battery_id = b.id and time > $1 order by time desc limit 1) t"
)
LIVE: Final = (
    "select b.code, s.time, s.voltage_v, s.current_a, s.temperature_c, s.internal_resistance_mohm, s.soc_pct, "
    "s.soh_pct, s.quality from battery b join battery_state s on s.battery_id = b.id"
)
MARK_SINCE: Final = (
    "insert into rollup_mark (string_id, hour) select distinct string_id, date_trunc('hour', time) "
    "from telemetry t join battery b on b.id = t.battery_id where time >= $1"
)
FULL_REBUILD: Final = (
    "create temporary table rebuilt on commit drop as select battery_id, date_trunc('hour', time) as bucket, "
    f"{aggregate_list(timescale=False)} from telemetry group by 1, 2"
)


async def fill(ground: Ground) -> None:
    """Store a year of four batteries and the last three hours of all, a reading a minute."""
    start = END - timedelta(days=365)
    async with ground.database.begin() as connection:
        await create_partitions(connection, start=start, end=END)
        await connection.exec_driver_sql(FILL, (END - timedelta(hours=3), END, 1944))
        await connection.exec_driver_sql(FILL, (start, END, DENSE_BATTERIES))
        await connection.exec_driver_sql(
            "update battery_state set time = $1, received_at = $1, voltage_v = 13.6, current_a = 0.1, "
            "temperature_c = 25, reporting_interval_s = 60",
            (END,),
        )
    async with ground.database.engine.connect() as connection:
        outside = await connection.execution_options(isolation_level="AUTOCOMMIT")
        await outside.exec_driver_sql("vacuum analyze")


async def measure() -> None:
    """Print the ratios."""
    report = Report("queries on a year of four batteries and three hours of 1,944")
    async with prepared_ground() as ground:
        await fill(ground)
        await _rollups(ground, report)
        await _latest(ground, report)
        await _series(ground, report)
    report.show()


async def _latest(ground: Ground, report: Report) -> None:
    async def lateral() -> None:
        async with ground.database.begin() as connection:
            await fetch_all(connection, LATERAL, (END - timedelta(days=30),))

    async def live() -> None:
        async with ground.database.begin() as connection:
            await fetch_all(connection, LIVE)

    async def answer() -> None:
        async with ground.database.begin() as connection:
            await read_latest(connection, EVERYONE, END, location_id=None)

    ms = await side_by_side({"lateral": lateral, "live": live, "answer": answer}, rounds=ROUNDS)
    what = "latest of 1,944 from state rows over lateral join"
    report.add("G6", f"{what}, rows", ms["live"] / ms["lateral"], at_most=0.35)
    report.add("G6", f"{what}, whole JSON answer over bare rows", ms["answer"] / ms["lateral"], at_most=1)


async def _series(ground: Ground, report: Report) -> None:
    key = BatteryKey(ground.keys[0])

    def request_of(days: int, resolution: Resolution) -> series.SeriesRequest:
        return series.SeriesRequest(ground.batteries[0], END - timedelta(days=days), END, resolution, 1000)

    async def run(request: series.SeriesRequest) -> None:
        async with ground.database.begin() as connection:
            await series.read_series(connection, key, request, raw_available_from=END - timedelta(days=400))

    day = request_of(1, Resolution.AUTO)
    year = request_of(365, Resolution.AUTO)
    minutes = timedelta(minutes=2)

    async def bare() -> None:
        async with ground.database.begin() as connection:
            await fetch_all(connection, BUCKETS_OF_RAW, (key, day.start, day.end, minutes))

    async def raw_year() -> None:
        async with ground.database.begin() as connection:
            await fetch_all(connection, BUCKETS_OF_RAW, (key, year.start, year.end, timedelta(hours=12)))

    ms = await side_by_side(
        {"bare": bare, "day": lambda: run(day), "raw_year": raw_year, "year": lambda: run(year)}, rounds=ROUNDS
    )
    report.add("G7", "24 h of a battery to JSON over bare fetch of the same SQL", ms["day"] / ms["bare"], at_most=1.5)
    report.add("G8", "1 year to at most 1,000 points over raw date_bin", ms["year"] / ms["raw_year"], at_most=0.1)


async def _rollups(ground: Ground, report: Report) -> None:
    began = time.perf_counter()
    async with ground.database.begin() as connection:
        await connection.exec_driver_sql(FULL_REBUILD)
        stored = await connection.exec_driver_sql("select count(*) from telemetry")
        full_us = (time.perf_counter() - began) / int(stored.scalar_one()) * 1e6
    # Every hour once, so that the year's series has its roll-up; then the last hour again and again.
    await _roll_up_since(ground, END - timedelta(days=366))
    runs = [await _roll_up_since(ground, END - timedelta(hours=1)) for _ in range(ROUNDS)]
    per_row_us, rows = sorted(runs)[len(runs) // 2]
    what = f"roll-up of the fleet's last hour ({rows:,} rows) over a full group by, us a row"
    report.add("G9", what, per_row_us / full_us, at_most=4)


async def _roll_up_since(ground: Ground, start: datetime) -> tuple[float, int]:
    async with ground.database.begin() as connection:
        counted = await connection.exec_driver_sql("select count(*) from telemetry where time >= $1", (start,))
        await connection.exec_driver_sql(MARK_SINCE, (start,))
        rows = int(counted.scalar_one())
    began = time.perf_counter()
    await rollups.run_once(ground.context)
    return (time.perf_counter() - began) / rows * 1e6, rows


if __name__ == "__main__":
    asyncio.run(measure())
