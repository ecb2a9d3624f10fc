"""Count what each battery sent on a day and the outcome, so that nothing is lost without a trace.

The counts of a battery's newest day are in its state row, which ingest updates anyway; older days are in
``reading_count``. For every battery and day received = accepted + merged + corrected + duplicate + rejected.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from sqlalchemy.ext.asyncio import AsyncConnection

from battery_api.telemetry.store.columns import BoolArray, Column, IntArray, instants, integers
from battery_api.telemetry.store.indices import BatchSlots, Keys
from battery_api.telemetry.store.instants import NEVER, day_floor
from battery_api.telemetry.store.outcomes import ReadingOutcome

COUNTS: Final = ("received", "accepted", "late", "merged", "corrected", "duplicate", "rejected")
_RANK: Final = {name: rank for rank, name in enumerate(COUNTS)}
_ADD: Final = ", ".join(f"{name} = reading_count.{name} + excluded.{name}" for name in COUNTS)
_CLOSE_DAYS: Final = (
    f"insert into reading_count (battery_id, day, {', '.join(COUNTS)}) "
    f"select battery_id, count_day, {', '.join(f'{name}_count' for name in COUNTS)} "
    f"from battery_state where battery_id = any($1::int[]) on conflict (battery_id, day) do update set {_ADD}"
)
_ADD_DAYS: Final = (
    f"insert into reading_count (battery_id, day, {', '.join(COUNTS)}) "
    "select given.battery_id, timestamptz 'epoch' + given.day_us * interval '1 microsecond', "
    f"{', '.join(f'given.{name}' for name in COUNTS)} from unnest($1::int[], $2::bigint[], "
    f"{', '.join(f'${number}::int[]' for number in range(3, 3 + len(COUNTS)))}) "
    f"as given(battery_id, day_us, {', '.join(COUNTS)}) "
    f"on conflict (battery_id, day) do update set {_ADD}"
)
ADD_TO_OPEN_DAY: Final = (
    "count_day = input.counted_day",
    *(
        f"{name}_count = case when present.count_day = input.counted_day then present.{name}_count else 0 end "
        f"+ input.{name}_added"
        for name in COUNTS
    ),
)
"""Assignments that add to the open day's counts, starting from zero on a new day."""


@dataclass(frozen=True, slots=True)
class ReadingTimes:
    """Battery and time of readings (m,)."""

    battery: BatchSlots
    time_us: IntArray

    def __len__(self) -> int:
        return len(self.battery)


@dataclass(frozen=True, slots=True)
class StoredTimes(ReadingTimes):
    """Readings (m,) that reached the store: the `ReadingOutcome` of each, and whether a newer reading was known."""

    outcome: IntArray
    is_late: BoolArray


@dataclass(frozen=True, slots=True)
class BatchCounts:
    """Outcomes of a batch by battery: the open day's part (n,) and, row by row, the parts of earlier days."""

    open_day_us: IntArray
    open_counts: IntArray
    """(n, 7) in the order of `COUNTS`."""
    rolls_over: BoolArray
    """(n,) whether the day of the state row ends with this batch."""
    earlier_battery: BatchSlots
    earlier_day_us: IntArray
    earlier_counts: IntArray

    def columns(self, batteries: BatchSlots) -> list[Column]:
        """Return the inputs of `ADD_TO_OPEN_DAY` for some batteries."""
        day = instants("counted_day", self.open_day_us[batteries])
        added = (integers(f"{name}_added", self.open_counts[batteries, rank]) for rank, name in enumerate(COUNTS))
        return [day, *added]


def count_readings(
    count_day_us: IntArray, *, stored: StoredTimes, repeated: ReadingTimes, rejected: ReadingTimes
) -> BatchCounts:
    """Count the outcomes of the readings of ``n`` batteries.

    Parameters
    ----------
    count_day_us
        (n,) the day that each state row counts, `NEVER` before the first.
    stored
        Readings that reached the store.
    repeated, rejected
        Readings that did not: repeats within the batch, and rejected ones.
    """
    outcomes = np.zeros((len(stored) + len(repeated) + len(rejected), len(COUNTS)), np.int64)
    outcomes[:, 0] = 1
    outcomes[: len(stored), _RANK["accepted"]] = stored.outcome == ReadingOutcome.NEW
    outcomes[: len(stored), _RANK["late"]] = (stored.outcome == ReadingOutcome.NEW) & stored.is_late
    outcomes[: len(stored), _RANK["merged"]] = stored.outcome == ReadingOutcome.MERGED
    outcomes[: len(stored), _RANK["corrected"]] = stored.outcome == ReadingOutcome.CORRECTED
    outcomes[: len(stored), _RANK["duplicate"]] = stored.outcome == ReadingOutcome.DUPLICATE
    outcomes[len(stored) : len(stored) + len(repeated), _RANK["duplicate"]] = 1
    outcomes[len(stored) + len(repeated) :, _RANK["rejected"]] = 1
    batteries = np.concatenate([stored.battery, repeated.battery, rejected.battery])
    days = day_floor(np.concatenate([stored.time_us, repeated.time_us, rejected.time_us]))
    open_day = count_day_us.copy()
    np.maximum.at(open_day, batteries, days)
    pairs, group = np.unique(np.stack([batteries, days], axis=1), axis=0, return_inverse=True)
    sums = np.zeros((len(pairs), len(COUNTS)), np.int64)
    np.add.at(sums, group.reshape(-1), outcomes)
    is_open = pairs[:, 1] == open_day[pairs[:, 0]]
    open_counts = np.zeros((len(count_day_us), len(COUNTS)), np.int64)
    open_counts[pairs[is_open, 0]] = sums[is_open]
    return BatchCounts(
        open_day_us=open_day,
        open_counts=open_counts,
        rolls_over=(count_day_us != NEVER) & (open_day > count_day_us),
        earlier_battery=BatchSlots(pairs[~is_open, 0]),
        earlier_day_us=pairs[~is_open, 1],
        earlier_counts=sums[~is_open],
    )


async def close_days(connection: AsyncConnection, battery_keys: Keys) -> None:
    """Move the counts of ended days out of the state rows, which restart from zero in the same transaction."""
    if len(battery_keys):
        await connection.exec_driver_sql(_CLOSE_DAYS, (battery_keys.tolist(),))


async def add_earlier_days(connection: AsyncConnection, battery_keys: Keys, counts: BatchCounts) -> None:
    """Add to the counts of days that have ended; ``battery_keys`` (n,) are by batch slot."""
    keys = Keys(battery_keys[counts.earlier_battery])
    await add_counts(connection, keys, counts.earlier_day_us, counts.earlier_counts)


async def add_counts(connection: AsyncConnection, battery_keys: Keys, days_us: IntArray, counts: IntArray) -> None:
    """Add counts (n, 7), in the order of `COUNTS`, to batteries and days (n,)."""
    if len(battery_keys):
        columns = tuple(counts[:, rank].tolist() for rank in range(len(COUNTS)))
        await connection.exec_driver_sql(_ADD_DAYS, (battery_keys.tolist(), days_us.tolist(), *columns))
