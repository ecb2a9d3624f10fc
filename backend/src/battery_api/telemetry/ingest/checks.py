"""Check whether each reading can be a measurement: known, permitted, finite, in scale, in time, and sent once.

A *dangerous* value is not a *wrong* value: 0 V, cell reversal and 70 °C are accepted and flagged.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any, Final

import numpy as np

from battery_api.accounts.principal import Principal
from battery_api.telemetry.ingest.plausibility import Plausibility
from battery_api.telemetry.ingest.readings import ParsedBatch, ParsedRows
from battery_api.telemetry.store.columns import BoolArray, FloatArray, IntArray, as_stored
from battery_api.telemetry.store.fleet_index import FleetIndex
from battery_api.telemetry.store.indices import FleetSlots
from battery_api.telemetry.store.instants import instant, microseconds
from battery_contracts.channels import Channel
from battery_contracts.enums import ReadingQuality, RejectCode
from battery_contracts.telemetry import LeftOutValue, Rejection

DANGEROUS_BELOW_V: Final = 1.0
"""A 12 V block near or below zero is shorted, open or reversed."""
DANGEROUS_ABOVE_V: Final = 16.0
"""Above any charging voltage of a 12 V block: the block gasses heavily."""
DANGEROUS_ABOVE_C: Final = 60.0
"""Above this a VRLA block is close to thermal runaway."""
MAX_READINGS_OF_AN_INSTANT: Final = 8
"""Different readings of one subject and instant that a batch may hold: one message per channel, and corrections."""


@dataclass(frozen=True, slots=True)
class TimeWindow:
    """The present and the range of acceptable times, in microseconds since 1970."""

    now_us: int
    latest_us: int
    oldest_us: int

    @classmethod
    def around(cls, now: datetime, *, max_lead_s: float, retention_days: int) -> "TimeWindow":
        """Return the window around the present."""
        now_us = microseconds(now)
        return cls(now_us, now_us + round(max_lead_s * 1e6), microseconds(now - timedelta(days=retention_days)))


@dataclass(frozen=True, slots=True)
class ValidRows:
    """Accepted readings (m,) of one kind, sorted by fleet slot and time."""

    slot: FleetSlots
    time_us: IntArray
    values: Mapping[str, FloatArray]
    categories: Mapping[str, Sequence[Any]]

    def __len__(self) -> int:
        return len(self.slot)

    @property
    def none(self) -> "ValidRows":
        """The same columns without any reading."""
        return ValidRows(
            slot=FleetSlots(self.slot[:0]),
            time_us=self.time_us[:0],
            values={name: column[:0] for name, column in self.values.items()},
            categories={name: [] for name in self.categories},
        )


@dataclass(frozen=True, slots=True)
class DroppedReadings:
    """Battery and time of battery readings (m,) that do not reach the store."""

    slot: FleetSlots
    time_us: IntArray

    @classmethod
    def of(cls, pairs: Sequence[tuple[int, int]]) -> "DroppedReadings":
        """Build the arrays of (fleet slot, time [us]) pairs."""
        table = np.array(pairs, np.int64).reshape(-1, 2)
        return cls(FleetSlots(table[:, 0]), table[:, 1])


@dataclass(frozen=True, slots=True)
class ValidatedBatch:
    """A batch after the checks."""

    batteries: ValidRows
    strings: ValidRows
    locations: ValidRows
    rejected: list[Rejection]
    left_out: list[LeftOutValue]
    """Values that were left out of accepted readings."""
    repeated_count: int
    """Exact repeats within the batch, of every kind, counted as duplicates."""
    repeated_batteries: DroppedReadings
    rejected_batteries: DroppedReadings
    """Rejected readings of batteries that exist and that the sender may write to."""
    ahead_of_clock: Mapping[int, float] = field(default_factory=dict)
    """By fleet slot, how far the refused readings of batteries were ahead of the gateway's clock [s]."""
    further: "Sequence[ValidatedBatch]" = ()
    """Second and later readings of an instant, to be stored after the first as if they came in a batch of their own."""


