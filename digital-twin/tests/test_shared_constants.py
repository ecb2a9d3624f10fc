"""Constants that the compiled filter repeats, since Numba's cache would not see a change in another file."""

from battery_contracts import ohmic
from battery_twin.kernel import layout


def test_the_filter_corrects_resistance_as_the_rest_of_the_platform_does() -> None:
    assert layout.R0_PER_C == ohmic.RESISTANCE_SLOPE_PER_C
    assert layout.REFERENCE_C == ohmic.REFERENCE_TEMPERATURE_C
