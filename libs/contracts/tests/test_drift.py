"""The population stability index against its definition."""

from math import log

import pytest
from hypothesis import given
from hypothesis import strategies as st

from battery_contracts.drift import population_stability_index


def test_a_population_like_the_other_has_none() -> None:
    assert population_stability_index([50.0] * 10) == pytest.approx(0.0, abs=1e-12)


def test_it_is_the_sum_over_tenths_with_half_a_member_more_in_each() -> None:
    counts = [95.0, 5.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0]
    shares = [(count + 0.5) / 105.0 for count in counts]
    assert population_stability_index(counts) == pytest.approx(sum((a - 0.1) * log(a / 0.1) for a in shares))


@given(st.lists(st.floats(0.0, 1e6), min_size=10, max_size=10))
def test_it_is_finite_never_negative_and_blind_to_the_order_of_tenths(counts: list[float]) -> None:
    index = population_stability_index(counts)
    assert 0.0 <= index < 20.0
    assert population_stability_index(counts[::-1]) == pytest.approx(index, abs=1e-9)


def test_parts_that_differ_can_make_a_whole_that_does_not() -> None:
    low, high = [20.0] * 5 + [0.0] * 5, [0.0] * 5 + [20.0] * 5
    whole = [one + other for one, other in zip(low, high, strict=True)]
    assert population_stability_index(low) > 0.25
    assert population_stability_index(whole) == pytest.approx(0.0, abs=1e-12)


def test_other_numbers_of_counts_are_refused() -> None:
    with pytest.raises(ValueError, match="ten tenths"):
        population_stability_index([1.0] * 9)
