"""The duties in which the reference set is recorded; rates are multiples of the rated capacity per hour."""

from collections.abc import Sequence
from typing import Final, NamedTuple

from tests.reference.porous_electrode import BOOST_V, FLOAT_V, Step

# Rows: every 30 s where current flows, 10 s where it is high or steps, every 5 min on float.
_EVENT_S, _PULSE_S, _FLOAT_S = 30.0, 10.0, 300.0


class Profile(NamedTuple):
    """A duty in a room of ``ambient_c``; every profile begins with a block that has floated for a day.

    ``for_calibration`` marks what is recorded of each model's new block alone, at 25 degC.
    """

    name: str
    ambient_c: float
    steps: Sequence[Step]
    for_calibration: bool = False


def _float(hours: float) -> Step:
    return Step(hours, None, FLOAT_V, every_s=_FLOAT_S)


def _rest(hours: float, every_s: float = 120.0) -> Step:
    return Step(hours, 0.0, None, every_s=every_s)


def _discharge(hours: float, c_rate: float, until_v: float, every_s: float = _EVENT_S) -> Step:
    return Step(hours, -c_rate, until_v, every_s=every_s)


def _recharge(boosts: bool, hours: float) -> tuple[Step, ...]:
    """Charge at a tenth of the capacity to the charger's voltage, in falling steps if it boosts, and float."""
    limit_v = BOOST_V if boosts else FLOAT_V
    taper = tuple(Step(3.0, c_rate, BOOST_V, every_s=60.0) for c_rate in (0.05, 0.025, 0.01)) if boosts else ()
    return (Step(14.0, 0.1, limit_v, every_s=120.0), *taper, Step(hours, None, FLOAT_V, every_s=120.0))


def _pulses(count: int, c_rate: float, until_v: float) -> tuple[Step, ...]:
    pulse = (Step(30 / 3600, -c_rate, until_v, every_s=2.0), _rest(5 / 60, every_s=_PULSE_S))
    return pulse * count


def _charge_pulses(count: int, c_rate: float) -> tuple[Step, ...]:
    pulse = (Step(30 / 3600, c_rate, 15.5, every_s=2.0), _rest(5 / 60, every_s=_PULSE_S))
    return pulse * count


_SLOW = tuple(
    part for _ in range(4) for part in (_discharge(2.2, 0.1, 10.8, every_s=60.0), _rest(0.5), *_pulses(2, 0.5, 10.0))
)

PROFILES: Final = (
    Profile(
        "calibration_slow", 25.0, (_rest(2.0), *_SLOW, _discharge(8.0, 0.1, 10.8, every_s=60.0)), for_calibration=True
    ),
    Profile(
        "calibration_fast",
        25.0,
        (_rest(1.0), _discharge(3.0, 0.6, 10.2, every_s=_PULSE_S), _rest(1.0)),
        for_calibration=True,
    ),
    Profile(
        "calibration_pulses",
        25.0,
        (
            _rest(0.5),
            *_charge_pulses(2, 0.2),
            *_pulses(3, 0.5, 10.0),
            _discharge(2.0, 0.2, 10.5),
            _rest(0.5),
            *_pulses(3, 0.5, 10.0),
            *_charge_pulses(3, 0.2),
            _discharge(1.0, 0.2, 10.5),
            _rest(0.5),
            *_pulses(3, 0.5, 10.0),
        ),
        for_calibration=True,
    ),
    Profile(
        "slow_discharge",
        25.0,
        (_float(0.5), _discharge(14.0, 0.1, 10.8, every_s=60.0), _rest(1.0), *_recharge(False, 10.0)),
    ),
    Profile("fast_discharge", 30.0, (_float(0.5), _discharge(3.0, 0.6, 10.2, every_s=_PULSE_S), _rest(2.0))),
    Profile("hour_discharge", 20.0, (_rest(1.0), _discharge(4.0, 0.35, 10.5), _rest(2.0))),
    Profile(
        "outages",
        27.0,
        (
            _float(1.0),
            _discharge(10 / 60, 0.5, 10.2, every_s=_PULSE_S),
            *_recharge(False, 5.0),
            _discharge(20 / 60, 0.4, 10.2, every_s=_PULSE_S),
            *_recharge(True, 3.0),
            _float(4.0),
            _discharge(1 / 60, 0.6, 10.2, every_s=_PULSE_S),
            *_recharge(False, 3.0),
        ),
    ),
    Profile(
        "mixed_duty",
        25.0,
        (
            _float(0.5),
            _discharge(0.7, 0.25, 10.5),
            _rest(0.5),
            Step(1.0, 0.1, BOOST_V, every_s=60.0),
            _discharge(2.0, 0.15, 10.6),
            _rest(1.0),
            _discharge(0.25, 0.4, 10.2, every_s=_PULSE_S),
            _rest(1.0),
            _discharge(10.0, 0.1, 10.8, every_s=60.0),
            _rest(1.0),
            *_recharge(True, 4.0),
        ),
    ),
    Profile(
        "part_charged",
        18.0,
        (
            Step(4.0, -0.1, 10.8, every_s=0.0),
            Step(6.0, 0.0, None, every_s=0.0),
            _rest(0.5),
            *_pulses(4, 0.5, 10.0),
            _discharge(1.0, 0.2, 10.5),
            _rest(1.0),
            _discharge(6.0, 0.25, 10.5),
            _rest(1.0),
        ),
    ),
    Profile(
        "generator_tests",
        32.0,
        (
            _float(1.0),
            _discharge(1 / 60, 0.5, 10.2, every_s=_PULSE_S),
            *_recharge(False, 4.0),
            _discharge(5 / 60, 0.5, 10.2, every_s=_PULSE_S),
            *_recharge(False, 6.0),
        ),
    ),
)
