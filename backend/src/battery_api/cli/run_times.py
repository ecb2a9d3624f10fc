"""When each row of a recording was measured: durations from a start, or instants that the file states.

The cells of a file are looked at together, since one date alone may not say what it means: a file has one form of
times, one order of day and month, one era and one zone.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Final, Literal, NamedTuple

from battery_api.cli.recording_refused import RecordingRefused
from battery_api.cli.time_columns import TimeColumns
from battery_api.cli.time_forms import (
    BUDDHIST_LEAD,
    BUDDHIST_YEARS,
    NotATime,
    TimeForm,
    WrittenTime,
    written_time,
)
from battery_api.tables.model import Table, TableRow

DateOrder = Literal["dmy", "mdy"]
_SIDES: Final = {"dmy": (1, 0), "mdy": (0, 1)}
"""Where month and day stand."""


@dataclass(frozen=True, slots=True)
class TimeOptions:
    """What the sender says of the times in the file."""

    zone: tzinfo | None = None
    """Of times without a zone."""
    date_order: DateOrder | None = None
    buddhist: bool = False
    """Every year is one of the Buddhist era."""


class Instants(NamedTuple):
    """The instants of a table."""

    read: Callable[[TableRow], datetime]
    """Returns the instant of a row; raises NotATime."""
    description: str
    """What was understood, for the summary."""


def instants_of(table: Table, columns: TimeColumns, options: TimeOptions) -> Instants:
    """Find out how a table writes its instants.

    Raises
    ------
    RecordingRefused
        Its forms are mixed; or the zone, the order of day and month or the era is not clear and no option says it, or
        an option does not fit.
    """
    times = [
        (row, time)
        for row in table.rows
        if table.shape_fault(row) is None and (time := _written(columns, row)) is not None
    ]
    form = _one_form(table, times)
    _check_zone(form, options)
    _check_era(table, times, options)
    order = _date_order(table, times, options) if form is TimeForm.DAY_MONTH else None

    known = {row.number: time for row, time in times}

    def read(row: TableRow) -> datetime:
        time = known.get(row.number)
        return _instant(_of_row(columns, row) if time is None else time, options, order)

    return Instants(read, _description(table, columns, form, options, order))


def _of_row(columns: TimeColumns, row: TableRow) -> WrittenTime:
    day = row.cells[columns.position]
    return written_time(day, None if columns.time_of_day is None else row.cells[columns.time_of_day])


def _written(columns: TimeColumns, row: TableRow) -> WrittenTime | None:
    try:
        return _of_row(columns, row)
    except NotATime:
        return None


_Times = Sequence[tuple[TableRow, WrittenTime]]


def _one_form(table: Table, times: _Times) -> TimeForm | None:
    if not times:
        return None
    first_row, first = times[0]
    other = next(((row, time) for row, time in times if time.form is not first.form), None)
    if other is None:
        return first.form
    raise RecordingRefused(
        f"{table.row_word} {first_row.number} has the time {first.text} ({first.form.value}), but {table.row_word} "
        f"{other[0].number} has {other[1].text} ({other[1].form.value}); write every time in one form."
    )


def _check_zone(form: TimeForm | None, options: TimeOptions) -> None:
    if form is None or form.needs_zone == (options.zone is not None):
        return
    if form.needs_zone:
        raise RecordingRefused(
            f"the times have no zone ({form.value}); give theirs with --zone, in Thailand --zone Asia/Bangkok."
        )
    raise RecordingRefused(f"--zone is for times without a zone; the file has {form.value}. Leave it out.")


def _check_era(table: Table, times: _Times, options: TimeOptions) -> None:
    buddhist = [time for _, time in times if time.year in BUDDHIST_YEARS]
    if buddhist and len(buddhist) == len(times) and not options.buddhist:
        year = buddhist[0].year
        raise RecordingRefused(
            f"{table.row_word} {times[0][0].number}: {buddhist[0].text} is in the year {year} of the Buddhist era, as "
            f"every time of the file; if {year - BUDDHIST_LEAD} is meant, give --calendar buddhist."
        )


def _date_order(table: Table, times: _Times, options: TimeOptions) -> DateOrder:
    """Return the order of day and month.

    A number above 12 is a day. Without the option, one date with such a number proves the order of the file, unless
    another date proves the opposite.
    """
    if options.date_order is not None:
        return options.date_order
    proofs: dict[DateOrder, tuple[TableRow, WrittenTime]] = {}
    for row, time in times:
        first, second = time.numbers
        if first > 12 >= second:
            proofs.setdefault("dmy", (row, time))
        elif second > 12 >= first:
            proofs.setdefault("mdy", (row, time))
    if len(proofs) == 1:
        return next(iter(proofs))
    if proofs:
        listed = " and ".join(f"{time.text} in {table.row_word} {row.number}" for row, time in proofs.values())
        raise RecordingRefused(f"the dates have different orders of day and month: {listed}; write ISO 8601.")
    row, time = times[0]
    raise RecordingRefused(
        f"{table.row_word} {row.number}: {time.text} has two readings, and no date of the file has a day above 12 that "
        "shows which; give --date-order dmy (day first, as in Thailand) or mdy."
    )


def _instant(time: WrittenTime, options: TimeOptions, order: DateOrder | None) -> datetime:
    month, day = time.numbers
    if order is not None:
        month_side, day_side = _SIDES[order]
        month, day = time.numbers[month_side], time.numbers[day_side]
    year = _common_year(time, options)
    try:
        local = datetime(year, month, day) + time.time_of_day  # noqa: DTZ001  # its zone is added below
    except ValueError as error:
        expected = f" in the order {order}" if order else ""
        raise NotATime(f"{time.text} is no day of the calendar{expected}; correct it") from error
    if time.zone is not None:
        return local.replace(tzinfo=_offset(time)).astimezone(UTC)
    assert options.zone is not None
    return _in_zone(local, options.zone, time.text)


def _common_year(time: WrittenTime, options: TimeOptions) -> int:
    is_buddhist = time.year in BUDDHIST_YEARS
    if is_buddhist == options.buddhist:
        return time.year - BUDDHIST_LEAD * is_buddhist
    if is_buddhist:
        raise NotATime(
            f"{time.text} is in the year {time.year} of the Buddhist era, unlike other times of the file; write "
            f"{time.year - BUDDHIST_LEAD}"
        )
    raise NotATime(f"{time.text} is in the year {time.year}, which --calendar buddhist does not have; leave it out")


def _offset(time: WrittenTime) -> tzinfo:
    zone = time.zone or "Z"
    offset = datetime.fromisoformat(f"2000-01-01T00:00:00{zone.upper()}").utcoffset()
    if offset is None or abs(offset) > timedelta(hours=14):
        raise NotATime(f"{time.text} has the zone {zone}, which no place has; correct it")
    return datetime.fromisoformat(f"2000-01-01T00:00:00{zone.upper()}").tzinfo or UTC


def _in_zone(local: datetime, zone: tzinfo, text: str) -> datetime:
    early, late = (local.replace(tzinfo=zone, fold=fold) for fold in (0, 1))
    ahead, behind = early.utcoffset() or timedelta(), late.utcoffset() or timedelta()
    if ahead != behind:
        kind = "does not exist" if ahead < behind else "occurs twice"
        raise NotATime(f"{text} {kind} in {zone}, where the clock is changed then; write it with its offset")
    return early.astimezone(UTC)


def _description(
    table: Table, columns: TimeColumns, form: TimeForm | None, options: TimeOptions, order: DateOrder | None
) -> str:
    names = " and ".join(table.names[position] for position in columns.positions)
    parts = [form.value if form else "no time"]
    parts += [f"order {order}"] if order else []
    parts += [f"zone {options.zone}"] if options.zone else []
    parts += ["years of the Buddhist era, minus 543"] if options.buddhist else []
    return f"times from {names}: {', '.join(parts)}"
