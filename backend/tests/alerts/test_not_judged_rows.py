"""The decision on columns is the one that plain rules take battery by battery."""

import random
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pytest

from battery_api.alerts.not_judged import reasons_of
from battery_api.alerts.not_judged_repository import BatteryInputs, RuleInputs, StringInputs
from battery_api.fleet.not_judged import JUDGED, REASONS, SIGNALS, NotJudgedBatteries
from battery_api.fleet.schemas import NotJudged
from battery_api.telemetry.store.columns import IntArray
from battery_api.telemetry.store.instants import NEVER, microseconds
from battery_contracts.enums import JudgedSignal, NotJudgedReason, StringMode

from .world import NOW

NOW_US = microseconds(NOW)
HOUR_S = 3600.0
DAY_S = 24 * HOUR_S
AGES_S = (None, 0.0, 10.0, 300.0, 300.000001, 900.0, HOUR_S, HOUR_S + 1, DAY_S, 2 * DAY_S, 2 * DAY_S + 1, 3 * DAY_S)
LONG_AGES_S = (None, 10.0, 300.0, 2 * DAY_S, 3 * DAY_S - 1, 3 * DAY_S, 4 * DAY_S, 6 * DAY_S, 8 * DAY_S, 8 * DAY_S + 1)
INTERVALS_S = (None, 60.0, 60.0, 300.0, DAY_S)
MODES = (None, StringMode.FLOAT, StringMode.FLOAT, *StringMode)
VOLTAGES = {JudgedSignal.VOLTAGE, JudgedSignal.VOLTAGE_VS_STRING, JudgedSignal.DISCHARGE_VOLTAGE}


@dataclass
class StringRow:
    """A string; ages in seconds before now, None for never."""

    mode: StringMode | None
    in_mode_s: float | None
    discharged_s: float | None
    reading_s: float | None
    current_s: float | None
    interval_s: float | None
    room_s: float | None


@dataclass
class BatteryRow:
    """A battery; ages in seconds before now, None for never."""

    string: int
    is_retired: bool
    interval_s: float | None
    voltage_s: float | None
    temperature_s: float | None
    resistance_s: float | None
    resistance_temperature_c: float | None
    own_current_s: float | None


@dataclass
class State:
    """Random strings with few batteries each, whose rows are in no order of strings."""

    strings: Sequence[StringRow]
    batteries: Sequence[BatteryRow]

    @classmethod
    def random(cls, choose: random.Random) -> "State":
        strings = [
            StringRow(
                mode=choose.choice(MODES),
                in_mode_s=choose.choice(LONG_AGES_S),
                discharged_s=choose.choice((None, *LONG_AGES_S)),
                reading_s=choose.choice(AGES_S),
                current_s=choose.choice((None, *AGES_S)),
                interval_s=choose.choice(INTERVALS_S),
                room_s=choose.choice(AGES_S),
            )
            for _ in range(40)
        ]
        fresh = (0.0,) * len(AGES_S)
        batteries = [
            BatteryRow(
                string=string,
                is_retired=choose.random() < 0.1,
                interval_s=choose.choice(INTERVALS_S),
                voltage_s=choose.choice(AGES_S + fresh),
                temperature_s=choose.choice(AGES_S + fresh),
                resistance_s=choose.choice(LONG_AGES_S),
                resistance_temperature_c=choose.choice((None, 25.0)),
                own_current_s=choose.choice((None, None, *AGES_S)),
            )
            for string in range(len(strings))
            for _ in range(choose.randint(1, 7))
        ]
        choose.shuffle(batteries)
        return cls(strings, batteries)

    def inputs(self) -> RuleInputs:
        """Return the state as columns."""
        strings, batteries = self.strings, self.batteries
        return RuleInputs(
            BatteryInputs(
                key=np.arange(len(batteries)),
                location_key=np.zeros(len(batteries), np.int64),
                is_retired=np.array([one.is_retired for one in batteries], np.bool_),
                string=np.array([one.string for one in batteries], np.int64),
                interval_s=np.array([one.interval_s for one in batteries], np.float64),
                voltage_us=instants_us([one.voltage_s for one in batteries]),
                temperature_us=instants_us([one.temperature_s for one in batteries]),
                resistance_us=instants_us([one.resistance_s for one in batteries]),
                resistance_temperature_c=np.array([one.resistance_temperature_c for one in batteries], np.float64),
                own_current_us=instants_us([one.own_current_s for one in batteries]),
            ),
            StringInputs(
                mode=[one.mode for one in strings],
                mode_since_us=instants_us([one.in_mode_s for one in strings]),
                discharged_us=instants_us([one.discharged_s for one in strings]),
                reading_us=instants_us([one.reading_s for one in strings]),
                current_us=instants_us([one.current_s for one in strings]),
                interval_s=np.array([one.interval_s for one in strings], np.float64),
                room_us=instants_us([one.room_s for one in strings]),
            ),
        )

    def reason(self, battery: BatteryRow, signal: JudgedSignal) -> NotJudgedReason | None:
        """Return why a signal of a battery is not judged, None if it is."""
        string = self.strings[battery.string]
        measured_s = battery.resistance_s
        if signal is not JudgedSignal.RESISTANCE:
            measured_s = battery.voltage_s if signal in VOLTAGES else battery.temperature_s
        # The rules of the resistance bridge eight days without a measurement.
        longest_s = max(stale_s(battery.interval_s), 8 * DAY_S if signal is JudgedSignal.RESISTANCE else 0.0)
        if battery.is_retired:
            return NotJudgedReason.RETIRED
        if measured_s is None:
            return NotJudgedReason.NEVER_MEASURED
        if measured_s > longest_s:
            return NotJudgedReason.READING_TOO_OLD
        if signal is JudgedSignal.DISCHARGE_VOLTAGE:
            return None if self.is_mode_followed(battery.string) else NotJudgedReason.NO_CURRENT
        if not is_gate_open(string, signal):
            return NotJudgedReason.NOT_SETTLED
        return self.missing_reference(battery, signal)

    def missing_reference(self, battery: BatteryRow, signal: JudgedSignal) -> NotJudgedReason | None:
        string = self.strings[battery.string]
        members = [one for one in self.batteries if one.string == battery.string]
        is_room_known = string.room_s is not None and string.room_s <= HOUR_S
        times_s = None
        if signal is JudgedSignal.VOLTAGE_VS_STRING:
            times_s = [one.voltage_s for one in members]
        if signal is JudgedSignal.TEMPERATURE_OVER_STRING:
            times_s = [one.temperature_s for one in members]
        if times_s is not None:
            since_s = stale_s(battery.interval_s)
            if string.in_mode_s is not None:
                since_s = min(since_s, string.in_mode_s)
            present = [age_s for age_s in times_s if age_s is not None and age_s <= since_s]
            return None if len(present) >= 3 else NotJudgedReason.TOO_FEW_PEERS
        if signal is JudgedSignal.TEMPERATURE_OVER_ROOM and not is_room_known:
            return NotJudgedReason.NO_ROOM_TEMPERATURE
        if signal is JudgedSignal.RESISTANCE and battery.resistance_temperature_c is None and not is_room_known:
            is_own_known = battery.temperature_s is not None and battery.temperature_s <= 2 * DAY_S
            return None if is_own_known else NotJudgedReason.NO_TEMPERATURE
        return None

    def is_mode_followed(self, index: int) -> bool:
        string = self.strings[index]
        age_s = string.reading_s if string.current_s is None else string.current_s
        if age_s is not None and age_s <= stale_s(string.interval_s):
            return string.mode is not None
        return string.mode is not None and any(
            one.own_current_s is not None and one.own_current_s <= stale_s(one.interval_s)
            for one in self.batteries
            if one.string == index
        )


