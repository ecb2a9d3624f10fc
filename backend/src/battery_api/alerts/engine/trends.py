"""Slow trends of a string: its steady float current, how its heat and current rise, and its ohmic tests.

A composite condition is one signal: the smallest of the ratios of its parts to their limits, so that it is above 1
while all of them hold. Hold times, clearing, floors and overrides then work as for any other signal, and the parts go
into the message. (An OR needs no signal: rules of one type already are one.)

Thermal runaway has two such signals:

- ``runaway_score`` needs float current over three times its steady value, the hottest battery over 5 °C above the
  room, and both rising.
- ``runaway_heat_score`` needs over 10 °C above the room and a rise of over 3 °C/h while the float current is unknown
  or over 1.5 times its steady value.

What has stopped rising is not over: then the score stays between the clear value and 1, where it neither raises nor
clears, until current or heat are down. A missing part makes it NaN, so that the rule stays as it is.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from battery_api.alerts.engine.comparison import BoolArray, FloatArray, IntArray
from battery_api.alerts.engine.flatline import instants_in_turn

_MINUTE_US: Final = 60_000_000
_HOUR_US: Final = 60 * _MINUTE_US
CURRENT_LIMIT: Final = 3.0
"""Float current over its steady value [CPB]."""
HEAT_LIMIT_C: Final = 5.0
"""Hottest battery over its room [CPB]."""
HEAT_ALONE_LIMIT_C: Final = 10.0
"""Hottest battery over its room at which the breaker should open whatever else is known [CND]."""
_RISE_C_PER_H: Final = 1.0
"""EJ: slower rises are those of the room and of the day."""
_RISE_ALONE_C_PER_H: Final = 3.0
"""EJ: faster than a battery on float warms with a room whose cooling failed."""
_RISE_OF_CURRENT_PER_H: Final = 0.1
"""EJ, in steady values: at three times it, 1 °C/h alone adds 0.2 an hour."""
_NOT_RISING: Final = 0.9
"""Score of what has stopped rising: below 1, above the clear value."""
_CLEARED: Final = 0.8
STEADY_TOP: Final = 1.5
"""Times the steady value above which a float current is no sample of it."""
LEARNED_US: Final = 24 * _HOUR_US
"""Settled float that must have been seen before a steady value counts."""
_MEMORY_US: Final = 14 * LEARNED_US
"""EJ: follows ageing over months and the weather over weeks, not a runaway over hours."""
_STEADY_FLOOR_MA_PER_AH: Final = 0.1
"""EJ: half of what a new string takes; below it, the offset of the probe would decide."""
_DOUBLING_C: Final = 10.0
"""EJ: the rule of thumb; by [SCH] it is 11.6 °C at one voltage, and more where the charger follows the heat."""
_FAST_US: Final = 10 * _MINUTE_US
_SLOW_US: Final = 40 * _MINUTE_US
_JUMP_C: Final = 2.0
"""EJ: no battery on float warms by this much at once, and then by one degree a minute."""
_OBSERVED_US: Final = 30 * _MINUTE_US
"""Observed time without which a rise is not known."""
_GAP_US: Final = 30 * _MINUTE_US
_VALID_US: Final = 15 * _MINUTE_US
"""How long a measured value stands for the present one at least."""
RESTED_US: Final = 4 * _HOUR_US
"""EJ: the heat of a discharge and the first rush of its recharge last for some hours."""
OHMIC_PAUSE_US: Final = 30 * _MINUTE_US
"""Resistances closer to each other than this belong to one ohmic test, which disturbs float this long after it."""
OHMIC_LONGEST_US: Final = 2 * _HOUR_US
"""Longest time from the begin of an ohmic test in which it may keep rules asleep."""
_LONG_AGO: Final = int(np.iinfo(np.int64).min // 2)

_RAMP: Final = np.dtype(
    [
        ("value", "<f8"),
        ("at_us", "<i8"),
        ("until_us", "<i8"),  # how long the value stands for the present one
        ("fast", "<f8"),
        ("slow", "<f8"),
        ("observed_us", "<i8"),
    ]
)
TREND_RECORD: Final = np.dtype(
    [
        ("heat", _RAMP),  # hottest battery [°C]
        ("over_room_c", "<f8"),
        ("present", "<i4"),  # batteries whose temperature is known
        ("needed", "<i4"),  # of them while a score was above 1
        ("current", _RAMP),  # float current at a room of 25 °C [mA/Ah]
        ("steady", "<f8"),
        ("learned_us", "<i8"),
        ("sampled_us", "<i8"),
        ("ohmic_begin_us", "<i8"),
        ("ohmic_last_us", "<i8"),
    ]
)
"""What is stored of a string."""
_BLANK: Final = np.zeros((), TREND_RECORD)
for _name in ("heat", "current"):
    for _part in ("value", "fast", "slow"):
        _BLANK[_name][_part] = np.nan
    for _part in ("at_us", "until_us"):
        _BLANK[_name][_part] = _LONG_AGO
for _name in ("over_room_c", "steady"):
    _BLANK[_name] = np.nan
for _name in ("sampled_us", "ohmic_begin_us", "ohmic_last_us"):
    _BLANK[_name] = _LONG_AGO

Records = npt.NDArray[Any]


@dataclass(frozen=True, slots=True)
class StringInstants:
    """What was measured of strings at instants (k,), one for each string and time, sorted by time.

    ``hottest_c`` is the highest known temperature of the ``present`` batteries, ``has_resistance`` whether one of them
    sent a resistance; a value that was not measured then is NaN. ``since_discharge_us`` is how long ago the string last
    discharged, ``valid_us`` how long a value may stand for the present one by the reporting interval.
    """

    string: IntArray
    time_us: IntArray
    valid_us: IntArray
    hottest_c: FloatArray
    present: IntArray
    room_c: FloatArray
    float_current_ma_per_ah: FloatArray
    has_resistance: BoolArray
    settled: BoolArray
    since_discharge_us: IntArray

    def __len__(self) -> int:
        return len(self.string)


@dataclass(frozen=True, slots=True)
class Trends:
    """Scores of thermal runaway at instants (k,) with their parts, and whether an ohmic test disturbs the string."""

    runaway_score: FloatArray
    runaway_heat_score: FloatArray
    float_current_ratio: FloatArray
    over_room_c: FloatArray
    rise_c_per_h: FloatArray
    is_disturbed: BoolArray

    @classmethod
    def unknown(cls, count: int) -> "Trends":
        """Return the trends of ``count`` instants of which nothing is known."""
        score, heat_score, ratio, over_room_c, rise_c_per_h = (np.full(count, np.nan) for _ in range(5))
        return cls(score, heat_score, ratio, over_room_c, rise_c_per_h, np.zeros(count, np.bool_))


class TrendTracker:
    """Trends of strings (n,).

    Parameters
    ----------
    stored
        By string, what `stored` gave after the readings before; None at the beginning.
    """

    def __init__(self, stored: Sequence[bytes | None]) -> None:
        self._records: Records = np.full(len(stored), _BLANK, TREND_RECORD)
        for string, one in enumerate(stored):
            if one is not None and len(one) == TREND_RECORD.itemsize:
                self._records[string] = np.frombuffer(one, TREND_RECORD)[0]

    def follow(self, instants: StringInstants) -> Trends:
        """Take instants in time order; return the trends at each."""
        trends = Trends.unknown(len(instants))
        for rows in instants_in_turn(instants.string, instants.time_us):
            trends.is_disturbed[rows] = self._follow_ohmic(instants, rows)
            self._follow_heat(instants, rows)
            self._follow_current(instants, rows, trends.is_disturbed[rows])
            self._judge(instants, rows, trends)
        return trends

    def stored(self) -> list[bytes | None]:
        """Return the form that is stored, by string; None where nothing is known."""
        size, whole, blank = TREND_RECORD.itemsize, self._records.tobytes(), _BLANK.tobytes()
        parts = [whole[begin : begin + size] for begin in range(0, len(whole), size)]
        return [None if part == blank else part for part in parts]

    def _follow_ohmic(self, instants: StringInstants, rows: IntArray) -> BoolArray:
        begin_us, last_us = self._records["ohmic_begin_us"], self._records["ohmic_last_us"]
        measured = rows[instants.has_resistance[rows]]
        if len(measured):
            string, time_us = instants.string[measured], instants.time_us[measured]
            is_new = time_us - last_us[string] > OHMIC_PAUSE_US
            begin_us[string] = np.where(is_new, time_us, begin_us[string])
            last_us[string] = time_us
        string, time_us = instants.string[rows], instants.time_us[rows]
        is_recent = time_us - last_us[string] <= OHMIC_PAUSE_US
        is_disturbed: BoolArray = is_recent & (time_us - begin_us[string] <= OHMIC_LONGEST_US)
        return is_disturbed

    def _follow_heat(self, instants: StringInstants, rows: IntArray) -> None:
        measured = rows[~np.isnan(instants.hottest_c[rows])]
        if not len(measured):
            return
        string, hottest_c = instants.string[measured], instants.hottest_c[measured]
        time_us = instants.time_us[measured]
        # The hottest one came or went: its temperature is no rise.
        passed_us = time_us - self._records["heat"]["at_us"][string]
        jump_c = np.abs(hottest_c - self._records["heat"]["value"][string])
        is_another = jump_c > _JUMP_C + passed_us / _MINUTE_US
        self._records["heat"]["at_us"][string[is_another]] = _LONG_AGO
        _advance(self._records["heat"], string, hottest_c, time_us, instants.valid_us[measured])
        self._records["over_room_c"][string] = hottest_c - instants.room_c[measured]
        self._records["present"][string] = instants.present[measured]

    def _follow_current(self, instants: StringInstants, rows: IntArray, is_disturbed: BoolArray) -> None:
        # Referred to the room, not to the batteries: their own heat is the runaway.
        at_25c = instants.float_current_ma_per_ah[rows] / 2.0 ** ((instants.room_c[rows] - 25.0) / _DOUBLING_C)
        is_measured = ~np.isnan(at_25c)
        if not is_measured.any():
            return
        measured, value = rows[is_measured], at_25c[is_measured]
        string, time_us, valid_us = instants.string[measured], instants.time_us[measured], instants.valid_us[measured]
        is_sample = instants.settled[measured] & ~is_disturbed[is_measured]
        self._learn(string[is_sample], value[is_sample], time_us[is_sample], valid_us[is_sample])
        _advance(self._records["current"], string, value, time_us, valid_us)

    def _learn(self, string: IntArray, value: FloatArray, time_us: IntArray, valid_us: IntArray) -> None:
        """Move the steady float current by the observed time since the last sample, a mean at first and slow then."""
        record = self._records
        passed_us = time_us - record["sampled_us"][string]
        passed_us = np.where(passed_us <= np.maximum(valid_us, _GAP_US), passed_us, 0)
        record["sampled_us"][string] = time_us
        steady, learned_us = record["steady"][string], record["learned_us"][string]
        is_known = learned_us >= LEARNED_US
        steady = np.where(np.isnan(steady), value, steady)
        is_frozen = is_known & (value > STEADY_TOP * np.maximum(steady, _STEADY_FLOOR_MA_PER_AH))
        target = np.where(is_known, np.maximum(value, 0.5 * steady), value)
        learned_us = learned_us + np.where(is_frozen, 0, passed_us)
        share = passed_us / np.clip(learned_us, 1, _MEMORY_US)
        record["steady"][string] = np.where(is_frozen, steady, steady + share * (target - steady))
        record["learned_us"][string] = learned_us

    def _judge(self, instants: StringInstants, rows: IntArray, trends: Trends) -> None:
        string, time_us = instants.string[rows], instants.time_us[rows]
        record = self._records[string]
        is_rested = instants.since_discharge_us[rows] >= RESTED_US
        is_warm = is_rested & (time_us <= record["heat"]["until_us"])
        over_room_c = np.where(is_warm, record["over_room_c"], np.nan)
        rise_c_per_h = np.where(is_warm, _rise_per_h(record["heat"]), np.nan)
        steady = np.where(record["learned_us"] >= LEARNED_US, record["steady"], np.nan)
        steady = np.maximum(steady, _STEADY_FLOOR_MA_PER_AH)
        has_current = is_rested & (time_us <= record["current"]["until_us"])
        ratio = np.where(has_current, record["current"]["value"] / steady, np.nan)
        rise_of_current = np.where(has_current, _rise_per_h(record["current"]) / steady, np.nan)
        rising = np.minimum(rise_c_per_h / _RISE_C_PER_H, rise_of_current / _RISE_OF_CURRENT_PER_H)
        score = _score(np.minimum(ratio / CURRENT_LIMIT, over_room_c / HEAT_LIMIT_C), rising)
        # NaN is no contradiction: without a probe the heat alone has to do.
        steepness = np.where(ratio <= STEADY_TOP, 0.0, rise_c_per_h / _RISE_ALONE_C_PER_H)
        heat_score = _score(over_room_c / HEAT_ALONE_LIMIT_C, np.where(np.isnan(rise_c_per_h), np.nan, steepness))
        is_complete = self._is_complete(string, score, heat_score)
        trends.runaway_score[rows] = np.where(is_complete | (score > 1.0), score, np.nan)
        trends.runaway_heat_score[rows] = np.where(is_complete | (heat_score > 1.0), heat_score, np.nan)
        trends.float_current_ratio[rows], trends.over_room_c[rows] = ratio, over_room_c
        trends.rise_c_per_h[rows] = rise_c_per_h

    def _is_complete(self, string: IntArray, score: FloatArray, heat_score: FloatArray) -> BoolArray:
        """Return whether the temperatures that were known during a breach are known: the hottest may be missing."""
        present, needed = self._records["present"][string], self._records["needed"][string]
        is_complete: BoolArray = present >= needed
        is_breach = (score > 1.0) | (heat_score > 1.0)
        is_over = is_complete & ~(score > _CLEARED) & (heat_score <= _CLEARED)
        kept = np.where(is_over, 0, needed)
        self._records["needed"][string] = np.where(is_breach, np.maximum(present, needed), kept)
        return is_complete


def _score(level: FloatArray, rising: FloatArray) -> FloatArray:
    """Return the level where it rises, else no more than `_NOT_RISING`; NaN where either is unknown."""
    score: FloatArray = np.where(rising > 1.0, level, np.minimum(level, _NOT_RISING))
    return np.where(np.isnan(rising), np.nan, score)


def _advance(ramp: Records, string: IntArray, value: FloatArray, time_us: IntArray, valid_us: IntArray) -> None:
    """Take one value of each string into its two means, exact for what moves evenly between two values.

    Both follow an even rise at a distance of rise times time constant, so their difference is the rise. They begin anew
    after a gap.
    """
    before = ramp[string]
    passed_us = time_us - before["at_us"]
    goes_on = passed_us <= np.maximum(valid_us, _GAP_US)
    for name, constant_us in (("fast", _FAST_US), ("slow", _SLOW_US)):
        share = np.maximum(np.where(goes_on, passed_us, 0) / constant_us, 1e-9)
        kept = np.exp(-share)
        middle = -np.expm1(-share) / share
        mean = kept * before[name] + (middle - kept) * before["value"] + (1.0 - middle) * value
        ramp[name][string] = np.where(goes_on, mean, value)
    ramp["observed_us"][string] = np.where(goes_on, before["observed_us"] + passed_us, 0)
    ramp["value"][string], ramp["at_us"][string] = value, time_us
    ramp["until_us"][string] = time_us + np.maximum(valid_us, _VALID_US)


def _rise_per_h(ramp: Records) -> FloatArray:
    rise = (ramp["fast"] - ramp["slow"]) * (_HOUR_US / (_SLOW_US - _FAST_US))
    return np.where(ramp["observed_us"] >= _OBSERVED_US, rise, np.nan)
