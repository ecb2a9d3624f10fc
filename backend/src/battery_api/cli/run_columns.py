"""Which columns of a recording are sent: every column of the file is known, ignored by name, or refused."""

import difflib
from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Final

from battery_api.cli.column_units import CONDUCTANCE, QUANTITIES, Heading, heading_of, named_quantity, symbols
from battery_api.cli.recording_refused import RecordingRefused
from battery_api.cli.time_columns import TIME_S, TimeColumns, is_time, time_columns
from battery_api.tables.model import Table
from battery_contracts.channels import BATTERY_CHANNELS

CHANNELS: Final = tuple(channel.name for channel in BATTERY_CHANNELS)
BATTERY_ID: Final = "battery_id"
_DERIVED: Final = frozenset({"ah_net", "soc_ref", "soc_pct", "soh_pct"})
"""What recordings carry beside the measurements: senders never set what the platform estimates."""


@dataclass(frozen=True, slots=True)
class MeasuredColumn:
    """A column whose values are sent."""

    channel: str
    position: int
    name: str
    heading: Heading


@dataclass(frozen=True, slots=True)
class ChosenColumns:
    """Positions in a row of the time, the battery and the channels that the file has, and what is not sent."""

    time: TimeColumns
    battery: int | None
    channels: Sequence[MeasuredColumn]
    ignored: Sequence[str]


def is_known(name: str) -> bool:
    """Return whether a heading is one of a recording."""
    return name in _DERIVED or name == BATTERY_ID or is_time(name) or heading_of(name) is not None


def choose_columns(table: Table, file_name: str, ignore: Collection[str]) -> ChosenColumns:
    """Find the columns of a recording.

    Raises
    ------
    RecordingRefused
        A column occurs twice, names no unit, or is neither known nor in ``ignore``; the time or every channel is
        missing; a name in ``ignore`` is no column that can be left out.
    """
    names = table.names
    where = f"{table.row_word} {table.header_number}"
    repeated = [name for name, count in Counter(names).items() if count > 1]
    if repeated:
        raise RecordingRefused(
            f"{where}: column {repeated[0] or 'without a name'} occurs twice; keep one of them, it is not clear which."
        )
    for name in ignore:
        if name not in names:
            raise RecordingRefused(f"--ignore {name}: {name} is no column; the header is: {', '.join(names)}.")
    time = _time(names, file_name, ignore)
    measured = _measured(names, where, ignore)
    if not measured:
        raise RecordingRefused(_none_measured(names, file_name, ignore))
    battery = names.index(BATTERY_ID) if BATTERY_ID in names and BATTERY_ID not in ignore else None
    sent = {*time.positions, *(column.position for column in measured)} | ({battery} if battery is not None else set())
    for position, name in enumerate(names):
        if position not in sent and name not in _DERIVED and name not in ignore:
            raise RecordingRefused(f"{where}: {_unknown(name)}")
    return ChosenColumns(time, battery, measured, [name for position, name in enumerate(names) if position not in sent])


def _time(names: Sequence[str], file_name: str, ignore: Collection[str]) -> TimeColumns:
    try:
        return time_columns(names, file_name, list(ignore))
    except RecordingRefused:
        needed = next((name for name in ignore if is_time(name)), None)
        if needed is None:
            raise
        raise RecordingRefused(f"--ignore {needed}: {needed} is needed, the file has no other time.") from None


def _measured(names: Sequence[str], where: str, ignore: Collection[str]) -> list[MeasuredColumn]:
    found: dict[str, MeasuredColumn] = {}
    for position, name in enumerate(names):
        heading = None if name in ignore else heading_of(name)
        if heading is None:
            continue
        column = MeasuredColumn(heading.quantity.channel, position, name, heading)
        other = found.setdefault(column.channel, column)
        if other is not column:
            raise RecordingRefused(
                f"{where}: columns {other.name} and {name} are both {column.channel}; leave one of them out with "
                f"--ignore {name}."
            )
    return [found[channel] for channel in CHANNELS if channel in found]


def _none_measured(names: Sequence[str], file_name: str, ignore: Collection[str]) -> str:
    text = f"{file_name} has none of the channels {', '.join(CHANNELS)}; its header is: {', '.join(names)}."
    without_unit = [name for name in names if name not in ignore and not is_time(name) and named_quantity(name)]
    return " ".join([text, *(_without_unit(name) for name in without_unit)])


def _without_unit(name: str) -> str:
    named = named_quantity(name)
    assert named is not None
    quantity, unit = named
    shown = f"the unit {unit}, which is not known" if unit else "no unit"
    base = name if not unit else quantity.names[0]
    return f"{name[:60]} has {shown}: write {' or '.join(f'{base} ({symbol})' for symbol in symbols(quantity))}."


def _unknown(name: str) -> str:
    if not name:
        return "a column has no name; name it or delete it."
    if named_quantity(name) is not None:
        return f"column {_without_unit(name)} Or leave it out with --ignore {name[:60]!r}."
    known = [TIME_S, "time", BATTERY_ID, *CHANNELS, *_examples()]
    near = difflib.get_close_matches(name.lower(), known, n=1)
    guess = f" (is it {near[0]}?)" if near else ""
    return (
        f"unknown column {name[:60]!r}{guess}; a recording has {TIME_S} or time, {', '.join(CHANNELS)}. "
        f"Rename it, delete it or leave it out with --ignore {name[:60]!r}."
    )


def _examples() -> list[str]:
    """Return the headings that are suggested for a name that is nearly one of them."""
    headings = [f"{quantity.names[0]} ({symbol})" for quantity in QUANTITIES for symbol in symbols(quantity)]
    return [*headings, f"{CONDUCTANCE.names[0]}_s"]
