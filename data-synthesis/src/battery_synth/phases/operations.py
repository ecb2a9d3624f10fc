"""Maintenance and its cost: the maintenance calendar, work orders from measurements, replacements."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import numpy as np
import pyarrow as pa

from battery_synth.phases.folder import fleet_of, months
from battery_synth.realism.tables import DatasetTables, instants_us, numbers, words

BLOCK_COST_THB: Final = 10_500.0
LABOUR_THB: Final = 850.0
"""A delivered block and its exchange (engineering judgement; operators set their own)."""
_TASKS: Final = (("remote_review", 30, 0.5), ("ohmic_and_thermal", 91, 2.5), ("yearly_inspection", 365, 4.0))
"""Name, interval in days, and hours of work for a location with nine strings."""
_GROWTH: Final = ((0.5, "replace", 7), (0.3, "capacity_test", 7), (0.2, "capacity_test", 30))
"""Growth of resistance over the baseline, the work it orders, and the deadline in days."""


def make(data: DatasetTables) -> Iterator[tuple[str, pa.Table]]:
    """Yield calendar, work orders and costs."""
    yield "operations/calendar", _calendar(data)
    orders = _orders(data)
    if orders.num_rows:
        yield "operations/work_order", orders
    for lives in months(data, "events/lives"):
        removed = lives.filter(pa.compute.equal(lives["kind"], "removed"))
        if removed.num_rows:
            cost = pa.array(np.full(removed.num_rows, BLOCK_COST_THB + LABOUR_THB))
            yield "operations/replacement_cost", removed.append_column("cost_thb", cost)


def _calendar(data: DatasetTables) -> pa.Table:
    start, end = (datetime.fromisoformat(data.manifest[name]) for name in ("start", "end"))
    rows = []
    for location in sorted({row.location_id for row in fleet_of(data).values()}):
        for task, every, hours in _TASKS:
            due = start + timedelta(days=every)
            while due <= end:
                rows.append((location, task, due, hours))
                due += timedelta(days=every)
    columns = list(zip(*rows, strict=True)) if rows else [(), (), (), ()]
    return pa.table(
        {
            "location_id": pa.array(columns[0], pa.string()),
            "task": pa.array(columns[1], pa.string()),
            "due": pa.array([due.astimezone(UTC) for due in columns[2]], pa.timestamp("us", tz="UTC")),
            "work_hours": pa.array(columns[3], pa.float64()),
        }
    )


def _orders(data: DatasetTables) -> pa.Table:
    """Return one work order per battery and step of growth, at the third consecutive measurement that shows it."""
    baseline = {name: row.baseline_resistance_mohm or np.nan for name, row in fleet_of(data).items()}
    streak: dict[tuple[str, float], int] = {}
    done: set[tuple[str, float]] = set()
    orders: list[dict[str, Any]] = []
    column = "resistance_25c_mohm" if data.has("telemetry_daily") else "internal_resistance_mohm"
    for rows in months(data, "telemetry_daily" if data.has("telemetry_daily") else "telemetry"):
        measured = numbers(rows, column)
        valid = np.flatnonzero(np.isfinite(measured))
        valid = valid[np.argsort(instants_us(rows)[valid], kind="stable")]
        names, at_us = words(rows, "battery_id")[valid], instants_us(rows)[valid]
        for name, when, value in zip(names.tolist(), at_us.tolist(), measured[valid].tolist(), strict=True):
            growth = value / baseline[name] - 1.0
            for limit, work, within in _GROWTH:
                key = (name, limit)
                streak[key] = streak.get(key, 0) + 1 if growth >= limit else 0
                if streak[key] == 3 and key not in done:
                    done.add(key)
                    order = {"time": when, "battery_id": name, "work": work, "within_days": within}
                    orders.append({**order, "growth_pct": 100.0 * growth})
                    break
    return pa.table(
        {
            "time": pa.array([row["time"] for row in orders], pa.timestamp("us", tz="UTC")),
            "battery_id": pa.array([row["battery_id"] for row in orders], pa.string()),
            "work": pa.array([row["work"] for row in orders], pa.string()),
            "within_days": pa.array([row["within_days"] for row in orders], pa.int32()),
            "growth_pct": pa.array([row["growth_pct"] for row in orders], pa.float64()),
        }
    )
