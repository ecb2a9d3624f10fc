"""Means of every resolution against a reference that looks at every second of the span."""

import random
from datetime import datetime, timedelta
from typing import Any

import numpy as np
import pytest

from battery_api.db.bangkok import DAY_ORIGIN
from battery_api.telemetry.store.rollups import run_once

from .test_rollups import assert_same, rolled_up
from .world import BATTERIES, NOW, Gateway, columns, iso

MIDNIGHT = NOW.replace(hour=17) - timedelta(days=3)
START, END = MIDNIGHT - timedelta(days=1), MIDNIGHT + timedelta(days=2)
HOLD_S = 300
CHANNELS = ("voltage_v", "current_a", "temperature_c", "internal_resistance_mohm")
CODE = BATTERIES[0]
Row = dict[str, Any]


def random_trace(seed: int) -> list[Row]:
    """Three days of one battery: every minute, bursts every 2 s, gaps of seconds to hours, nulls, a rare resistance."""
    dice = random.Random(seed)
    at, rows = START + timedelta(seconds=17), list[Row]()
    while at < END - timedelta(hours=1):
        step_s, count = dice.choice([(60, 90), (60, 200), (2, 150), (10, 40), (299, 5), (300, 5), (301, 5)])
        level = dice.uniform(-1, 1)
        for _ in range(count):
            row = {
                "voltage_v": round(13 + level, 2),
                "current_a": None if dice.random() < 0.3 else round(20 * level + dice.uniform(-1, 1), 1),
                "temperature_c": round(25 + 5 * level, 1),
                "internal_resistance_mohm": round(dice.uniform(3, 5), 2) if dice.random() < 0.01 else None,
            }
            rows.append({"battery_id": CODE, "time": at, **row})
            at += timedelta(seconds=step_s)
        at += timedelta(seconds=dice.choice([0, 0, 0, 7, 1200, 5000, 12_000]))
    taken = {row["time"] for row in rows}
    hours = sorted({time.replace(minute=0, second=0) for time in taken})
    for hour in hours[::3]:
        at = hour + timedelta(seconds=dice.choice([-1, 0]))
        if at not in taken:
            rows.append({"battery_id": CODE, "time": at, "voltage_v": 12.0})
    return [row for row in rows if START <= row["time"] < END]


def batches(rows: list[Row], seed: int) -> list[list[Row]]:
    """Cut the rows into batches that arrive in no order."""
    shuffled = list(rows)
    random.Random(seed).shuffle(shuffled)
    size = len(rows) // 4 + 1
    return [shuffled[start : start + size] for start in range(0, len(rows), size)]


async def post(gateway: Gateway, rows: list[Row]) -> None:
    await gateway.post(columns([row | {"time": iso(row["time"])} for row in rows]))


class EverySecond:
    """What holds in each second of the span, channel by channel."""

    def __init__(self, rows: list[Row], channel: str) -> None:
        count = int((END - START).total_seconds())
        known = sorted((row["time"], row[channel]) for row in rows if row.get(channel) is not None)
        self.held = np.full(count, np.nan)
        self.at_s = np.array([int((time - START).total_seconds()) for time, _ in known])
        for at_s, (_, value) in zip(self.at_s.tolist(), known, strict=True):
            self.held[at_s : at_s + HOLD_S] = value  # a later value overwrites the rest
        assert count == len(self.held)

    def mean(self, start: datetime, end: datetime) -> float | None:
        low, high = (int((one - START).total_seconds()) for one in (start, end))
        if not np.any((self.at_s >= low) & (self.at_s < high)):
            return None
        return float(np.nanmean(self.held[low:high]))


async def series(gateway: Gateway, **query: Any) -> dict[str, Any]:
    span: dict[str, Any] = {"start": iso(START), "end": iso(END), "max_points": 1000}
    async with gateway.client() as client:
        response = await client.get(f"/batteries/{CODE}/telemetry", params=span | query)
    assert response.status_code == 200, response.text
    answer: dict[str, Any] = response.json()
    return answer


