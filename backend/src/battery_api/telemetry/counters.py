"""What each battery sent on a day and what became of it, so that nothing is lost without a trace.

The counts of a battery's newest day lie in its state row, which ingest updates anyway; older days lie in
``reading_count``. For every battery and day received = accepted + duplicate + rejected.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from sqlalchemy.ext.asyncio import AsyncConnection

from battery_api.telemetry.instants import NEVER, day_floor
from battery_api.telemetry.rows import BoolArray, IntArray
from battery_api.telemetry.writer import Column, instants, integers

COUNTS: Final = ("received", "accepted", "late", "duplicate", "rejected")
_ADD: Final = ", ".join(f"{name} = reading_count.{name} + excluded.{name}" for name in COUNTS)
_CLOSE_DAYS: Final = (
    "insert into reading_count (battery_id, day, received, accepted, late, duplicate, rejected) "
    "select battery_id, count_day, received_count, accepted_count, late_count, duplicate_count, rejected_count "
    f"from battery_state where battery_id = any($1::int[]) on conflict (battery_id, day) do update set {_ADD}"
)
_ADD_DAYS: Final = (
    "insert into reading_count (battery_id, day, received, accepted, late, duplicate, rejected) "
    "select given.battery_id, timestamptz 'epoch' + given.day_us * interval '1 microsecond', given.received, "
    "given.accepted, given.late, given.duplicate, given.rejected "
    "from unnest($1::int[], $2::bigint[], $3::int[], $4::int[], $5::int[], $6::int[], $7::int[]) "
    "as given(battery_id, day_us, received, accepted, late, duplicate, rejected) "
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
class Tally:
    """Outcomes of a batch by battery: the open day's part (n,) and, row by row, the parts of older days."""

    open_day_us: IntArray
    open_counts: IntArray
    """(n, 5) in the order of `COUNTS`."""
    rolls_over: BoolArray
    """(n,) whether the state row's day ends with this batch."""
    older_subject: IntArray
    older_day_us: IntArray
    older_counts: IntArray

    def columns(self, chosen: IntArray) -> list[Column]:
        """Return what `ADD_TO_OPEN_DAY` needs for some batteries."""
        counted = [instants("counted_day", self.open_day_us[chosen])]
        return counted + [integers(f"{name}_added", self.open_counts[chosen, at]) for at, name in enumerate(COUNTS)]


def tally(
    count_day_us: IntArray,
    *,
    stored: tuple[IntArray, IntArray, BoolArray, BoolArray],
    repeated: tuple[IntArray, IntArray],
    refused: tuple[IntArray, IntArray],
) -> Tally:
    """Count what became of the readings of ``n`` batteries.

    Parameters
    ----------
    count_day_us
        (n,) the day that each state row counts, `NEVER` before the first.
    stored
        Subject, time, whether it was new, whether it was late: of each reading that reached the store.
    repeated, refused
        Subject and time of each reading that did not.
    """
    subject, time_us, is_new, is_late = stored
    outcomes = np.zeros((len(subject) + len(repeated[0]) + len(refused[0]), len(COUNTS)), np.int64)
    outcomes[:, 0] = 1
    outcomes[: len(subject), 1] = is_new
    outcomes[: len(subject), 2] = is_new & is_late
    outcomes[: len(subject), 3] = ~is_new
    outcomes[len(subject) : len(subject) + len(repeated[0]), 3] = 1
    outcomes[len(subject) + len(repeated[0]) :, 4] = 1
    subjects = np.concatenate([subject, repeated[0], refused[0]])
    days = day_floor(np.concatenate([time_us, repeated[1], refused[1]]))
    open_day = count_day_us.copy()
    np.maximum.at(open_day, subjects, days)
    pairs, group = np.unique(np.stack([subjects, days], axis=1), axis=0, return_inverse=True)
    sums = np.zeros((len(pairs), len(COUNTS)), np.int64)
    np.add.at(sums, group.reshape(-1), outcomes)
    is_open = pairs[:, 1] == open_day[pairs[:, 0]]
    open_counts = np.zeros((len(count_day_us), len(COUNTS)), np.int64)
    open_counts[pairs[is_open, 0]] = sums[is_open]
    return Tally(
        open_day_us=open_day,
        open_counts=open_counts,
        rolls_over=(count_day_us != NEVER) & (open_day > count_day_us),
        older_subject=pairs[~is_open, 0],
        older_day_us=pairs[~is_open, 1],
        older_counts=sums[~is_open],
    )


async def close_days(connection: AsyncConnection, battery_keys: Sequence[int]) -> None:
    """Move the counts of ended days out of the state rows; these start anew in the same transaction."""
    if battery_keys:
        await connection.exec_driver_sql(_CLOSE_DAYS, (list(battery_keys),))


async def add_older_days(connection: AsyncConnection, battery_keys: IntArray, counted: Tally) -> None:
    """Add to the counts of days that are over; ``battery_keys`` (n,) are those of the tally's subjects."""
    await add_counts(connection, battery_keys[counted.older_subject], counted.older_day_us, counted.older_counts)


async def add_counts(connection: AsyncConnection, keys: IntArray, days_us: IntArray, counts: IntArray) -> None:
    """Add counts (n, 5), in the order of `COUNTS`, to batteries' days."""
    if len(keys):
        columns = tuple(counts[:, at].tolist() for at in range(len(COUNTS)))
        await connection.exec_driver_sql(_ADD_DAYS, (keys.tolist(), days_us.tolist(), *columns))
