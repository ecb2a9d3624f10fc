"""What was understood of a recording, as lines of text for the person who is about to send it."""

from collections import Counter
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Final

from battery_api.cli.run_files import Recording
from battery_contracts.channels import BATTERY_CHANNELS, Channel

_SHOWN_BATTERIES: Final = 10


def summary_lines(recording: Recording, battery_id: str | None, start: datetime | None) -> Iterator[str]:
    """Yield rows, first and last time, and unit, conversion, count and range of each channel.

    ``start`` is the instant of ``time_s`` = 0, None for a replay at the present time.
    """
    first_s, last_s = recording.time_s[0], max(recording.time_s)
    rows = f"{recording.row_count} rows"
    if recording.origin is None:
        rows += f" from time_s {first_s:.10g} to {last_s:.10g}"
    yield f"{battery_id or f'{len(set(recording.battery_ids))} batteries'}: {rows}."
    yield from _battery_lines(recording)
    if start is None:
        yield "first row at the time of sending"
    else:
        yield f"first row {_shown(start, min(recording.time_s))}, last row {_shown(start, last_s)}"
    if recording.time_description:
        yield recording.time_description
    for channel in BATTERY_CHANNELS:
        if channel.name in recording.channels:
            line = _channel_line(channel, [one for one in recording.channels[channel.name] if one is not None])
            conversion = recording.conversions.get(channel.name)
            yield line if conversion is None else f"{line}; from {conversion}"
    for name in recording.ignored:
        yield f"{name}: not sent"


def _battery_lines(recording: Recording) -> Iterator[str]:
    counts = Counter(recording.battery_ids)
    for battery_id, count in list(counts.items())[:_SHOWN_BATTERIES]:
        yield f"  {battery_id}: {count} rows"
    if len(counts) > _SHOWN_BATTERIES:
        yield f"  and {len(counts) - _SHOWN_BATTERIES} more batteries"


def _channel_line(channel: Channel, values: list[float]) -> str:
    if not values:
        return f"{channel.name} [{channel.unit}]: no value"
    line = f"{channel.name} [{channel.unit}]: {len(values)} values from {min(values):.10g} to {max(values):.10g}"
    outside = sum(not channel.low <= value <= channel.high for value in values)
    if not outside:
        return line
    limits = f"{channel.low:g} to {channel.high:g} {channel.unit}"
    return f"{line}; {outside} outside {limits}: the gateway will refuse {'it' if outside == 1 else 'them'}"


def _shown(start: datetime, time_s: float) -> str:
    return (start + timedelta(seconds=time_s)).isoformat().replace("+00:00", "Z")
