"""A small rule and streams of samples for the tests of the engine."""

from dataclasses import replace

from hypothesis import strategies as st

from battery_api.alerts.engine.judge import Sample
from battery_api.alerts.engine.ladders import SECOND_US, Direction, Gate, Limits, Rule
from battery_api.alerts.engine.rules import RULE_BY_ID

HOT = replace(
    RULE_BY_ID["temperature_high.high"],
    raise_value=35.0,
    clear_value=33.0,
    hold_s=120.0,
    clear_hold_s=60.0,
    gate=Gate.FLOAT,
)
HOTTER = replace(
    RULE_BY_ID["temperature_high.critical"], raise_value=40.0, clear_value=38.0, hold_s=60.0, clear_hold_s=60.0
)
LOW = replace(HOT, direction=Direction.BELOW, raise_value=12.0, clear_value=12.5)
GAP_US = 300 * SECOND_US


def limits_of(rule: Rule) -> Limits:
    return rule.limits()


def at(second: float, value: float, *, awake: bool = True) -> Sample:
    return Sample(round(second * SECOND_US), value, awake)


@st.composite
def streams(draw: st.DrawFn, *, low: float = 30.0, high: float = 42.0) -> list[Sample]:
    """Readings in time order: steps of seconds to gaps of ten minutes, values on both sides of every limit."""
    steps = st.one_of(st.sampled_from([30.0, 60.0]), st.floats(1.0, 600.0))
    count = draw(st.integers(1, 40))
    samples, second = [], 0.0
    for _ in range(count):
        second += draw(steps)
        value = draw(st.one_of(st.floats(low, high), st.sampled_from([low, high, 34.0, 36.0, 41.0, float("nan")])))
        samples.append(at(second, value, awake=draw(st.sampled_from([True, True, True, False]))))
    return samples
