"""What is known of the batteries of strings, as the rules would take it: newest measured values and their times."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from typing import Any, Final, NamedTuple

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from battery_api.fleet.schemas import NotJudged
from battery_contracts.enums import ReadingQuality, StringMode

_KNOWN: Final = text(
    """
    select b.code, b.retired_at is not null as is_retired, s.time, s.reporting_interval_s, s.known_voltage_at,
           s.known_temperature_at, s.resistance_at, s.resistance_temperature_c,
           case when s.current_a is not null and s.quality & :filled = 0
                then s.time end as own_current_at,
           l.code as location_code, t.mode, t.mode_since, t.last_discharge_at, t.time as string_time,
           t.known_current_at, t.reporting_interval_s as string_interval_s, e.known_ambient_at, g.id as string_key
    from battery b
    join battery_state s on s.battery_id = b.id
    join string g on g.id = b.string_id
    join string_state t on t.string_id = g.id
    join location l on l.id = b.location_id
    join location_state e on e.location_id = l.id
    where b.removed_at is null
      and (cast(:visible as text[]) is null or l.code = any(:visible))
      and (cast(:strings as text[]) is null or g.code = any(:strings))
    order by g.id, b.position
    """
)


class KnownBattery(NamedTuple):
    """When a battery last measured what, and what its resistance was measured at."""

    code: str
    is_retired: bool
    time: datetime | None
    reporting_interval_s: float | None
    known_voltage_at: datetime | None
    known_temperature_at: datetime | None
    resistance_at: datetime | None
    resistance_temperature_c: float | None
    own_current_at: datetime | None
    """Time of the newest reading, if it carries a current that is not its string's."""


@dataclass(frozen=True, slots=True)
class KnownString:
    """A string with its mode, the time of its current, that of its room's temperature, and its batteries."""

    location_code: str
    mode: StringMode | None
    mode_since: datetime | None
    last_discharge_at: datetime | None
    time: datetime | None
    known_current_at: datetime | None
    reporting_interval_s: float | None
    known_ambient_at: datetime | None
    batteries: Sequence[KnownBattery]


FindNotJudged = Callable[[KnownString, datetime], Mapping[str, Sequence[NotJudged]]]
"""Returns, by the code of each battery of a string, what the rules cannot judge of it at an instant.

The rules are above the fleet, so `app.main` supplies the function.
"""


class NotJudgedReads:
    """Reads what the rules cannot judge at one instant, on one connection."""

    def __init__(self, connection: AsyncConnection, find: FindNotJudged, now: datetime) -> None:
        self._connection = connection
        self._find = find
        self._now = now

    async def of_strings(self, strings: Iterable[str]) -> dict[str, Sequence[NotJudged]]:
        """Return what is not judged of each battery of strings, by code."""
        known = await read_known(self._connection, strings=strings)
        return {code: missing for string in known for code, missing in self._find(string, self._now).items()}

    async def codes(self, visible: frozenset[str] | None) -> frozenset[str]:
        """Return the batteries of visible locations of which something is not judged."""
        known = await read_known(self._connection, visible=visible)
        of_strings = [self._find(string, self._now) for string in known]
        return frozenset(code for of_string in of_strings for code, missing in of_string.items() if missing)

    async def counts(self, visible: frozenset[str] | None) -> Counter[str]:
        """Count the batteries in service of which something is not judged, by the code of their location."""
        counts: Counter[str] = Counter()
        for string in await read_known(self._connection, visible=visible):
            not_judged = self._find(string, self._now)
            in_service = (battery for battery in string.batteries if not battery.is_retired)
            counts[string.location_code] += sum(bool(not_judged[battery.code]) for battery in in_service)
        return counts


async def read_known(
    connection: AsyncConnection, *, visible: frozenset[str] | None = None, strings: Iterable[str] | None = None
) -> list[KnownString]:
    """Return what is known of strings: those of the visible locations and of the given codes, None for all."""
    values = {
        "visible": None if visible is None else sorted(visible),
        "strings": None if strings is None else sorted(set(strings)),
        "filled": int(ReadingQuality.CURRENT_FROM_STRING),
    }
    rows = (await connection.execute(_KNOWN, values)).all()
    return [_string_of(list(of_string)) for _, of_string in groupby(rows, key=lambda row: row.string_key)]


def _string_of(rows: Sequence[Any]) -> KnownString:
    first = rows[0]
    return KnownString(
        location_code=first.location_code,
        mode=None if first.mode is None else StringMode(first.mode),
        mode_since=first.mode_since,
        last_discharge_at=first.last_discharge_at,
        time=first.string_time,
        known_current_at=first.known_current_at,
        reporting_interval_s=first.string_interval_s,
        known_ambient_at=first.known_ambient_at,
        batteries=[KnownBattery(*row[: len(KnownBattery._fields)]) for row in rows],
    )
