"""Numbers of answers carry the digits that were measured, and no noise of single precision."""

import math
import struct
from typing import Annotated

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel

from battery_contracts.rounding import to_decimals


class Reading(BaseModel):
    voltage_v: Annotated[float, to_decimals(3)] | None = None
    ripple_v: list[Annotated[float, to_decimals(1)]] = []


def shown(voltage_v: float) -> str:
    return Reading(voltage_v=voltage_v).model_dump_json(include={"voltage_v"})


@pytest.mark.parametrize(
    ("stored", "text"),
    [(13.654, "13.654"), (23.9, "23.9"), (-0.0004, "0.0"), (0.0, "0.0"), (-12.4, "-12.4"), (13.0, "13.0")],
)
def test_single_precision_shows_what_was_sent(stored: float, text: str) -> None:
    (single,) = struct.unpack("f", struct.pack("f", stored))
    assert shown(single) == f'{{"voltage_v":{text}}}'


def test_absent_stays_absent_and_lists_are_rounded_item_by_item() -> None:
    reading = Reading(ripple_v=[0.31, -0.04])
    assert (reading.voltage_v, reading.ripple_v) == (None, [0.3, 0.0])
    assert math.copysign(1, reading.ripple_v[1]) == 1


@given(st.floats(-1000, 1000))
def test_rounding_moves_by_half_a_digit_at_most_and_once(value: float) -> None:
    rounded = Reading(voltage_v=value).voltage_v
    assert rounded is not None
    assert abs(rounded - value) <= 0.000_500_001
    assert Reading(voltage_v=rounded).voltage_v == rounded
