"""The job that keeps the daily history of the batteries complete and correct, whole days only.

A mark is deleted in the transaction that writes its day, and a day follows from the stored readings alone. So a restart
loses nothing, late readings and corrections rewrite their day, and doing a day twice gives the same rows.
"""

from datetime import datetime, timedelta
from typing import Final

from sqlalchemy.ext.asyncio import AsyncConnection

from battery_api.context import ProcessContext
from battery_api.db.bangkok import midnight_of, operating_day
from battery_api.telemetry.days import repository
from battery_api.telemetry.store.rollups import lock_rollups

GRACE: Final = timedelta(minutes=15)
"""How long after midnight a day is first computed (EJ): far longer than a batch takes from its arrival to its commit,
and most of what was sent before midnight has arrived."""
# A string of 24 with a reading every minute has 35,000 rows a day, which take about a quarter of a second.
_DAYS_PER_TRANSACTION: Final = 8


async def run_once(context: ProcessContext) -> int:
    """Bring the history up to date; return how many days of strings were computed."""
    done, now = 0, context.clock.now()
    while True:
        async with context.database.begin() as connection:
            part = await rebuild_marked(
                connection, now=now, telemetry_retention_days=context.settings.telemetry_retention_days
            )
        done += part
        if part == 0:
            return done


async def rebuild_marked(connection: AsyncConnection, *, now: datetime, telemetry_retention_days: int) -> int:
    """Take some marks of whole days and compute those days, in the caller's transaction; return their number.

    Days of which readings may be deleted already are not computed again; where they are missing, the roll-ups fill in.
    """
    # The roll-up job marks a day only if it has no mark yet, and must not see one that is being taken.
    await lock_rollups(connection)
    marks = await repository.take_marks(connection, before=operating_day(now - GRACE), count=_DAYS_PER_TRANSACTION)
    for marked in marks:
        if midnight_of(marked.day) < now - timedelta(days=telemetry_retention_days):
            await repository.fill_from_rollups(connection, marked)
        else:
            await repository.rebuild_from_readings(connection, marked)
    last_day = operating_day(now) - timedelta(days=1)
    past = sum(marked.day < last_day for marked in marks)
    if past:
        await repository.count_past_days(connection, past)
    return len(marks)
