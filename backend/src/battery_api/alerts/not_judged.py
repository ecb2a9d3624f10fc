"""What the rules cannot judge of a battery at present, with the reason: silence of a rule must not pass for health.

It answers with the limits, gates and validity times of the judge itself, so that both agree.
"""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

import numpy as np
import numpy.typing as npt
from sqlalchemy.ext.asyncio import AsyncConnection

from battery_api.alerts.engine.comparison import MIN_COMPARED
from battery_api.alerts.engine.ladders import Gate, Rule, SubjectKind
from battery_api.alerts.engine.rules import RULES_OF
from battery_api.alerts.not_judged_repository import BatteryInputs, RuleInputs, StringInputs, read_rule_inputs
from battery_api.alerts.observations import gates_of
from battery_api.fleet.not_judged import JUDGED, REASONS, SIGNALS, NotJudgedBatteries
from battery_api.telemetry.ingest.judgement import OWN_TEMPERATURE_VALID_S, ROOM_VALID_S
from battery_api.telemetry.ingest.string_context import stale_after_us
from battery_api.telemetry.store.columns import BoolArray, IntArray
from battery_api.telemetry.store.instants import NEVER, microseconds, newest_at_or_before
from battery_api.telemetry.store.string_modes import is_settled
from battery_contracts.enums import JudgedSignal, NotJudgedReason, StringMode

_INPUTS: Final[Mapping[JudgedSignal, frozenset[str]]] = {
    JudgedSignal.VOLTAGE: frozenset({"voltage_v"}),
    JudgedSignal.VOLTAGE_VS_STRING: frozenset({"voltage_vs_string_v", "voltage_spread_v"}),
    JudgedSignal.DISCHARGE_VOLTAGE: frozenset({"voltage_v"}),
    JudgedSignal.TEMPERATURE: frozenset({"temperature_c"}),
    JudgedSignal.TEMPERATURE_OVER_ROOM: frozenset({"temperature_over_room_c"}),
    JudgedSignal.TEMPERATURE_OVER_STRING: frozenset({"temperature_over_string_c"}),
    JudgedSignal.RESISTANCE: frozenset({"resistance_drift_pct", "resistance_over_nominal_pct"}),
}


def rules_judging(signal: JudgedSignal) -> tuple[Rule, ...]:
    """Return the rules that judge a signal of a battery; the limits of a discharge are a signal of their own."""
    rules = [rule for rule in RULES_OF[SubjectKind.BATTERY] if rule.signal in _INPUTS[signal]]
    if signal is JudgedSignal.DISCHARGE_VOLTAGE:
        return tuple(rule for rule in rules if rule.gate is Gate.DISCHARGE)
    if signal is JudgedSignal.VOLTAGE:
        return tuple(rule for rule in rules if rule.gate is not Gate.DISCHARGE)
    return tuple(rules)


_GATES: Final = {signal: frozenset(rule.gate for rule in rules_judging(signal)) for signal in JudgedSignal}
_LONGEST_PAUSE_US: Final = {
    signal: round(max(rule.max_gap_s or 0.0 for rule in rules_judging(signal)) * 1e6) for signal in JudgedSignal
}
_ROOM_VALID_US: Final = round(ROOM_VALID_S * 1e6)
_OWN_TEMPERATURE_VALID_US: Final = round(OWN_TEMPERATURE_VALID_S * 1e6)


async def find_not_judged(
    connection: AsyncConnection,
    now: datetime,
    *,
    visible: Collection[str] | None = None,
    strings: Collection[str] | None = None,
) -> NotJudgedBatteries:
    """Find what the rules cannot judge of the batteries of locations and of strings by their codes, None for all."""
    inputs = await read_rule_inputs(connection, visible=visible, strings=strings)
    batteries = inputs.batteries
    return NotJudgedBatteries(
        battery_key=batteries.key,
        location_key=batteries.location_key,
        is_retired=batteries.is_retired,
        reason=reasons_of(inputs, microseconds(now)),
    )


def reasons_of(inputs: RuleInputs, now_us: int) -> npt.NDArray[np.int8]:
    """Return for batteries (n,) why their next reading cannot have each of the signals (s,) judged.

    A signal counts as judged while its newest value is no older than the pause that its rules bridge, its gate is open
    and what it is compared with is known.

    Returns
    -------
    Position in `REASONS` (n, s) of the first reason that holds, `JUDGED` where none does.
    """
    view = _View.of(inputs, now_us)
    reasons = np.full((len(inputs.batteries.key), len(SIGNALS)), JUDGED, np.int8)
    for column, signal in enumerate(SIGNALS):
        possible, holds = zip(*_possible_reasons(view, signal), strict=True)
        reasons[:, column] = np.select(holds, [REASONS.index(reason) for reason in possible], JUDGED)
    return reasons


