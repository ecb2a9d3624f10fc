"""Headings of times: seconds since the start of a run, instants, or a day and a time of day in two columns."""

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from battery_api.cli.recording_refused import RecordingRefused

TIME_S: Final = "time_s"
_INSTANTS: Final = frozenset(
    (
        *("time", "timestamp", "time stamp", "datetime", "date time", "date/time", "date & time"),
        *("epoch", "unix time", "unixtime", "เวลา", "วันเวลา", "วันที่และเวลา", "วันที่/เวลา", "วันที่ เวลา"),
    )
)
_DAYS: Final = frozenset({"date", "day", "วันที่"})
_TIMES_OF_DAY: Final = frozenset({"time", "time of day", "เวลา"})
_DURATION: Final = re.compile(
    r"(?:time|elapsed|elapsed time|test time|run time)(?: ?[(\[] ?| )(s|sec|seconds|ms|min|minutes|h|hours)[)\]]?"
)
_SECONDS: Final = {"ms": 1e-3, "min": 60.0, "minutes": 60.0, "h": 3600.0, "hours": 3600.0}


@dataclass(frozen=True, slots=True)
class TimeColumns:
    """Positions of the columns that say when a row was measured."""

    position: int
    """Of the duration, the instant or the day."""
    time_of_day: int | None = None
    seconds: float | None = None
    """Seconds in the unit of a duration; None for an instant."""

    @property
    def positions(self) -> tuple[int, ...]:
        """Every position."""
        return (self.position,) if self.time_of_day is None else (self.position, self.time_of_day)


def is_time(name: str) -> bool:
    """Return whether a heading names a time."""
    key = _key(name)
    return key in _INSTANTS | _DAYS | _TIMES_OF_DAY or _seconds(key) is not None


def time_columns(names: Sequence[str], file_name: str, ignored: Sequence[str] = ()) -> TimeColumns:
    """Find the columns of the time.

    Raises
    ------
    RecordingRefused
        There is none, or more than one that could be it.
    """
    keys = {position: _key(name) for position, name in enumerate(names) if name not in ignored}
    durations = {position: seconds for position, key in keys.items() if (seconds := _seconds(key)) is not None}
    days = [position for position, key in keys.items() if key in _DAYS]
    times = [position for position, key in keys.items() if key in _TIMES_OF_DAY]
    found = [TimeColumns(position, seconds=seconds) for position, seconds in durations.items()]
    if len(days) == len(times) == 1:
        found.append(TimeColumns(days[0], time_of_day=times[0]))
    else:
        found += [TimeColumns(position) for position in days]
    paired = {position for columns in found for position in columns.positions}
    found += [TimeColumns(position) for position, key in keys.items() if key in _INSTANTS and position not in paired]
    if not found:
        listed = ", ".join(names) or "empty"
        raise RecordingRefused(
            f"{file_name} has no column {TIME_S} (seconds since the start) or time (instants); its header is: {listed}."
        )
    if len(found) > 1:
        first, second = (names[columns.position] for columns in found[:2])
        raise RecordingRefused(
            f"{file_name} has the times {first} and {second}; leave one of them out with --ignore {second}."
        )
    return found[0]


def _seconds(key: str) -> float | None:
    found = _DURATION.fullmatch(key)
    return None if found is None else _SECONDS.get(found[1], 1.0)


def _key(name: str) -> str:
    return re.sub(r"[\s_]+", " ", unicodedata.normalize("NFKC", name).casefold()).strip()
