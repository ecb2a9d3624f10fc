"""The layout of a location: any order of its catalogue gives the same arrays, and what does not fit is refused."""

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from battery_contracts.fleet import FleetRow
from battery_synth.engine.layout import LocationLayout
from battery_synth.outside.load import battery_power_w


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=10)
@given(seed=st.integers(0, 2**32 - 1))
def test_the_order_of_the_catalogue_does_not_matter(one_location: Sequence[FleetRow], seed: int) -> None:
    shuffled = [one_location[i] for i in np.random.default_rng(seed).permutation(len(one_location))]
    layout, other = LocationLayout.of(one_location), LocationLayout.of(shuffled)
    assert layout.battery_ids == other.battery_ids == sorted(layout.battery_ids)
    np.testing.assert_array_equal(layout.baseline_mohm, other.baseline_mohm)
    np.testing.assert_array_equal(layout.installed_s, other.installed_s)
    assert layout.serial_numbers == other.serial_numbers


def test_every_block_is_in_its_string_and_every_string_in_its_system(one_location: Sequence[FleetRow]) -> None:
    layout = LocationLayout.of(one_location)
    by_id = {row.battery_id: row for row in one_location}
    for number, battery in enumerate(layout.battery_ids):
        string = number // layout.width
        assert by_id[battery].string_id == layout.string_ids[string]
        assert by_id[battery].system_id == layout.system_ids[layout.system_of_string[string]]
        assert by_id[battery].baseline_resistance_mohm == layout.baseline_mohm[number]


def test_strings_share_the_power_of_their_systems(one_location: Sequence[FleetRow]) -> None:
    layout = LocationLayout.of(one_location)
    ratings = {row.system_id: row.rated_power_kva for row in one_location}
    assert layout.rated_w.sum() == pytest.approx(battery_power_w(np.array([sum(ratings.values())]))[0])


def test_batteries_of_strings_come_in_the_order_of_the_arrays(one_location: Sequence[FleetRow]) -> None:
    layout = LocationLayout.of(one_location)
    first, last = layout.battery_ids[: layout.width], layout.battery_ids[-layout.width :]
    assert layout.battery_ids_of(np.array([len(layout.string_ids) - 1, 0])) == [*last, *first]
    assert layout.battery_ids_of(np.array([], np.int64)) == []


def test_a_battery_without_a_baseline_gets_the_nominal_one(one_location: Sequence[FleetRow]) -> None:
    bare = [row.model_copy(update={"baseline_resistance_mohm": None}) for row in one_location]
    layout = LocationLayout.of(bare)
    np.testing.assert_array_equal(layout.baseline_mohm, layout.nominal_mohm)


def test_fleets_that_are_not_one_location_of_equal_strings_are_refused(
    fleet: Sequence[FleetRow], one_location: Sequence[FleetRow]
) -> None:
    with pytest.raises(ValueError, match="no batteries"):
        LocationLayout.of([])
    with pytest.raises(ValueError, match="one location at a time"):
        LocationLayout.of(fleet)
    with pytest.raises(ValueError, match="same number of batteries"):
        LocationLayout.of(one_location[1:])
    elsewhere = [row.model_copy(update={"location_id": "DC-ZZZ-01"}) for row in one_location]
    with pytest.raises(ValueError, match="no climate is known for DC-ZZZ-01"):
        LocationLayout.of(elsewhere)