def validate_batch(batch: ParsedBatch, fleet: FleetIndex, principal: Principal, window: TimeWindow) -> ValidatedBatch:
    """Check the readings of a batch; each rejected one gets exactly one reason."""
    rejected = list(batch.rejected)
    batteries = _Validator(batch.batteries, fleet, principal, window, rejected)
    strings = _Validator(batch.strings, fleet, principal, window, rejected)
    locations = _Validator(batch.locations, fleet, principal, window, rejected)
    parts = [batteries.validate(), strings.validate(), locations.validate()]
    first, *further = [_layer(parts, depth) for depth in range(max(map(len, parts)))]
    validated = replace(
        first,
        rejected=rejected,
        left_out=[*batteries.left_out, *strings.left_out, *locations.left_out],
        repeated_count=len(batteries.repeated) + len(strings.repeated) + len(locations.repeated),
        repeated_batteries=DroppedReadings.of(batteries.repeated),
        rejected_batteries=DroppedReadings.of(
            batteries.rejected_slots + _rejected_by_parser(batch, fleet, principal, window)
        ),
        ahead_of_clock=batteries.ahead_of_clock,
        further=further,
    )
    order = {"readings": 0, "columns": 1, "string_readings": 2, "site_readings": 3}
    rejected.sort(key=lambda rejection: (order[rejection.list], rejection.index))
    return validated


def _layer(parts: Sequence[Sequence[ValidRows]], depth: int) -> ValidatedBatch:
    """Return the readings at one depth: 0 for the first of each instant, 1 for the second, and so on."""
    batteries, strings, locations = (part[depth] if depth < len(part) else part[0].none for part in parts)
    nothing = DroppedReadings.of([])
    return ValidatedBatch(batteries, strings, locations, [], [], 0, nothing, nothing)


def _rejected_by_parser(
    batch: ParsedBatch, fleet: FleetIndex, principal: Principal, window: TimeWindow
) -> list[tuple[int, int]]:
    index = fleet.batteries
    slots = [index.slot_of[code] for code in batch.unreadable_battery_codes if code in index.slot_of]
    return [(slot, window.now_us) for slot in slots if principal.may_see(index.entries[slot].location_code)]