def assert_means(answer: dict[str, Any], rows: list[Row]) -> None:
    width = timedelta(seconds=answer["bucket_s"])
    begins = [datetime.fromisoformat(text) for text in answer["columns"]["time"]]
    floored = {row["time"] - (row["time"] - DAY_ORIGIN) % width for row in rows}
    first, last = (datetime.fromisoformat(answer[name]) for name in ("start", "end"))
    assert set(begins) == {at for at in floored if at + width > first and at < last}
    assert sum(answer["columns"]["count"]) == len(rows)
    for channel in CHANNELS:
        reference = EverySecond(rows, channel)
        expected = [reference.mean(max(at, START), min(at + width, END)) for at in begins]
        figures = answer["columns"][channel]
        assert [value is None for value in figures["mean"]] == [value is None for value in expected], channel
        assert [value is None for value in figures["min"]] == [value is None for value in expected], channel
        pairs = [(got, want) for got, want in zip(figures["mean"], expected, strict=True) if want is not None]
        got, want = np.array(pairs, np.float64).reshape(-1, 2).T
        np.testing.assert_allclose(got, want, atol=1.1e-4, err_msg=channel)


RESOLUTIONS: dict[str, tuple[int, dict[str, Any]]] = {
    "5 min": (300, {"resolution": "auto"}),
    "10 min": (600, {"resolution": "auto", "max_points": 500}),
    "1 h": (3600, {"resolution": "1h"}),
    "6 h": (21_600, {"resolution": "auto", "max_points": 12}),
    "1 d": (86_400, {"resolution": "1d"}),
    "2 d": (172_800, {"resolution": "auto", "max_points": 2}),
}


@pytest.mark.parametrize("seed", [1, 2, 3])
async def test_every_resolution_weighs_time(gateway: Gateway, seed: int) -> None:
    rows = random_trace(seed)
    for batch in batches(rows, seed):
        await post(gateway, batch)
        before = {name: await series(gateway, **query) for name, (_, query) in RESOLUTIONS.items()}
        await run_once(gateway.context)
        after = {name: await series(gateway, **query) for name, (_, query) in RESOLUTIONS.items()}
        # The same answer whether the job has run or not.
        assert before == after
    for name, (bucket_s, _) in RESOLUTIONS.items():
        assert after[name]["bucket_s"] == bucket_s
        assert_means(after[name], rows)
    assert await gateway.rows("select id from rollup_mark") == []


async def test_minutes_weigh_time(gateway: Gateway) -> None:
    start, end = MIDNIGHT - timedelta(hours=5), MIDNIGHT + timedelta(hours=5)
    rows = [row for row in random_trace(7) if start <= row["time"] < end]
    await post(gateway, rows)
    answer = await series(gateway, resolution="1m", start=iso(start), end=iso(end))
    assert len(answer["columns"]["time"]) > 100
    assert_means(answer, rows)


async def test_the_order_and_cutting_of_batches_do_not_matter(gateway: Gateway) -> None:
    rows = random_trace(4)
    await post(gateway, rows)
    await run_once(gateway.context)
    at_once = [await rolled_up(gateway, name) for name in ("telemetry_hourly", "telemetry_daily")]
    async with gateway.database.begin() as connection:
        await connection.exec_driver_sql("truncate telemetry, telemetry_hourly, telemetry_daily")
    for batch in batches(rows, 5):
        await post(gateway, batch)
        await run_once(gateway.context)
    for name, figures in zip(("telemetry_hourly", "telemetry_daily"), at_once, strict=True):
        assert_same(figures, await rolled_up(gateway, name))


