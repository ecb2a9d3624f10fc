"""Judge whether each reading can be a measurement: known, permitted, finite, in scale, in time, once.

A *dangerous* value is not a *wrong* value: 0 V, cell reversal and 70 °C pass, flagged.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

import numpy as np

from battery_api.accounts.principal import Principal
from battery_api.telemetry.fleet_index import FleetIndex
from battery_api.telemetry.instants import microseconds
from battery_api.telemetry.rows import BoolArray, FloatArray, IntArray, ParsedBatch, Rows
from battery_contracts.channels import Channel
from battery_contracts.enums import ReadingQuality, RejectCode
from battery_contracts.telemetry import Rejection

DANGEROUS_BELOW_V: Final = 1.0
"""A 12 V block near or below zero is shorted, open or reversed."""
DANGEROUS_ABOVE_V: Final = 16.0
"""Above any charging voltage of a 12 V block: gassing without bound."""
DANGEROUS_ABOVE_C: Final = 60.0
"""Past this a VRLA block is close to thermal runaway."""


@dataclass(frozen=True, slots=True)
class Clock:
    """The present as the checks see it, in microseconds since 1970."""

    now_us: int
    latest_us: int
    oldest_us: int

    @classmethod
    def at(cls, now: datetime, *, max_lead_s: float, retention_days: int) -> "Clock":
        """Set the window of acceptable times around the present."""
        now_us = microseconds(now)
        return cls(now_us, now_us + round(max_lead_s * 1e6), microseconds(now - timedelta(days=retention_days)))


@dataclass(frozen=True, slots=True)
class CheckedRows:
    """Readings of one kind that passed, sorted by subject and time; ``place`` is that of the fleet index."""

    place: IntArray
    time_us: IntArray
    values: Mapping[str, FloatArray]
    words: Mapping[str, Sequence[Any]]

    def __len__(self) -> int:
        return len(self.place)


@dataclass(frozen=True, slots=True)
class CheckedBatch:
    """A batch after the checks."""

    batteries: CheckedRows
    strings: CheckedRows
    sites: CheckedRows
    rejected: list[Rejection]
    repeated_count: int
    """Exact repeats within the batch, counted as duplicates."""
    repeated: list[tuple[int, int]] = field(default_factory=list)
    """Place and time [us] of the repeated battery readings."""
    refused: list[tuple[int, int]] = field(default_factory=list)
    """Place and time [us] of the refused readings of known batteries."""


def check_batch(batch: ParsedBatch, fleet: FleetIndex, principal: Principal, clock: Clock) -> CheckedBatch:
    """Sift the readings of a batch; each refused one gets exactly one reason."""
    rejected = list(batch.rejected)
    batteries = _Sieve(batch.batteries, fleet, principal, clock, rejected)
    strings = _Sieve(batch.strings, fleet, principal, clock, rejected)
    sites = _Sieve(batch.sites, fleet, principal, clock, rejected)
    checked = CheckedBatch(
        batteries=batteries.sift(),
        strings=strings.sift(),
        sites=sites.sift(),
        rejected=rejected,
        repeated_count=len(batteries.repeated) + len(strings.repeated) + len(sites.repeated),
        repeated=batteries.repeated,
        refused=batteries.refused + _refused_while_parsing(batch, fleet, principal, clock),
    )
    order = {"readings": 0, "columns": 1, "string_readings": 2, "site_readings": 3}
    rejected.sort(key=lambda rejection: (order[rejection.list], rejection.index))
    return checked


def _refused_while_parsing(
    batch: ParsedBatch, fleet: FleetIndex, principal: Principal, clock: Clock
) -> list[tuple[int, int]]:
    places = fleet.place["battery"]
    known = [places[code] for code in batch.unreadable_batteries if code in places]
    return [(place, clock.now_us) for place in known if principal.may_see(fleet.batteries[place].location_code)]


class _Sieve:
    """Runs the checks over the readings of one kind, cheapest and most telling first."""

    def __init__(
        self, rows: Rows, fleet: FleetIndex, principal: Principal, clock: Clock, rejected: list[Rejection]
    ) -> None:
        self._rows = rows
        self._fleet = fleet
        self._principal = principal
        self._clock = clock
        self._rejected = rejected
        self._kind = rows.shape.kind
        get = fleet.place[self._kind].get
        self._place = np.array([get(code, -1) for code in rows.code], np.int64)
        self._alive = np.ones(len(rows), bool)
        self._foreign = np.zeros(len(rows), bool)
        self.repeated: list[tuple[int, int]] = []
        self.refused: list[tuple[int, int]] = []

    def sift(self) -> CheckedRows:
        """Run every check and return what passed."""
        self._check_identity()
        self._check_values()
        self._check_time()
        order = np.lexsort((self._rows.time_us, self._place))
        order = self._drop_repeats(order[self._alive[order]])
        return _take(self._rows, self._place, order)

    def _refuse(self, mask: BoolArray, code: RejectCode, detail: Callable[[int], str]) -> None:
        mask = mask & self._alive
        if not mask.any():
            return
        self._alive &= ~mask
        for position in np.flatnonzero(mask).tolist():
            self._rejected.append(self._rows.rejection(position, code, detail(position)))
            place = int(self._place[position])
            if self._kind == "battery" and place >= 0 and not self._foreign[position]:
                outside = code in {RejectCode.FUTURE, RejectCode.TOO_OLD}
                at = self._clock.now_us if outside else int(self._rows.time_us[position])
                self.refused.append((place, at))

    def _check_identity(self) -> None:
        self._refuse(
            self._place < 0,
            RejectCode.UNKNOWN_ID,
            lambda at: f"no {self._kind} has the id {self._rows.code[at][:60]!r}",
        )
        allowed = self._principal.location_codes
        if allowed is not None and len(self._rows):
            visible = np.array([entry.code in allowed for entry in self._fleet.locations], bool)
            location = self._fleet.location_of[self._kind][np.maximum(self._place, 0)]
            self._foreign = (self._place >= 0) & ~visible[location]
            self._refuse(
                self._foreign,
                RejectCode.NOT_PERMITTED,
                lambda at: f"you may not write to the location of {self._rows.code[at]}",
            )

    def _check_values(self) -> None:
        present = np.zeros(len(self._rows), bool)
        for channel in self._rows.shape.channels:
            values = self._rows.values[channel.name]
            self._refuse(np.isinf(values), RejectCode.NOT_FINITE, lambda _, c=channel: f"{c.name} is not finite")  # type: ignore[misc]
            present |= ~np.isnan(values)
            self._check_limits(channel, values)
        for words in self._rows.words.values():
            present |= np.array([word is not None for word in words], bool)
        self._refuse(~present, RejectCode.NO_VALUES, lambda _: "the reading carries no value")

    def _check_limits(self, channel: Channel, values: FloatArray) -> None:
        outside = (values < channel.low) | (values > channel.high)
        if not outside.any():
            return
        limits = f"{channel.low:g} to {channel.high:g} {channel.unit}"
        if channel.scale_hint is not None:
            repaired = np.abs(values * channel.scale_hint)
            plausible = outside & (repaired <= channel.high) & (repaired >= 1.0)
            self._refuse(
                plausible,
                RejectCode.WRONG_SCALE,
                lambda at: f"{channel.name} {values[at]:g} looks like {channel.scale_hint_unit}; send {channel.unit}",
            )
        hint = (
            f" (sent in {channel.scale_hint_unit}?)" if channel.scale_hint is None and channel.scale_hint_unit else ""
        )
        self._refuse(
            outside,
            RejectCode.OUT_OF_RANGE,
            lambda at: f"{channel.name} {values[at]:g} is outside {limits}{hint}",
        )

    def _check_time(self) -> None:
        times, clock = self._rows.time_us, self._clock
        self._refuse(
            times > clock.latest_us,
            RejectCode.FUTURE,
            lambda at: f"{(int(times[at]) - clock.now_us) / 1e6:.0f} s ahead of the gateway's clock; set the sender's",
        )
        self._refuse(
            times < clock.oldest_us, RejectCode.TOO_OLD, lambda _: "older than the retention of the telemetry store"
        )
        if self._kind == "battery" and len(self._fleet.installed_us):
            # What an earlier block at the position measured is not this block's history.
            installed = self._fleet.installed_us[np.maximum(self._place, 0)]
            self._refuse(
                (self._place >= 0) & (times < installed),
                RejectCode.TOO_OLD,
                lambda at: f"before {self._rows.code[at]} was installed",
            )

    def _drop_repeats(self, order: IntArray) -> IntArray:
        """Keep the first reading of a subject at an instant; equal ones are repeats, others contradict it."""
        place, times = self._place[order], self._rows.time_us[order]
        follows = np.zeros(len(order), bool)
        follows[1:] = (place[1:] == place[:-1]) & (times[1:] == times[:-1])
        if not follows.any():
            return order
        first = np.maximum.accumulate(np.where(follows, 0, np.arange(len(order))))
        equal = np.ones(len(order), bool)
        for values in self._rows.values.values():
            mine, other = values[order], values[order[first]]
            equal &= (mine == other) | (np.isnan(mine) & np.isnan(other))
        for words in self._rows.words.values():
            equal &= np.array([words[a] == words[b] for a, b in zip(order, order[first], strict=True)], bool)
        contradicts = np.zeros(len(self._rows), bool)
        contradicts[order[follows & ~equal]] = True
        self._refuse(
            contradicts,
            RejectCode.REPEATED_IN_BATCH,
            lambda at: f"another reading of {self._rows.code[at]} at this time came first, with other values",
        )
        repeats = order[follows & equal]
        self.repeated = [(int(self._place[at]), int(self._rows.time_us[at])) for at in repeats]
        kept: IntArray = order[~follows]
        return kept


def _take(rows: Rows, place: IntArray, order: IntArray) -> CheckedRows:
    return CheckedRows(
        place=place[order],
        time_us=rows.time_us[order],
        values={name: values[order] for name, values in rows.values.items()},
        words={name: [words[at] for at in order.tolist()] for name, words in rows.words.items()},
    )


def quality_of(values: Mapping[str, FloatArray]) -> IntArray:
    """Return the quality flags that batteries' own values earn."""
    voltage, temperature = values["voltage_v"], values["temperature_c"]
    dangerous = (voltage < DANGEROUS_BELOW_V) | (voltage > DANGEROUS_ABOVE_V) | (temperature > DANGEROUS_ABOVE_C)
    flags: IntArray = np.where(dangerous, int(ReadingQuality.DANGEROUS), 0)
    flags |= np.where(np.isnan(voltage), int(ReadingQuality.VOLTAGE_MISSING), 0)
    return flags
