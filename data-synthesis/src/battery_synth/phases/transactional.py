"""Records of events: discharges, capacity tests, ohmic measurements, outages, cooling faults, replacements."""

from collections.abc import Iterator
from itertools import pairwise
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from battery_synth.block.electrics import available_ah
from battery_synth.datasets.ohmic import resistance_25c_mohm
from battery_synth.phases.folder import Int64Array, fleet_of, months, runs
from battery_synth.realism.tables import DatasetTables, instants_us, numbers, words
from battery_synth.storage.tables import instants

_LONG_TEST_S: Final = 3600.0
_CAPACITY_PER_K: Final = 0.01
"""Capacity at the one- to three-hour rates rises by about 1 %/K [VEL]."""
_LONGEST_GAP_S: Final = 120.0
_NO_CURRENT_A: Final = 1.0


def make(data: DatasetTables) -> Iterator[tuple[str, pa.Table]]:
    """Yield the records of a dataset."""
    prefix = "" if data.has("telemetry") else "discharge/"
    rated = {row.string_id: 120.0 for row in fleet_of(data).values()}
    for strings, blocks in zip(
        months(data, f"{prefix}string_telemetry"), months(data, f"{prefix}telemetry"), strict=True
    ):
        events = list(_discharges(strings, blocks))
        if events:
            yield "transactional/discharge_event", _table(events)
            tests = [_capacity(event, rated[event["string_id"]]) for event in events if _is_capacity_test(event)]
            if tests:
                yield "transactional/capacity_test", _table(tests)
        if not prefix:
            yield "transactional/ohmic_measurement", _ohmic(blocks)
    for daily in months(data, "telemetry_daily"):
        kept = daily.filter(pc.is_valid(daily["resistance_mohm"]))
        yield (
            "transactional/ohmic_measurement",
            kept.select(["time", "battery_id", "resistance_mohm", "resistance_25c_mohm"]),
        )
    for location in months(data, "site_environment"):
        events = list(_location_events(location))
        if events:
            yield "transactional/site_event", _table(events)
    for lives in months(data, "events/lives"):
        swaps = lives.filter(pc.and_(pc.equal(lives["kind"], "removed"), pc.is_valid(lives["reason"])))
        if swaps.num_rows:
            yield "transactional/replacement", swaps


def _discharges(strings: pa.Table, blocks: pa.Table) -> Iterator[dict[str, Any]]:
    """Yield one event per discharge of a string, with its charge in Ah and its weakest battery."""
    at, owner, mode = instants_us(strings), words(strings, "string_id"), words(strings, "mode")
    current = numbers(strings, "current_a")
    block_at, block_owner = instants_us(blocks), np.array([name[4:-4] for name in blocks["battery_id"].to_pylist()])
    volts, names, warmth = numbers(blocks, "voltage_v"), words(blocks, "battery_id"), numbers(blocks, "temperature_c")
    for string in sorted(set(owner)):
        own_rows = np.flatnonzero(owner == string)
        own_rows = own_rows[np.argsort(at[own_rows], kind="stable")]
        is_working = np.isin(mode[own_rows], ("discharge", "test"))
        own = np.flatnonzero(block_owner == string)
        for first, last in _spans(at[own_rows], is_working):
            rows = own_rows[first:last]
            begins, ends = int(at[rows[0]]), int(at[rows[-1]])
            within = own[(block_at[own] >= begins) & (block_at[own] <= ends)]
            steps_s = np.minimum(np.diff(at[rows]) / 1e6, _LONGEST_GAP_S)
            # A string that has reached its cut-off stands by without current until the test is over.
            gives = current[rows] < -_NO_CURRENT_A
            giving_s = float(steps_s[gives[:-1]].sum())
            valid = within[np.isfinite(volts[within])]
            lowest = valid[np.argmin(volts[valid])] if len(valid) else None
            yield {
                "string_id": string,
                "start": begins,
                "end": ends,
                "kind": str(mode[rows[0]]),
                "seconds": giving_s,
                "discharged_ah": float(-(current[rows][:-1] * steps_s).sum() / 3600.0),
                "mean_current_a": float(current[rows][gives].mean()) if gives.any() else 0.0,
                "lowest_voltage_v": float(volts[lowest]) if lowest is not None else None,
                "lowest_battery_id": str(names[lowest]) if lowest is not None else None,
                "mean_temperature_c": float(np.nanmean(warmth[within])) if len(within) else None,
            }