@dataclass(frozen=True, slots=True, eq=False)
class _View:
    """Batteries (n,) and what the judge would know of their strings and rooms now."""

    now_us: int
    batteries: BatteryInputs
    stale_after_us: IntArray
    mode_since_us: IntArray
    is_gate_open: Mapping[Gate, BoolArray]
    is_mode_followed: BoolArray
    is_room_known: BoolArray

    @classmethod
    def of(cls, inputs: RuleInputs, now_us: int) -> "_View":
        batteries, strings = inputs.batteries, inputs.strings
        string = batteries.string
        limit_us = stale_after_us(batteries.interval_s)
        has_current = np.zeros(len(strings.mode), np.bool_)
        has_current[string[now_us - batteries.own_current_us <= limit_us]] = True
        return cls(
            now_us=now_us,
            batteries=batteries,
            stale_after_us=limit_us,
            mode_since_us=strings.mode_since_us[string],
            is_gate_open={gate: is_open[string] for gate, is_open in _open_gates(strings, now_us).items()},
            is_mode_followed=_is_mode_followed(strings, has_current, now_us)[string],
            is_room_known=now_us - strings.room_us[string] <= _ROOM_VALID_US,
        )

    def is_settled(self, signal: JudgedSignal) -> BoolArray:
        """Return whether one of the gates of a signal is open (n,)."""
        is_open: BoolArray = np.any([self.is_gate_open[gate] for gate in _GATES[signal]], axis=0)
        return is_open

    def has_peers(self, measured_us: IntArray) -> BoolArray:
        """Return whether enough batteries of the string measured a channel of late and in its mode of now (n,)."""
        string = self.batteries.string
        order = np.lexsort((measured_us, string))
        oldest_us = np.maximum(self.now_us - self.stale_after_us, self.mode_since_us)
        before = newest_at_or_before(string[order], measured_us[order], string, oldest_us - 1)
        first, end = (np.searchsorted(string[order], string, side) for side in ("left", "right"))
        enough: BoolArray = end - np.where(before < 0, first, before + 1) >= MIN_COMPARED
        return enough


def _possible_reasons(view: _View, signal: JudgedSignal) -> Iterator[tuple[NotJudgedReason, BoolArray]]:
    """Yield the reasons for which a signal may not be judged, and for which batteries (n,) each holds.

    The first that holds is the one to tell.
    """
    measured_us = _measured_us(view.batteries, signal)
    bridged_us = np.maximum(view.stale_after_us, _LONGEST_PAUSE_US[signal])
    yield NotJudgedReason.RETIRED, view.batteries.is_retired
    yield NotJudgedReason.NEVER_MEASURED, measured_us == NEVER
    yield NotJudgedReason.READING_TOO_OLD, view.now_us - measured_us > bridged_us
    if signal is JudgedSignal.DISCHARGE_VOLTAGE:
        yield NotJudgedReason.NO_CURRENT, ~view.is_mode_followed
        return
    yield NotJudgedReason.NOT_SETTLED, ~view.is_settled(signal)
    if signal in {JudgedSignal.VOLTAGE_VS_STRING, JudgedSignal.TEMPERATURE_OVER_STRING}:
        yield NotJudgedReason.TOO_FEW_PEERS, ~view.has_peers(measured_us)
    if signal is JudgedSignal.TEMPERATURE_OVER_ROOM:
        yield NotJudgedReason.NO_ROOM_TEMPERATURE, ~view.is_room_known
    if signal is JudgedSignal.RESISTANCE:
        yield NotJudgedReason.NO_TEMPERATURE, _is_temperature_missing(view)


def _measured_us(batteries: BatteryInputs, signal: JudgedSignal) -> IntArray:
    if signal is JudgedSignal.RESISTANCE:
        return batteries.resistance_us
    if signal in {JudgedSignal.VOLTAGE, JudgedSignal.VOLTAGE_VS_STRING, JudgedSignal.DISCHARGE_VOLTAGE}:
        return batteries.voltage_us
    return batteries.temperature_us


def _is_temperature_missing(view: _View) -> BoolArray:
    """Return whether nothing refers the resistance to 25 °C (n,): without a usable baseline the nameplate judges it."""
    is_own_known = view.now_us - view.batteries.temperature_us <= _OWN_TEMPERATURE_VALID_US
    return np.isnan(view.batteries.resistance_temperature_c) & ~is_own_known & ~view.is_room_known


def _open_gates(strings: StringInputs, now_us: int) -> dict[Gate, BoolArray]:
    """Return for strings (k,) whether each gate is open."""
    on_float = np.array([mode in {None, StringMode.FLOAT} for mode in strings.mode], np.bool_)
    times_us = np.full(len(on_float), now_us)
    settled = is_settled(on_float, strings.mode_since_us, strings.discharged_us, times_us)
    return {Gate.ALWAYS: np.ones(len(on_float), np.bool_)} | gates_of(strings.mode, settled)


def _is_mode_followed(strings: StringInputs, has_current: BoolArray, now_us: int) -> BoolArray:
    """Return for strings (k,) whether a discharge would be noticed.

    It is from the current of the string or of a battery (``has_current``), or from a reported mode. A string that never
    sent a current can have its mode from its reports alone; of one that did, only the current counts.
    """
    has_mode = np.array([mode is not None for mode in strings.mode], np.bool_)
    followed_us = np.where(strings.current_us == NEVER, strings.reading_us, strings.current_us)
    is_followed: BoolArray = has_mode & (has_current | (now_us - followed_us <= stale_after_us(strings.interval_s)))
    return is_followed
