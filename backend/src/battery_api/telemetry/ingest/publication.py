"""The events of a stored batch: one message per room, rounded to sensor resolution."""

from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

import numpy as np

from battery_api.fleet.status import MIN_STALE_AFTER_S, STALE_INTERVALS, status_of
from battery_api.telemetry.ports import Publisher
from battery_api.telemetry.store.columns import CountArray, FloatArray, IntArray, optional
from battery_api.telemetry.store.indices import BatchSlots
from battery_api.telemetry.store.instants import NEVER, instants_of
from battery_contracts.channels import LIVE_DECIMALS
from battery_contracts.enums import HealthStatus
from battery_contracts.events import (
    AlertMessage,
    BatteryStatusUpdate,
    LiveColumns,
    StatusColumns,
    TelemetryUpdate,
    battery_room,
    location_room,
)


@dataclass(frozen=True, slots=True)
class Publication:
    """Everything to publish after the commit."""

    telemetry: Sequence[TelemetryUpdate] = ()
    statuses: Sequence[BatteryStatusUpdate] = ()
    alerts: Sequence[AlertMessage] = ()

    def followed_by(self, other: "Publication") -> "Publication":
        """Return the events of two parts of a batch in a row."""
        return Publication(
            [*self.telemetry, *other.telemetry], [*self.statuses, *other.statuses], [*self.alerts, *other.alerts]
        )

    async def send(self, publisher: Publisher) -> None:
        """Publish everything."""
        if self.telemetry:
            await publisher.publish_telemetry(self.telemetry)
        if self.alerts:
            await publisher.publish_alerts(self.alerts)
        if self.statuses:
            await publisher.publish_statuses(self.statuses)


@dataclass(frozen=True, slots=True)
class NewestReadings:
    """Newest readings (k,) of the batteries that have new ones."""

    code: Sequence[str]
    location: BatchSlots
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
    newest: NewestReadings,
    *,
    location_codes: Sequence[str],
    location_seq: IntArray,
    watched: Container[str],
    received_at: datetime,
) -> list[TelemetryUpdate]:
    """Return one message per location with new readings, and one per battery with a listener of its own."""
    rounded = {name: np.round(values, LIVE_DECIMALS[name]) for name, values in newest.values.items()}
    updates = []
    for location in np.unique(newest.location).tolist():
        code = location_codes[location]
        columns = _columns(newest, rounded, np.flatnonzero(newest.location == location).tolist())
        updates.append(_update(location_room(code), int(location_seq[location]), code, received_at, columns))
    if watched != frozenset():
        for row, code in enumerate(newest.code):
            if code in watched:
                columns = _columns(newest, rounded, [row])
                location_code = location_codes[int(newest.location[row])]
                updates.append(_update(battery_room(code), int(newest.seq[row]), location_code, received_at, columns))
    return updates


def _update(room: str, seq: int, location_code: str, received_at: datetime, columns: LiveColumns) -> TelemetryUpdate:
    # Built from valid values: a second validation of thousands of fields would only cost time.
    return TelemetryUpdate.model_construct(
        room=room, seq=seq, location_id=location_code, timestamp=received_at, columns=columns
    )


def _columns(newest: NewestReadings, rounded: Mapping[str, FloatArray], rows: Sequence[int]) -> LiveColumns:
    measured = {}
    for name, values in rounded.items():
        column = values[rows]
        if not np.isnan(column).all():
            measured[name] = optional(column)
    return LiveColumns.model_construct(
        None,
        battery_id=[newest.code[row] for row in rows],
        time=instants_of(newest.time_us[rows]),
        **measured,
    )


def status_updates(newest: NewestReadings, location_codes: Sequence[str]) -> list[BatteryStatusUpdate]:
    """Return one message per location with batteries whose status or open alerts changed."""
    by_location: dict[int, list[int]] = {}
    counts_changed = (newest.open_before != newest.open_counts).any(axis=1).tolist()
    changes = zip(newest.status_before, newest.status_after, counts_changed, strict=True)
    for row, (before, after, has_new_counts) in enumerate(changes):
        if before is not after or has_new_counts:
            by_location.setdefault(int(newest.location[row]), []).append(row)
    return [
        BatteryStatusUpdate(
            location_id=location_codes[location],
            columns=StatusColumns(
                battery_id=[newest.code[row] for row in rows],
                status=[newest.status_after[row] for row in rows],
                open_critical=[int(newest.open_counts[row][2]) for row in rows],
                open_warning=[int(newest.open_counts[row][1]) for row in rows],
            ),
        )
        for location, rows in by_location.items()
    ]


def statuses(last_us: IntArray, interval_s: FloatArray, open_counts: CountArray, now_us: int) -> list[HealthStatus]:
    """Return the status of batteries (k,) at an instant; ``open_counts`` is (k, 3)."""
    limit_us = np.maximum(MIN_STALE_AFTER_S, STALE_INTERVALS * np.nan_to_num(interval_s)) * 1e6
    is_stale = (last_us == NEVER) | (now_us - last_us > limit_us)
    case = is_stale * 4 + (open_counts[:, 2] > 0) * 2 + (open_counts[:, 1] > 0)
    return [_STATUS_OF_CASE[index] for index in case.tolist()]


# Every case of the one rule, so that a whole batch is looked up instead of evaluated battery by battery.
_STATUS_OF_CASE: Final = [
    status_of(is_stale=bool(case & 4), open_critical=case >> 1 & 1, open_warning=case & 1) for case in range(8)
]