def _spans(at_us: Int64Array, is_working: np.ndarray[Any, np.dtype[np.bool_]]) -> list[tuple[int, int]]:
    """Return the stretches [first, last) of work; a gap of more than three minutes separates two of them."""
    spans = []
    for first, last in runs(is_working):
        cuts = first + 1 + np.flatnonzero(np.diff(at_us[first:last]) > 1.5 * _LONGEST_GAP_S * 1e6)
        edges = [first, *cuts.tolist(), last]
        spans += [(a, b) for a, b in pairwise(edges) if b - a > 1]
    return spans


def _is_capacity_test(event: dict[str, Any]) -> bool:
    return bool(event["kind"] == "test" and event["seconds"] >= _LONG_TEST_S)


def _capacity(event: dict[str, Any], rated_ah: float) -> dict[str, Any]:
    """Return a capacity test: charge to the cut-off over what a new string gives at that current, at 25 °C."""
    warmth = event["mean_temperature_c"] or 25.0
    new_ah = available_ah(-event["mean_current_a"], rated_ah) * (1.0 + _CAPACITY_PER_K * (warmth - 25.0))
    share = event["discharged_ah"] / new_ah
    return {
        "string_id": event["string_id"],
        "time": event["end"],
        "discharged_ah": event["discharged_ah"],
        "mean_temperature_c": warmth,
        "capacity_pct": 100.0 * share,
        "lowest_battery_id": event["lowest_battery_id"],
        "passed": share >= 0.8,
    }


def _ohmic(blocks: pa.Table) -> pa.Table:
    kept = blocks.filter(pc.is_valid(blocks["internal_resistance_mohm"]))
    measured, warmth = numbers(kept, "internal_resistance_mohm"), numbers(kept, "temperature_c")
    return pa.table(
        {
            "time": kept["time"],
            "battery_id": kept["battery_id"],
            "resistance_mohm": kept["internal_resistance_mohm"],
            "resistance_25c_mohm": pa.array(resistance_25c_mohm(measured, warmth).astype(np.float32)),
        }
    )


def _location_events(readings: pa.Table) -> Iterator[dict[str, Any]]:
    order = np.argsort(instants_us(readings), kind="stable")
    at_us, location = instants_us(readings)[order], words(readings, "location_id")[0]
    mains = readings["mains"].to_numpy(zero_copy_only=False)[order]
    hvac = words(readings, "hvac")[order]
    for kind, flags in (
        ("mains_outage", ~mains),
        ("hvac_failed", hvac == "failed"),
        ("hvac_degraded", hvac == "degraded"),
    ):
        for first, last in runs(flags):
            end = int(at_us[last]) if last < len(at_us) else None
            yield {"location_id": str(location), "kind": kind, "start": int(at_us[first]), "end": end}


def _table(rows: list[dict[str, Any]]) -> pa.Table:
    columns: dict[str, Any] = {}
    for name in rows[0]:
        values = [row[name] for row in rows]
        if name in {"start", "end", "time"}:
            filled = np.array([0 if value is None else value for value in values], np.int64)
            missing = np.array([value is None for value in values])
            column = instants(filled)
            columns[name] = pc.if_else(pa.array(missing), pa.scalar(None, column.type), column)
        elif name in {"string_id", "location_id", "kind", "lowest_battery_id"}:
            columns[name] = pa.array(values, pa.string())
        elif name == "passed":
            columns[name] = pa.array(values, pa.bool_())
        else:
            columns[name] = pa.array(values, pa.float64())
    return pa.table(columns)
