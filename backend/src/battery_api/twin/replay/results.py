"""What a replay writes: estimates of the stored readings, the last one of each day, and the state of the batteries."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from sqlalchemy.ext.asyncio import AsyncConnection

from battery_api.db.bangkok import day_sql
from battery_api.telemetry.ingest.estimation import PROVENANCES, VALUES, ReadingEstimates
from battery_api.telemetry.store.columns import (
    BoolArray,
    Column,
    FloatArray,
    IntArray,
    instants,
    integers,
    optional,
    reals,
)
from battery_api.telemetry.store.indices import Keys
from battery_api.telemetry.store.instants import day_floor
from battery_api.telemetry.store.statements import amend_rows, mark_rollups, update_rows
from battery_api.twin.replay.readings import WaitingReadings
from battery_contracts.enums import ReadingQuality

_GENERATED: Final = int(ReadingQuality.BULK_LOADED)
REASONS: Final = int(
    ReadingQuality.TWIN_UNAVAILABLE | ReadingQuality.OUTSIDE_MODEL | ReadingQuality.CONTRADICTS_CIRCUIT
)
"""What the quality of a reading says of the twin."""
_DAILY: Final = f"""
    insert into digital_twin_state (battery_id, day, time, soc_pct, soc_sd_pct, soc_provenance,
                                               soh_pct, soh_sd_pct, soh_provenance, resistance_mohm, resistance_sd_mohm)
    select battery_id, {day_sql("at")}, at, soc_pct, soc_sd_pct, soc_provenance,
           soh_pct, soh_sd_pct, soh_provenance, resistance_mohm, resistance_sd_mohm
    from (select *, timestamptz 'epoch' + time_us * interval '1 microsecond' as at
          from unnest($1::int[], $2::bigint[], $3::real[], $4::real[], $5::text[], $6::real[], $7::real[], $8::text[],
                      $9::real[], $10::real[])
          as given(battery_id, time_us, soc_pct, soc_sd_pct, soc_provenance, soh_pct, soh_sd_pct, soh_provenance,
                   resistance_mohm, resistance_sd_mohm)) as input
    on conflict (battery_id, day) do update set
        time = excluded.time,
        soc_pct = excluded.soc_pct, soc_sd_pct = excluded.soc_sd_pct, soc_provenance = excluded.soc_provenance,
        soh_pct = excluded.soh_pct, soh_sd_pct = excluded.soh_sd_pct, soh_provenance = excluded.soh_provenance,
        resistance_mohm = excluded.resistance_mohm, resistance_sd_mohm = excluded.resistance_sd_mohm
"""  # noqa: S608  # a constant of this module
_ESTIMATES: Final = ("soc_pct", "soc_sd_pct", "soc_provenance", "soh_pct", "soh_sd_pct", "soh_provenance")
_QUALITY: Final = f"(present.quality & ~{REASONS}) | input.flags"
_LIVE: Final = (
    *(
        f"{name} = case when present.time = input.at then input.twin_{name} else present.{name} end"
        for name in _ESTIMATES
    ),
    f"quality = case when present.time = input.at then {_QUALITY} else present.quality end",
    "resistance_estimate_mohm = coalesce(input.resistance_mohm, present.resistance_estimate_mohm)",
    "resistance_estimate_sd_mohm = coalesce(input.resistance_sd_mohm, present.resistance_estimate_sd_mohm)",
)


@dataclass(frozen=True, slots=True)
class ReplayedReadings:
    """Readings (m,) of the batteries of one string with their estimates, by key and time."""

    keys: Keys
    time_us: IntArray
    readings: WaitingReadings
    estimates: ReadingEstimates
    is_asked: BoolArray
    """Whether the twin was asked (m,)."""


async def write_estimates(connection: AsyncConnection, string: int, replayed: ReplayedReadings, from_us: int) -> None:
    """Write the estimates of readings from an instant on, where they changed; generated readings have none."""
    stored, estimates = replayed.readings, replayed.estimates
    quality = np.where(replayed.is_asked, (stored.quality & ~REASONS) | estimates.flags, stored.quality)
    soc_pct, soh_pct = estimates.values["soc_pct"], estimates.values["soh_pct"]
    is_equal = (quality == stored.quality) & _same(soc_pct, stored.soc_pct) & _same(soh_pct, stored.soh_pct)
    is_measured = (stored.quality & _GENERATED) == 0
    changed = np.flatnonzero(replayed.is_asked & is_measured & ~is_equal & (replayed.time_us >= from_us))
    if not len(changed):
        return
    await amend_rows(
        connection,
        "telemetry",
        [
            integers("battery_id", replayed.keys[changed]),
            instants("time", replayed.time_us[changed]),
            reals("soc_pct", soc_pct[changed]),
            reals("soh_pct", soh_pct[changed]),
            integers("quality", quality[changed], kind="smallint"),
        ],
    )
    await mark_rollups(connection, Keys(np.full(len(changed), string)), replayed.time_us[changed])


async def write_days(connection: AsyncConnection, replayed: ReplayedReadings, from_us: int) -> None:
    """Keep the last estimate of each battery and day, in place of what was known of the day before."""
    values = replayed.estimates.values
    is_known = ~np.isnan(values["soc_pct"]) | ~np.isnan(values["soh_pct"])
    rows = np.flatnonzero(is_known & (replayed.time_us >= from_us))
    last = rows[_is_last(replayed.keys[rows], day_floor(replayed.time_us[rows]))]
    if not len(last):
        return
    numbers = {name: optional(values[name][last]) for name in VALUES}
    kinds = {name: [replayed.estimates.provenance[name][row] for row in last.tolist()] for name in PROVENANCES}
    columns = numbers | kinds
    names = (*_ESTIMATES, "resistance_mohm", "resistance_sd_mohm")
    times = replayed.time_us[last].tolist()
    await connection.exec_driver_sql(_DAILY, (replayed.keys[last].tolist(), times, *(columns[name] for name in names)))


async def write_newest(connection: AsyncConnection, replayed: ReplayedReadings) -> None:
    """Write the estimates of the newest reading of each battery to its state row, if it is among these."""
    rows = np.flatnonzero(replayed.is_asked)
    newest = rows[_is_last(replayed.keys[rows])]
    values, provenance = replayed.estimates.values, replayed.estimates.provenance
    await update_rows(
        connection,
        "battery_state",
        integers("battery_id", replayed.keys[newest]),
        [],
        inputs=[
            instants("at", replayed.time_us[newest]),
            integers("flags", replayed.estimates.flags[newest], kind="smallint"),
            *(
                reals(name if name.startswith("resistance") else f"twin_{name}", values[name][newest])
                for name in VALUES
            ),
            *(
                Column(f"twin_{name}", "text", [provenance[name][row] for row in newest.tolist()])
                for name in PROVENANCES
            ),
        ],
        also=_LIVE,
    )


def _is_last(*keys: IntArray) -> BoolArray:
    """Return for sorted rows (m,) whether each is the last one with its keys."""
    changes = np.zeros(max(len(keys[0]) - 1, 0), bool)
    for column in keys:
        changes |= column[1:] != column[:-1]
    is_last: BoolArray = np.append(changes, True)[: len(keys[0])]
    return is_last


def _same(one: FloatArray, other: FloatArray) -> BoolArray:
    """Return where two columns (m,) are equal, as the store keeps them."""
    is_same: BoolArray = (one.astype(np.float32) == other.astype(np.float32)) | (np.isnan(one) & np.isnan(other))
    return is_same
