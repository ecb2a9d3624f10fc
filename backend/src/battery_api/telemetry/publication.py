"""What a stored batch announces: one message a room, rounded to sensor resolution."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

import numpy as np
import numpy.typing as npt

from battery_api.fleet.status import MIN_STALE_AFTER_S, STALE_INTERVALS, status_of
from battery_api.telemetry.instants import NEVER, instants_of
from battery_api.telemetry.ports import Publisher
from battery_api.telemetry.rows import FloatArray, IntArray
from battery_contracts.channels import BATTERY_CHANNELS
from battery_contracts.enums import HealthStatus
from battery_contracts.events import (
    AlertEvent,
    BatteryStatusUpdate,
    LiveColumns,
    StatusColumns,
    TelemetryUpdate,
    battery_room,
    location_room,
)

CountArray = npt.NDArray[np.int16]
DECIMALS: Final = {channel.name: channel.decimals for channel in BATTERY_CHANNELS} | {"soc_pct": 1, "soh_pct": 1}


@dataclass(frozen=True, slots=True)
class Publication:
    """Everything to send after the commit."""

    telemetry: Sequence[TelemetryUpdate] = ()
    statuses: Sequence[BatteryStatusUpdate] = ()
    alerts: Sequence[AlertEvent] = ()

    async def send(self, publisher: Publisher) -> None:
        """Hand everything to the publisher."""
        if self.telemetry:
            await publisher.publish_telemetry(self.telemetry)
        if self.alerts:
            await publisher.publish_alerts(self.alerts)
        if self.statuses:
            await publisher.publish_statuses(self.statuses)


@dataclass(frozen=True, slots=True)
class Newest:
    """Newest readings (k,) of the batteries that have new ones; arrays are aligned."""

    code: Sequence[str]
    location: IntArray
    seq: IntArray
    """Sequence number of the battery's room after this batch."""
    time_us: IntArray
    values: Mapping[str, FloatArray]
    status_before: Sequence[HealthStatus]
    status_after: Sequence[HealthStatus]
    open_before: CountArray
    """(k, 3) open info, warning and critical alerts before the batch."""
    open_counts: CountArray


def telemetry_updates(
    newest: Newest,
    *,
    location_codes: Sequence[str],
    location_seq: IntArray,
    listened: frozenset[str],
    received_at: datetime,
) -> list[TelemetryUpdate]:
    """Make one message for each location that has news, and for each battery that somebody watches."""
    rounded = {name: np.round(values, DECIMALS[name]) for name, values in newest.values.items()}
    updates = []
    for location in np.unique(newest.location).tolist():
        code = location_codes[location]
        columns = _columns(newest, rounded, np.flatnonzero(newest.location == location).tolist())
        updates.append(_update(location_room(code), int(location_seq[location]), code, received_at, columns))
    if listened:
        for at, code in enumerate(newest.code):
            if code in listened:
                columns = _columns(newest, rounded, [at])
                location_code = location_codes[int(newest.location[at])]
                updates.append(_update(battery_room(code), int(newest.seq[at]), location_code, received_at, columns))
    return updates


def _update(room: str, seq: int, location_code: str, received_at: datetime, columns: LiveColumns) -> TelemetryUpdate:
    # Built from checked values, so a second validation of thousands of fields would only cost time.
    return TelemetryUpdate.model_construct(
        room=room, seq=seq, location_id=location_code, timestamp=received_at, columns=columns
    )


def _columns(newest: Newest, rounded: Mapping[str, FloatArray], chosen: Sequence[int]) -> LiveColumns:
    measured = {}
    for name, values in rounded.items():
        column = values[chosen]
        if not np.isnan(column).all():
            measured[name] = [None if value != value else value for value in column.tolist()]  # noqa: PLR0124  # NaN
    return LiveColumns.model_construct(
        None,
        battery_id=[newest.code[at] for at in chosen],
        time=instants_of(newest.time_us[chosen]),
        **measured,
    )


def status_updates(newest: Newest, location_codes: Sequence[str]) -> list[BatteryStatusUpdate]:
    """Make one message for each location with batteries whose status or open alerts changed."""
    by_location: dict[int, list[int]] = {}
    recounted = (newest.open_before != newest.open_counts).any(axis=1).tolist()
    changes = zip(newest.status_before, newest.status_after, recounted, strict=True)
    for at, (before, after, is_recounted) in enumerate(changes):
        if before is not after or is_recounted:
            by_location.setdefault(int(newest.location[at]), []).append(at)
    return [
        BatteryStatusUpdate(
            location_id=location_codes[location],
            columns=StatusColumns(
                battery_id=[newest.code[at] for at in chosen],
                status=[newest.status_after[at] for at in chosen],
                open_critical=[int(newest.open_counts[at][2]) for at in chosen],
                open_warning=[int(newest.open_counts[at][1]) for at in chosen],
            ),
        )
        for location, chosen in by_location.items()
    ]


def statuses(last_us: IntArray, interval_s: FloatArray, open_counts: CountArray, now_us: int) -> list[HealthStatus]:
    """Return the status of batteries (n,) at an instant."""
    limit_us = np.maximum(MIN_STALE_AFTER_S, STALE_INTERVALS * np.nan_to_num(interval_s)) * 1e6
    stale = (last_us == NEVER) | (now_us - last_us > limit_us)
    case = stale * 4 + (open_counts[:, 2] > 0) * 2 + (open_counts[:, 1] > 0)
    return [_STATUS_OF_CASE[at] for at in case.tolist()]


# Every case of the one rule, so that a whole batch is looked up instead of asked battery by battery.
_STATUS_OF_CASE: Final = [
    status_of(is_stale=bool(case & 4), open_critical=case >> 1 & 1, open_warning=case & 1) for case in range(8)
]
