"""Which columns of a recording are sent: every column of the file is known, ignored by name, or refused."""

import difflib
from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Final

from battery_api.cli.csv_cells import CsvTable, RecordingRefused
from battery_contracts.channels import BATTERY_CHANNELS

TIME: Final = "time_s"
CHANNELS: Final = tuple(channel.name for channel in BATTERY_CHANNELS)
_DERIVED: Final = frozenset({"ah_net", "soc_ref", "soc_pct", "soh_pct"})
"""What recordings carry beside the measurements: senders never set what the platform estimates."""


@dataclass(frozen=True, slots=True)
class ChosenColumns:
    """Positions in a row of the time and of the channels that the file has, and the columns that are not sent."""

    time: int
    channels: dict[str, int]
    ignored: Sequence[str]


def choose_columns(table: CsvTable, file_name: str, ignore: Collection[str]) -> ChosenColumns:
    """Find the columns of a recording.

    Raises
    ------
    RecordingRefused
        A column occurs twice or is neither a channel nor in ``ignore``; ``time_s`` or every channel is missing; a name
        in ``ignore`` is no column that can be left out.
    """
    names = table.names
    where = f"line {table.header_line}"
    repeated = [name for name, count in Counter(names).items() if count > 1]
    if repeated:
        raise RecordingRefused(
            f"{where}: column {repeated[0] or 'without a name'} occurs twice; keep one of them, it is not clear which."
        )
    if TIME not in names:
        raise RecordingRefused(f"{file_name} has no column {TIME}; its header is: {', '.join(names) or 'empty'}.")
    _check_ignored(names, ignore)
    channels = {name: names.index(name) for name in CHANNELS if name in names and name not in ignore}
    if not channels:
        raise RecordingRefused(
            f"{file_name} has none of the channels {', '.join(CHANNELS)}; its header is: {', '.join(names)}."
        )
    known = {TIME, *CHANNELS, *_DERIVED, *ignore}
    for name in names:
        if name not in known:
            raise RecordingRefused(_unknown(where, name))
    return ChosenColumns(names.index(TIME), channels, [name for name in names if name != TIME and name not in channels])


def _check_ignored(names: Sequence[str], ignore: Collection[str]) -> None:
    for name in ignore:
        if name == TIME or name not in names:
            reason = "is needed" if name == TIME else f"is no column; the header is: {', '.join(names)}"
            raise RecordingRefused(f"--ignore {name}: {name} {reason}.")


def _unknown(where: str, name: str) -> str:
    if not name:
        return f"{where}: a column has no name; name it or delete it."
    near = difflib.get_close_matches(name.lower(), [TIME, *CHANNELS], n=1)
    guess = f" (is it {near[0]}?)" if near else ""
    return (
        f"{where}: unknown column {name[:60]!r}{guess}; a recording has {TIME}, {', '.join(CHANNELS)}. "
        f"Rename it, delete it or leave it out with --ignore {name[:60]}."
    )
