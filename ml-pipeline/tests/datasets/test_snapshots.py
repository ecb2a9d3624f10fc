"""Snapshots against the events and days of a small dataset, and their operations against plain masks."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from battery_ml.arrays import IntArray
from battery_ml.datasets.folder import LifeDataset
from battery_ml.datasets.lives import read_lives
from battery_ml.datasets.snapshots import MIN_AGE_DAYS, SnapshotPlan, Snapshots, take_snapshots
from battery_ml.features.definition import FEATURES
from tests.support.tiny_dataset import DAY_US, FIRST_DAY, LOCATIONS, write_dataset

EVERY_DAYS = 300


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> LifeDataset:
    return LifeDataset.open(write_dataset(tmp_path_factory.mktemp("snapshots") / "lives", seed=6))


@pytest.fixture(scope="module")
def snapshots(data: LifeDataset) -> Snapshots:
    return take_snapshots(data, FEATURES, SnapshotPlan(EVERY_DAYS))


def synthetic(days: list[int], days_to_end: list[float], is_censored: list[bool]) -> Snapshots:
    slots: IntArray = np.arange(len(days))
    return Snapshots(
        features=np.zeros((len(days), 1), np.float32),
        battery_slot=slots,
        generation=np.zeros(len(days), np.int64),
        day=np.array(days, np.int64),
        days_to_end=np.array(days_to_end, np.float64),
        is_censored=np.array(is_censored, np.bool_),
        follow_up_days=np.full(len(days), 1e5),
    )


def test_only_batteries_in_service_and_old_enough_are_taken(data: LifeDataset, snapshots: Snapshots) -> None:
    lives = read_lives(data)
    for day in sorted(set(snapshots.day.tolist())):
        midnight_us = (day + 1) * DAY_US
        is_in_service = (lives.installed_us + MIN_AGE_DAYS * DAY_US <= midnight_us) & (lives.until_us > midnight_us)
        taken = snapshots.battery_slot[snapshots.day == day]
        assert sorted(taken.tolist()) == sorted(lives.battery_slot[is_in_service].tolist())


def test_days_to_end_lead_to_the_end_of_the_life(data: LifeDataset, snapshots: Snapshots) -> None:
    lives = read_lives(data)
    until_us = dict(zip(lives.battery_slot.tolist(), lives.until_us.tolist(), strict=True))
    has_failed = dict(zip(lives.battery_slot.tolist(), lives.has_failed.tolist(), strict=True))
    for slot, day, left, is_censored in zip(
        snapshots.battery_slot, snapshots.day, snapshots.days_to_end, snapshots.is_censored, strict=True
    ):
        assert (day + 1 + left) * DAY_US == pytest.approx(until_us[slot], abs=1.0)
        assert is_censored == (not has_failed[slot])


def test_age_is_counted_from_the_installation(data: LifeDataset, snapshots: Snapshots) -> None:
    age = snapshots.features[:, FEATURES.names.index("age_of_design_life")]
    expected = (snapshots.day + 1 - FIRST_DAY) / (data.design_life_years[snapshots.battery_slot] * 365.25)
    np.testing.assert_allclose(age, expected, rtol=1e-5)


def test_locations_and_workers_do_not_change_a_snapshot(data: LifeDataset, snapshots: Snapshots) -> None:
    one = take_snapshots(data, FEATURES, SnapshotPlan(EVERY_DAYS), locations=[LOCATIONS[1]])
    is_there = np.asarray(data.location_ids)[snapshots.battery_slot] == LOCATIONS[1]
    expected = snapshots.where(is_there)
    np.testing.assert_array_equal(one.features, expected.features)
    np.testing.assert_array_equal(one.battery_slot, expected.battery_slot)
    calls: list[tuple[int, int]] = []
    parallel = take_snapshots(
        data, FEATURES, SnapshotPlan(EVERY_DAYS), workers=2, progress=lambda done, of: calls.append((done, of))
    )
    np.testing.assert_array_equal(parallel.features, snapshots.features)
    assert calls == [(1, 2), (2, 2)]


def test_joined_parts_are_the_whole(snapshots: Snapshots) -> None:
    is_early = snapshots.day < np.median(snapshots.day)
    joined = Snapshots.joined([snapshots.where(is_early), snapshots.where(~is_early)])
    assert len(joined) == len(snapshots)
    assert joined.days_to_end.sum() == pytest.approx(snapshots.days_to_end.sum())


@given(
    rows=st.lists(st.tuples(st.integers(0, 100), st.integers(1, 100), st.booleans()), min_size=1, max_size=20),
    day=st.integers(0, 120),
)
def test_as_of_a_day_nothing_later_is_known(rows: list[tuple[int, int, bool]], day: int) -> None:
    whole = synthetic([row[0] for row in rows], [float(row[1]) for row in rows], [row[2] for row in rows])
    known = whole.as_of(day)
    # Days are whole here: a snapshot's life is observed until the last midnight before the day.
    for slot, (taken, left, is_censored) in enumerate(rows):
        observed = day - 1 - taken
        kept = np.flatnonzero(known.battery_slot == slot)
        assert len(kept) == (observed > 0)
        if len(kept):
            assert known.days_to_end[kept[0]] == min(left, observed)
            assert known.is_censored[kept[0]] == (is_censored or left > observed)


def test_a_share_of_the_strings_is_seen_by_a_new_monitor(data: LifeDataset, snapshots: Snapshots) -> None:
    plan = SnapshotPlan(EVERY_DAYS, short_histories=((90, 0.3),), seed=1)
    seen = take_snapshots(data, FEATURES, plan)
    np.testing.assert_array_equal(seen.day, snapshots.day)
    yearly = FEATURES.names.index("temperature_365d_c")
    has_changed = seen.features[:, yearly] != snapshots.features[:, yearly]
    # Only after the first three months can a history be cut.
    late = seen.day >= seen.day.min() + 180
    assert 0.15 < has_changed[late].mean() < 0.45
    string = np.unique(data.string_ids, return_inverse=True)[1][seen.battery_slot]
    for day in np.unique(seen.day[late]):
        for number in np.unique(string):
            of = (seen.day == day) & (string == number)
            assert len(np.unique(has_changed[of])) <= 1, "a string has one monitor"
    recent = FEATURES.names.index("temperature_90d_c")
    np.testing.assert_allclose(seen.features[:, recent], snapshots.features[:, recent])


def test_snapshots_may_end_before_the_data(data: LifeDataset, snapshots: Snapshots) -> None:
    early = take_snapshots(data, FEATURES, SnapshotPlan(EVERY_DAYS, first_years=2.0))
    assert early.day.max() - FIRST_DAY < 2.0 * 365.25
    expected = snapshots.where(snapshots.day <= early.day.max())
    np.testing.assert_array_equal(early.days_to_end, expected.days_to_end)
    assert (early.follow_up_days >= early.days_to_end).all()
