"""Splits for any fleet: disjoint, complete, by whole strings and reproducible."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from battery_ml.datasets.folder import DatasetRefused, LifeDataset
from battery_ml.training.split import SHARES, Split, splits_of_batteries


def dataset(strings: int, per_string: int = 3, locations: int = 2) -> LifeDataset:
    count = strings * per_string
    string = [number // per_string for number in range(count)]
    facts = np.ones(count)
    return LifeDataset(
        folder=Path("fleet"),
        manifest={},
        battery_ids=tuple(f"B{number:04}" for number in range(count)),
        string_ids=tuple(f"S{number:04}" for number in string),
        location_ids=tuple(f"L{number % locations}" for number in string),
        baseline_mohm=facts,
        rated_ah=facts,
        design_life_years=facts,
    )


@given(strings=st.integers(8, 120), per_string=st.integers(1, 6), seed=st.integers(0, 1000))
def test_every_string_is_in_one_split_and_every_split_has_strings(strings: int, per_string: int, seed: int) -> None:
    data = dataset(strings, per_string)
    splits = splits_of_batteries(data, frozenset(data.location_ids), seed)
    by_string = splits.reshape(strings, per_string)
    assert (by_string == by_string[:, :1]).all()
    counts = {split: int((by_string[:, 0] == split).sum()) for split in Split}
    assert min(counts.values()) >= 1
    assert sum(counts.values()) == strings
    for split in (Split.VALIDATION, Split.CALIBRATION, Split.TEST):
        assert abs(counts[split] - SHARES[split] * strings) <= 1.0


@given(seed=st.integers(0, 1000))
def test_a_seed_gives_one_split_whatever_else_is_in_the_catalogue(seed: int) -> None:
    data = dataset(40)
    splits = splits_of_batteries(data, frozenset({"L0"}), seed)
    np.testing.assert_array_equal(splits, splits_of_batteries(data, frozenset({"L0"}), seed))
    is_left_out = np.asarray(data.location_ids) != "L0"
    assert (splits[is_left_out] == -1).all()
    assert (splits[~is_left_out] >= 0).all()


def test_seeds_differ() -> None:
    data = dataset(40)
    everywhere = frozenset(data.location_ids)
    assert not np.array_equal(splits_of_batteries(data, everywhere, 1), splits_of_batteries(data, everywhere, 2))


@pytest.mark.parametrize(("strings", "locations"), [(7, {"L0", "L1"}), (14, {"L0"}), (40, set())])
def test_too_few_strings_are_refused(strings: int, locations: set[str]) -> None:
    with pytest.raises(DatasetRefused, match="at least 8 are needed"):
        splits_of_batteries(dataset(strings), frozenset(locations), 1)


def test_shares_are_complete() -> None:
    assert list(SHARES) == list(Split)
    assert sum(SHARES.values()) == pytest.approx(1.0)
