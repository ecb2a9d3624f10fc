"""Records of what happened: discharges, capacity tests, ohmic measurements, outages, cooling faults, replacements."""

from collections.abc import Iterator
from itertools import pairwise
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from battery_synth.block.electrics import available_ah
from battery_synth.phases.folder import RESISTANCE_PER_K, Int64Array, fleet_of, months, runs
from battery_synth.realism.tables import Dataset, instants_us, numbers, words
from battery_synth.storage.tables import instants

_LONG_TEST_S: Final = 3600.0
_CAPACITY_PER_K: Final = 0.01
"""Capacity at the one- to three-hour rates rises by about 1 % a kelvin (a maker's table)."""
_LONGEST_GAP_S: Final = 120.0
_NO_CURRENT_A: Final = 1.0


def make(data: Dataset) -> Iterator[tuple[str, pa.Table]]:
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
    for site in months(data, "site_environment"):
        found = list(_site_events(site))
        if found:
            yield "transactional/site_event", _table(found)
    for lives in months(data, "events/lives"):
        swaps = lives.filter(pc.and_(pc.equal(lives["kind"], "removed"), pc.is_valid(lives["reason"])))
        if swaps.num_rows:
            yield "transactional/replacement", swaps


def _discharges(strings: pa.Table, blocks: pa.Table) -> Iterator[dict[str, Any]]:
    at, owner, mode = instants_us(strings), words(strings, "string_id"), words(strings, "mode")
    current = numbers(strings, "current_a")
    block_at, block_owner = instants_us(blocks), np.array([name[4:-4] for name in blocks["battery_id"].to_pylist()])
    volts, names, warmth = numbers(blocks, "voltage_v"), words(blocks, "battery_id"), numbers(blocks, "temperature_c")
    for string in sorted(set(owner)):
        mine = np.flatnonzero(owner == string)
        mine = mine[np.argsort(at[mine], kind="stable")]
        works = np.isin(mode[mine], ("discharge", "test"))
        own = np.flatnonzero(block_owner == string)
        for first, last in _spans(at[mine], works):
            rows = mine[first:last]
            begins, ends = int(at[rows[0]]), int(at[rows[-1]])
            within = own[(block_at[own] >= begins) & (block_at[own] <= ends)]
            steps_s = np.minimum(np.diff(at[rows]) / 1e6, _LONGEST_GAP_S)
            # A string that has reached its cut-off stands by without a current until the test is over.
            gives = current[rows] < -_NO_CURRENT_A
            giving_s = float(steps_s[gives[:-1]].sum())
            seen = within[np.isfinite(volts[within])]
            lowest = seen[np.argmin(volts[seen])] if len(seen) else None
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


def _spans(at: Int64Array, works: np.ndarray[Any, np.dtype[np.bool_]]) -> list[tuple[int, int]]:
    """Return the stretches of work; a gap of more than two minutes parts two of them."""
    found = []
    for first, last in runs(works):
        cuts = first + 1 + np.flatnonzero(np.diff(at[first:last]) > 1.5 * _LONGEST_GAP_S * 1e6)
        edges = [first, *cuts.tolist(), last]
        found += [(a, b) for a, b in pairwise(edges) if b - a > 1]
    return found


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
            "resistance_25c_mohm": pa.array((measured * np.exp(RESISTANCE_PER_K * (warmth - 25.0))).astype(np.float32)),
        }
    )


def _site_events(site: pa.Table) -> Iterator[dict[str, Any]]:
    order = np.argsort(instants_us(site), kind="stable")
    at, location = instants_us(site)[order], words(site, "location_id")[0]
    mains = site["mains"].to_numpy(zero_copy_only=False)[order]
    hvac = words(site, "hvac")[order]
    for kind, flags in (
        ("mains_outage", ~mains),
        ("hvac_failed", hvac == "failed"),
        ("hvac_degraded", hvac == "degraded"),
    ):
        for first, last in runs(flags):
            end = int(at[last]) if last < len(at) else None
            yield {"location_id": str(location), "kind": kind, "start": int(at[first]), "end": end}


def _table(rows: list[dict[str, Any]]) -> pa.Table:
    columns: dict[str, Any] = {}
    for name in rows[0]:
        values = [row[name] for row in rows]
        if name in {"start", "end", "time"}:
            known = np.array([0 if value is None else value for value in values], np.int64)
            missing = np.array([value is None for value in values])
            column = instants(known)
            columns[name] = pc.if_else(pa.array(missing), pa.scalar(None, column.type), column)
        elif name in {"string_id", "location_id", "kind", "lowest_battery_id"}:
            columns[name] = pa.array(values, pa.string())
        elif name == "passed":
            columns[name] = pa.array(values, pa.bool_())
        else:
            columns[name] = pa.array(values, pa.float64())
    return pa.table(columns)