def is_gate_open(string: StringRow, signal: JudgedSignal) -> bool:
    if signal in {JudgedSignal.VOLTAGE, JudgedSignal.TEMPERATURE, JudgedSignal.TEMPERATURE_OVER_ROOM}:
        return True
    if signal is JudgedSignal.VOLTAGE_VS_STRING and string.mode in {StringMode.DISCHARGE, StringMode.TEST}:
        return True
    if string.mode is None or string.mode is not StringMode.FLOAT or string.discharged_s is None:
        return string.mode in {None, StringMode.FLOAT}
    if string.discharged_s < 3 * DAY_S:
        return False
    if string.in_mode_s is None:
        # A float of which no start is known began long ago.
        return True
    return string.discharged_s - string.in_mode_s >= 3 * DAY_S or string.in_mode_s >= 3 * DAY_S


def stale_s(interval_s: float | None) -> float:
    return max(300.0, 3 * (interval_s or 0.0))


def instants_us(ages_s: Sequence[float | None]) -> IntArray:
    return np.array([NEVER if age_s is None else NOW_US - round(age_s * 1e6) for age_s in ages_s], np.int64)


@pytest.mark.parametrize("seed", range(20))
def test_columns_decide_as_rows_do(seed: int) -> None:
    state = State.random(random.Random(seed))
    expected = [[state.reason(battery, signal) for signal in SIGNALS] for battery in state.batteries]
    found = reasons_of(state.inputs(), NOW_US).tolist()
    assert [[None if one == JUDGED else REASONS[one] for one in row] for row in found] == expected


def test_the_random_states_meet_every_reason() -> None:
    state = State.random(random.Random(0))
    met = Counter(REASONS[one] for one in reasons_of(state.inputs(), NOW_US).ravel().tolist() if one != JUDGED)
    assert set(met) == set(NotJudgedReason)


def test_no_batteries_have_no_reasons() -> None:
    assert reasons_of(State([], []).inputs(), NOW_US).shape == (0, len(SIGNALS))


def test_counts_and_objects_come_of_the_same_columns() -> None:
    reason = np.full((4, len(SIGNALS)), JUDGED, np.int8)
    reason[1, SIGNALS.index(JudgedSignal.RESISTANCE)] = REASONS.index(NotJudgedReason.NO_TEMPERATURE)
    reason[3] = REASONS.index(NotJudgedReason.RETIRED)
    found = NotJudgedBatteries(
        battery_key=np.array([7, 5, 9, 2]),
        location_key=np.array([1, 1, 2, 2]),
        is_retired=np.array([False, False, False, True]),
        reason=reason,
    )
    assert found.keys() == {5, 2}
    assert found.counts() == {1: 1}
    no_temperature = NotJudged(signal=JudgedSignal.RESISTANCE, reason=NotJudgedReason.NO_TEMPERATURE)
    assert found.of([5, 7]) == {5: [no_temperature], 7: []}
    assert [one.signal for one in found.of([2])[2]] == list(JudgedSignal)
    with pytest.raises(KeyError):
        found.of([4])
