"""The daily history in plain Python, from the readings that were sent; second implementation of `days.definition`."""

import math
import statistics
from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any

Row = dict[str, Any]
HOLD = timedelta(seconds=300)


def expected_day(batteries: Sequence[Row], strings: Sequence[Row], rooms: Sequence[Row], code: str) -> Row:
    """Return the columns of one battery; all rows are those of its string and of one day, by ``when``."""
    strings = sorted((row for row in strings if row.get("mode")), key=lambda row: row["when"])
    own = sorted((row for row in batteries if row["battery_id"] == code), key=lambda row: row["when"])
    floating = [row for row in own if mode_at(strings, row["when"]) == "float" and known(row, "voltage_v")]
    present = {row["battery_id"] for row in batteries if known(row, "voltage_v")}
    together: dict[datetime, list[float]] = defaultdict(list)
    for row in batteries:
        if known(row, "voltage_v") and mode_at(strings, row["when"]) == "float":
            together[row["when"]].append(row["voltage_v"])
    whole = {when: volts for when, volts in together.items() if len(volts) >= max(2, len(present) / 2)}
    shared = [row for row in floating if row["when"] in whole]
    warm = [row for row in own if known(row, "temperature_c")]
    temperatures = [row["temperature_c"] for row in warm]
    mean_c = hourly_mean((row["when"], row["temperature_c"]) for row in warm)
    ambient_c = hourly_mean((row["when"], row["ambient_c"]) for row in rooms)
    ohmic = [row for row in own if known(row, "internal_resistance_mohm")]
    working = [row["voltage_v"] for row in own if mode_at(strings, row["when"]) in {"discharge", "test"}]
    return {
        "voltage_mean_v": hourly_mean((row["when"], row["voltage_v"]) for row in floating),
        "voltage_deviation_v": hourly_mean(
            (row["when"], row["voltage_v"] - statistics.fmean(whole[row["when"]])) for row in shared
        ),
        "string_spread_v": hourly_mean((row["when"], statistics.pstdev(whole[row["when"]])) for row in shared),
        "temperature_mean_c": mean_c,
        "temperature_min_c": min(temperatures, default=None),
        "temperature_max_c": max(temperatures, default=None),
        "hours_above_30c": hours_above(warm, 30.0),
        "hours_above_35c": hours_above(warm, 35.0),
        "temperature_rise_k": None if mean_c is None or ambient_c is None else mean_c - ambient_c,
        "resistance_25c_mohm": at_25c(ohmic[-1]) if ohmic else None,
        "float_current_ma": hourly_mean(
            (row["when"], row["float_current_ma"])
            for row in strings
            if row["mode"] == "float" and known(row, "float_current_ma")
        ),
        "discharge_min_v": min((value for value in working if value is not None), default=None),
        **discharges(strings),
    }


def known(row: Row, name: str) -> bool:
    return row.get(name) is not None


def mode_at(strings: Sequence[Row], when: datetime) -> str | None:
    before = [row for row in strings if row["when"] <= when]
    return before[-1]["mode"] if before and when - before[-1]["when"] < HOLD else None


def hourly_mean(samples: Iterable[tuple[datetime, float]]) -> float | None:
    by_hour: dict[datetime, list[float]] = defaultdict(list)
    for when, value in samples:
        by_hour[when.replace(minute=0, second=0, microsecond=0)].append(value)
    return statistics.fmean(statistics.fmean(values) for values in by_hour.values()) if by_hour else None


def hours_above(rows: Sequence[Row], limit_c: float) -> float | None:
    by_hour: dict[datetime, list[bool]] = defaultdict(list)
    for row in rows:
        by_hour[row["when"].replace(minute=0, second=0, microsecond=0)].append(row["temperature_c"] > limit_c)
    return sum(statistics.fmean(values) for values in by_hour.values()) if by_hour else None


def at_25c(row: Row) -> float | None:
    if not known(row, "temperature_c"):
        return None
    resistance: float = row["internal_resistance_mohm"]
    return resistance * math.exp(0.008 * (row["temperature_c"] - 25.0))


def discharges(strings: Sequence[Row]) -> Row:
    if not strings:
        return dict.fromkeys(("discharge_count", "discharge_s", "discharge_ah"))
    count, total_s, total_ah, before = 0, 0.0, 0.0, None
    for row in strings:
        if before is not None and before["mode"] in {"discharge", "test"}:
            step_s = min((row["when"] - before["when"]).total_seconds(), 120.0)
            total_s += step_s
            total_ah = math.nan if before.get("current_a") is None else total_ah - before["current_a"] * step_s / 3600
        if row["mode"] in {"discharge", "test"} and (before is None or before["mode"] not in {"discharge", "test"}):
            count += 1
        before = row
    return {"discharge_count": count, "discharge_s": total_s, "discharge_ah": total_ah}