class _Validator:
    """Checks the readings of one kind, the cheapest and most telling check first."""

    def __init__(
        self, rows: ParsedRows, fleet: FleetIndex, principal: Principal, window: TimeWindow, rejected: list[Rejection]
    ) -> None:
        self._rows = rows
        self._fleet = fleet
        self._principal = principal
        self._window = window
        self._rejected = rejected
        self._kind = rows.shape.kind
        self._index = fleet.of_kind(self._kind)
        get = self._index.slot_of.get
        self._slot = np.array([get(code, -1) for code in rows.code], np.int64)
        self._is_valid = np.ones(len(rows), bool)
        self._is_forbidden = np.zeros(len(rows), bool)
        self._plausibility = Plausibility(rows, self._slot, fleet)
        self._unavailable: list[tuple[int, LeftOutValue]] = []
        self.repeated: list[tuple[int, int]] = []
        """Fleet slot and time of the exact repeats."""
        self.ahead_of_clock: dict[int, float] = {}
        """By fleet slot, how far the battery's refused readings were ahead of the clock [s]."""
        self.rejected_slots: list[tuple[int, int]] = []
        """Fleet slot and time of the rejected readings of batteries that the sender may write to."""

    def validate(self) -> list[ValidRows]:
        """Run every check; return the accepted rows, each further reading of an instant in a part of its own."""
        self._check_identity()
        self._leave_out_unavailable()
        self._check_values()
        self._check_time()
        order = np.lexsort((self._rows.time_us, self._slot))
        return [self._take(part) for part in self._split_instants(order[self._is_valid[order]])]

    @property
    def left_out(self) -> list[LeftOutValue]:
        """Values that were left out of readings which are not rejected themselves."""
        return [value for row, value in self._unavailable if self._is_valid[row]]

    def _leave_out_unavailable(self) -> None:
        """Take out values that stand for "not available"; a reading without any other value is rejected.

        The monitor itself says that it did not measure them, so they cast no doubt on the others: a battery whose
        temperature sensor is unplugged keeps the watch over its voltage. A value in a wrong scale or out of range does
        cast doubt on its sender, and rejects the whole reading.
        """
        rows = self._rows
        masks = {
            channel.name: self._plausibility.is_not_available(channel, rows.values[channel.name])
            for channel in rows.shape.channels
        }
        masks = {name: mask for name, mask in masks.items() if mask.any()}
        if not masks:
            return
        values = {
            name: np.where(masks[name], np.nan, column) if name in masks else column
            for name, column in rows.values.items()
        }
        self._rows = replace(rows, values=values)
        has_value = self._has_value()
        for name, mask in masks.items():
            details = {
                row: f"{name} {rows.values[name][row]:.12g} is a register's 'not available' value; leave the field out"
                for row in np.flatnonzero(mask & self._is_valid).tolist()
            }
            self._reject(mask & ~has_value, RejectCode.NOT_AVAILABLE, details.__getitem__)
            self._unavailable += [(row, rows.left_out(row, name, detail)) for row, detail in details.items()]

    def _has_value(self) -> BoolArray:
        has_value = np.zeros(len(self._rows), bool)
        for values in self._rows.values.values():
            has_value |= ~np.isnan(values)
        for column in self._rows.categories.values():
            has_value |= np.array([value is not None for value in column], bool)
        return has_value

    def _reject(self, mask: BoolArray, code: RejectCode, detail: Callable[[int], str]) -> None:
        mask = mask & self._is_valid
        if not mask.any():
            return
        self._is_valid &= ~mask
        for row in np.flatnonzero(mask).tolist():
            self._rejected.append(self._rows.rejection(row, code, detail(row)))
            slot = int(self._slot[row])
            if self._kind == "battery" and slot >= 0 and not self._is_forbidden[row]:
                # A time outside the window is no day to count the reading on.
                is_outside = code in {RejectCode.FUTURE, RejectCode.TOO_OLD}
                time_us = self._window.now_us if is_outside else int(self._rows.time_us[row])
                if code is RejectCode.FUTURE:
                    self.ahead_of_clock[slot] = (int(self._rows.time_us[row]) - self._window.now_us) / 1e6
                self.rejected_slots.append((slot, time_us))

    def _check_identity(self) -> None:
        allowed = self._principal.location_codes
        where = ""
        if allowed is not None and len(self._rows):
            # Known or not, what lies elsewhere gets the same answer: a key must not find out which ids exist.
            where = " in your locations"
            is_visible = np.array([entry.code in allowed for entry in self._fleet.locations.entries], bool)
            location = self._index.location[np.maximum(self._slot, 0)]
            self._is_forbidden = (self._slot >= 0) & ~is_visible[location]
        self._reject(
            (self._slot < 0) | self._is_forbidden,
            RejectCode.UNKNOWN_ID,
            lambda row: f"no {self._kind}{where} has the id {self._rows.code[row][:60]!r}",
        )

    def _check_values(self) -> None:
        for channel in self._rows.shape.channels:
            values = self._rows.values[channel.name]
            detail = f"{channel.name} is not finite"
            self._reject(np.isinf(values), RejectCode.NOT_FINITE, lambda _, detail=detail: detail)  # type: ignore[misc]  # mypy infers no default in a lambda
            self._check_limits(channel, values)
            self._check_nameplate(channel, values)
        self._reject(~self._has_value(), RejectCode.NO_VALUES, lambda _: "the reading carries no value")

    def _check_limits(self, channel: Channel, values: FloatArray) -> None:
        is_outside = (values < channel.low) | (values > channel.high)
        if not is_outside.any():
            return
        limits = f"{channel.low:g} to {channel.high:g} {channel.unit}"
        if channel.scale_hint is not None:
            rescaled = np.abs(values * channel.scale_hint)
            is_plausible = is_outside & (rescaled <= channel.high) & (rescaled >= 1.0)
            self._reject(
                is_plausible,
                RejectCode.WRONG_SCALE,
                lambda row: f"{channel.name} {values[row]:g} looks like {channel.scale_hint_unit}; send {channel.unit}",
            )
        hint = (
            f" (sent in {channel.scale_hint_unit}?)" if channel.scale_hint is None and channel.scale_hint_unit else ""
        )
        self._reject(
            is_outside,
            RejectCode.OUT_OF_RANGE,
            lambda row: f"{channel.name} {values[row]:g} is outside {limits}{hint}",
        )

    def _check_nameplate(self, channel: Channel, values: FloatArray) -> None:
        self._reject(
            self._plausibility.is_beyond_nameplate(channel, values),
            RejectCode.OUT_OF_RANGE,
            lambda row: (
                f"{channel.name} {values[row]:g} is outside {self._plausibility.nameplate_limits(channel, row)}"
            ),
        )

    def _check_time(self) -> None:
        times, window = self._rows.time_us, self._window
        self._reject(
            times > window.latest_us,
            RejectCode.FUTURE,
            lambda row: (
                f"{(int(times[row]) - window.now_us) / 1e6:.0f} s ahead of the gateway's clock; set the sender's clock"
            ),
        )
        self._reject(
            times < window.oldest_us, RejectCode.TOO_OLD, lambda _: "older than the retention of the telemetry store"
        )
        self._check_retirement(times)
        if self._kind == "battery" and len(self._fleet.installed_us):
            # What an earlier battery at the position measured is not this battery's history.
            installed = self._fleet.installed_us[np.maximum(self._slot, 0)]
            self._reject(
                (self._slot >= 0) & (times < installed),
                RejectCode.TOO_OLD,
                lambda row: f"before {self._rows.code[row]} was installed",
            )

    def _check_retirement(self, times: IntArray) -> None:
        if not len(self._index.entries):
            return
        retired_us = self._index.retired_us[np.maximum(self._slot, 0)]
        self._reject(
            (self._slot >= 0) & (times > retired_us),
            RejectCode.RETIRED,
            lambda row: (
                f"{self._rows.code[row]} was retired at {instant(int(retired_us[row])):%Y-%m-%d %H:%M} UTC by "
                f"{self._index.retired_by[int(self._slot[row])]}; an administrator can bring it back into service "
                "(unretire, or a fleet import)"
            ),
        )

    def _split_instants(self, order: IntArray) -> list[IntArray]:
        """Split rows so that each part holds one reading of a subject and instant, in the order they were sent.

        A reading that says the same as the one before it is a repeat and goes no further.
        """
        follows = self._follows(order)
        if not follows.any():
            return [order]
        is_repeat = follows & self._equals_previous(order)
        repeats = order[is_repeat]
        self.repeated = [(int(self._slot[row]), int(self._rows.time_us[row])) for row in repeats]
        kept = order[~is_repeat]
        begins = np.flatnonzero(~self._follows(kept))
        rank = np.arange(len(kept)) - np.repeat(begins, np.diff(np.append(begins, len(kept))))
        surplus = np.zeros(len(self._rows), bool)
        surplus[kept[rank >= MAX_READINGS_OF_AN_INSTANT]] = True
        self._reject(
            surplus,
            RejectCode.REPEATED_IN_BATCH,
            lambda row: (
                f"the batch holds more than {MAX_READINGS_OF_AN_INSTANT} different readings of {self._rows.code[row]} "
                "at this time; send the time of each measurement"
            ),
        )
        count = min(int(rank.max(initial=0)) + 1, MAX_READINGS_OF_AN_INSTANT)
        return [kept[rank == number] for number in range(count)]

    def _follows(self, order: IntArray) -> BoolArray:
        """Return for sorted rows whether each has the subject and instant of the row before it."""
        slot, times = self._slot[order], self._rows.time_us[order]
        follows = np.zeros(len(order), bool)
        follows[1:] = (slot[1:] == slot[:-1]) & (times[1:] == times[:-1])
        return follows

    def _equals_previous(self, order: IntArray) -> BoolArray:
        previous = np.concatenate([order[:1], order[:-1]])
        is_equal = np.ones(len(order), bool)
        for values in self._rows.values.values():
            own, other = values[order], values[previous]
            is_equal &= (own == other) | (np.isnan(own) & np.isnan(other))
        for column in self._rows.categories.values():
            is_equal &= np.array([column[a] == column[b] for a, b in zip(order, previous, strict=True)], bool)
        return is_equal

    def _take(self, order: IntArray) -> ValidRows:
        return ValidRows(
            slot=FleetSlots(self._slot[order]),
            time_us=self._rows.time_us[order],
            values={name: as_stored(values[order]) for name, values in self._rows.values.items()},
            categories={
                name: [column[row] for row in order.tolist()] for name, column in self._rows.categories.items()
            },
        )


def quality_of(values: Mapping[str, FloatArray]) -> IntArray:
    """Return the quality flags (m,) that follow from the values of battery readings."""
    voltage, temperature = values["voltage_v"], values["temperature_c"]
    is_dangerous = (voltage < DANGEROUS_BELOW_V) | (voltage > DANGEROUS_ABOVE_V) | (temperature > DANGEROUS_ABOVE_C)
    flags: IntArray = np.where(is_dangerous, int(ReadingQuality.DANGEROUS), 0)
    flags |= np.where(np.isnan(voltage), int(ReadingQuality.VOLTAGE_MISSING), 0)
    return flags