async def test_half_an_hour_of_discharge_weighs_half_an_hour(gateway: Gateway) -> None:
    rows, at = list[Row](), MIDNIGHT
    while at < MIDNIGHT + timedelta(days=1):
        discharges = timedelta(hours=10) <= at - MIDNIGHT < timedelta(hours=10, minutes=30)
        voltage_v, temperature_c, current_a = (12.0, 35.0, -60.0) if discharges else (13.65, 25.0, 0.0)
        values = {"voltage_v": voltage_v, "temperature_c": temperature_c, "current_a": current_a}
        rows.append({"battery_id": CODE, "time": at, **values})
        at += timedelta(seconds=2 if discharges else 60)
    await post(gateway, rows)
    await run_once(gateway.context)
    span = {"start": iso(MIDNIGHT), "end": iso(MIDNIGHT + timedelta(days=1))}
    day = (await series(gateway, resolution="1d", **span))["columns"]
    hours = (await series(gateway, resolution="1h", **span))["columns"]
    assert day["count"] == [len(rows)]
    # 23.5 h at 13.65 V and 25 °C, half an hour at 12 V and 35 °C.
    assert day["voltage_v"]["mean"] == pytest.approx([13.65 - 1.65 / 48], abs=1e-4)
    assert day["temperature_c"]["mean"] == pytest.approx([25 + 10 / 48], abs=1e-4)
    assert hours["voltage_v"]["mean"][10] == pytest.approx(12.825, abs=1e-4)
    assert hours["temperature_c"]["mean"][10] == pytest.approx(30, abs=1e-4)
    assert (day["voltage_v"]["min"], day["voltage_v"]["max"]) == ([12.0], [13.65])


async def test_a_late_row_before_an_hour_corrects_the_next_hour(gateway: Gateway) -> None:
    hour = MIDNIGHT + timedelta(hours=3)
    rows = [
        {"battery_id": CODE, "time": hour - timedelta(seconds=200), "voltage_v": 13.0},
        {"battery_id": CODE, "time": hour + timedelta(seconds=60), "voltage_v": 13.0},
    ]
    await post(gateway, rows)
    await run_once(gateway.context)
    before = await rolled_up(gateway, "telemetry_hourly")
    late = {"battery_id": CODE, "time": hour - timedelta(seconds=10), "voltage_v": 12.0}
    await post(gateway, [late])
    await run_once(gateway.context)
    after = await rolled_up(gateway, "telemetry_hourly")
    assert before[CODE, hour]["voltage_v_integral"] == pytest.approx(13 * 60 + 13 * 300)
    assert after[CODE, hour]["voltage_v_integral"] == pytest.approx(12 * 60 + 13 * 300)
    assert after[CODE, hour]["voltage_v_held_s"] == pytest.approx(360)
    assert after[CODE, hour]["row_count"] == 1
    assert_means(await series(gateway, resolution="1h"), [*rows, late])


async def test_an_hour_into_which_a_value_only_holds_is_no_point(gateway: Gateway) -> None:
    hour = MIDNIGHT + timedelta(hours=3)
    rows = [
        {"battery_id": CODE, "time": hour - timedelta(seconds=1), "voltage_v": 13.0, "internal_resistance_mohm": 4.0}
    ]
    rows += [{"battery_id": CODE, "time": hour + timedelta(hours=4), "internal_resistance_mohm": 5.0}]
    await post(gateway, rows)
    await run_once(gateway.context)
    stored = await rolled_up(gateway, "telemetry_hourly")
    answer = await series(gateway, resolution="1h")
    day = await series(gateway, resolution="1d")
    assert stored[CODE, hour]["row_count"] == 0
    assert stored[CODE, hour]["voltage_v_held_s"] == pytest.approx(299)
    assert len(answer["columns"]["time"]) == 2
    assert answer["columns"]["voltage_v"]["mean"] == [13.0, None]
    # Measured seldom, each value holds equally long: the mean of the samples.
    assert day["columns"]["internal_resistance_mohm"]["mean"] == [4.5]


async def test_roll_ups_outlive_their_rows(gateway: Gateway) -> None:
    rows = random_trace(6)
    await post(gateway, rows)
    await run_once(gateway.context)
    names = ("telemetry_hourly", "telemetry_daily")
    before = [await rolled_up(gateway, name) for name in names]
    async with gateway.database.begin() as connection:
        await connection.exec_driver_sql("delete from telemetry where time < $1", (MIDNIGHT,))
        await connection.exec_driver_sql(
            "insert into rollup_mark (string_id, hour) select s.id, h from string s, "
            "generate_series($1::timestamptz, $2, interval '1 hour') h",
            (START, MIDNIGHT - timedelta(hours=1)),
        )
    await run_once(gateway.context)
    for name, figures in zip(names, before, strict=True):
        assert_same(figures, await rolled_up(gateway, name))
