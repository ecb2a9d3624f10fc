"""SQL expressions for lists give the same results as the functions in Python."""

import math
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
import pytest_asyncio
from sqlalchemy import text

from battery_api.db.session import Database, create_database_engine
from battery_api.fleet.ohmic import FloatArray, drift_pct, drift_sql
from battery_api.fleet.status import stale_after_s, stale_after_sql, status_of, status_sql

NOW = datetime(2026, 11, 23, 18, 0, tzinfo=UTC)


@pytest_asyncio.fixture(loop_scope="session")
async def database(database_url: str) -> AsyncIterator[Database]:
    database = Database(create_database_engine(database_url))
    yield database
    await database.close()


DRIFT = f"select {drift_sql(*(f'cast(:{name} as double precision)' for name in 'rtbu'))}"


def of_one(*values: float | None) -> FloatArray:
    return drift_pct(*(np.array([value], np.float64) for value in values))


async def test_resistance_drift(database: Database) -> None:
    random = np.random.default_rng(7)
    measured, baseline = random.uniform(2, 9, 50), random.uniform(2.5, 4.5, 50)
    warm, cool = random.uniform(15, 45, 50), random.uniform(20, 30, 50)
    vectorised = drift_pct(measured, warm, baseline, cool)
    async with database.begin() as connection:
        for row in range(50):
            values = {"r": measured[row], "t": warm[row], "b": baseline[row], "u": cool[row]}
            # Both corrections as one: the ratio at equal temperature, 0.8 % lower per degree.
            expected = 100 * (measured[row] / baseline[row] * math.exp(0.008 * (warm[row] - cool[row])) - 1)
            assert vectorised[row] == pytest.approx(expected)
            assert await connection.scalar(text(DRIFT), values) == pytest.approx(expected)


@pytest.mark.parametrize("values", [(3.6, 30.0, None, None), (None, 30.0, 3.5, 25.0), (3.6, None, 3.5, 25.0)])
async def test_there_is_no_drift_without_a_measurement_or_a_baseline(
    database: Database, values: tuple[float | None, ...]
) -> None:
    assert np.isnan(of_one(*values)).all()
    async with database.begin() as connection:
        assert await connection.scalar(text(DRIFT), dict(zip("rtbu", values, strict=True))) is None


def test_drift_is_zero_at_the_baseline() -> None:
    assert of_one(3.5, 25.0, 3.5, 25.0) == pytest.approx(0)
    # The same block, measured warm, reads lower: corrected, it has not changed.
    assert of_one(3.5 * math.exp(-0.08), 35.0, 3.5, 25.0) == pytest.approx(0)


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
        status, limit_s = (await connection.execute(statement, values)).one()
    assert status == expected
    assert limit_s == pytest.approx(stale_after_s(interval_s))


def test_stale_data_outrank_a_warning_but_hide_no_critical_condition() -> None:
    assert status_of(is_stale=True, open_critical=0, open_warning=1) == "no_data"
    assert status_of(is_stale=True, open_critical=1, open_warning=0) == "critical"
    assert status_of(is_stale=False, open_critical=0, open_warning=0) == "normal"
