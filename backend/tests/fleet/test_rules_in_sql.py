"""What is computed in SQL for lists equals what Python computes for one battery."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
import pytest_asyncio
from sqlalchemy import text

from battery_api.db.session import Database, create_database_engine
from battery_api.fleet.ohmic import drift_pct, drift_pct_of, drift_sql
from battery_api.fleet.status import stale_after_s, stale_after_sql, status_of, status_sql

NOW = datetime(2026, 11, 23, 18, 0, tzinfo=UTC)


@pytest_asyncio.fixture(loop_scope="session")
async def database(database_url: str) -> AsyncIterator[Database]:
    database = Database(create_database_engine(database_url))
    yield database
    await database.close()


async def test_resistance_drift(database: Database) -> None:
    random = np.random.default_rng(7)
    now, then = random.uniform(2, 9, 50), random.uniform(2.5, 4.5, 50)
    warm, cool = random.uniform(15, 45, 50), random.uniform(20, 30, 50)
    vectorised = drift_pct(now, warm, then, cool)
    async with database.begin() as connection:
        for i in range(50):
            values = {"r": now[i], "t": warm[i], "b": then[i], "u": cool[i]}
            terms = (f"cast(:{name} as double precision)" for name in "rtbu")
            in_sql = await connection.scalar(text(f"select {drift_sql(*terms)}"), values)
            assert in_sql == pytest.approx(vectorised[i])
            assert drift_pct_of(now[i], warm[i], then[i], cool[i]) == pytest.approx(vectorised[i])


def test_drift_needs_an_own_baseline_and_is_zero_at_it() -> None:
    assert drift_pct_of(3.6, 30.0, None, None) is None
    assert drift_pct_of(None, 30.0, 3.5, 25.0) is None
    assert drift_pct_of(3.5, 25.0, 3.5, 25.0) == pytest.approx(0)
    # The same block, measured warm, reads lower: corrected, it has not changed.
    assert drift_pct_of(3.5 * np.exp(-0.08), 35.0, 3.5, 25.0) == pytest.approx(0)


@pytest.mark.parametrize("interval_s", [None, 1.0, 60.0, 100.0, 101.0, 3600.0])
@pytest.mark.parametrize("age_s", [None, 0.0, 299.0, 301.0, 400.0, 20_000.0])
@pytest.mark.parametrize(("critical", "warning"), [(0, 0), (0, 2), (1, 0), (1, 3)])
async def test_status(
    database: Database, interval_s: float | None, age_s: float | None, critical: int, warning: int
) -> None:
    is_stale = age_s is None or age_s > stale_after_s(interval_s)
    expected = status_of(is_stale=is_stale, open_critical=critical, open_warning=warning)
    expression = status_sql("x.time", "x.interval_s", "x.critical", "x.warning")
    values = {
        "now": NOW,
        "time": None if age_s is None else NOW - timedelta(seconds=age_s),
        "interval_s": interval_s,
        "critical": critical,
        "warning": warning,
    }
    statement = text(
        f"select {expression}, {stale_after_sql('x.interval_s')} from (select cast(:time as timestamptz) as time, "
        "cast(:interval_s as real) as interval_s, cast(:critical as int) as critical, "
        "cast(:warning as int) as warning) x"
    )
    async with database.begin() as connection:
        row = (await connection.execute(statement, values)).one()
    assert row[0] == expected
    assert row[1] == pytest.approx(stale_after_s(interval_s))


def test_silence_outranks_a_warning_but_hides_no_critical_condition() -> None:
    assert status_of(is_stale=True, open_critical=0, open_warning=1) == "no_data"
    assert status_of(is_stale=True, open_critical=1, open_warning=0) == "critical"
    assert status_of(is_stale=False, open_critical=0, open_warning=0) == "normal"
