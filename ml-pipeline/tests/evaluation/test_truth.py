"""Which years of a dataset can be judged: those whose batteries were all seen to fail."""

from pathlib import Path

import numpy as np

from battery_ml.datasets.folder import DAY_US, LifeDataset
from battery_ml.datasets.lives import BatteryLives
from battery_ml.evaluation.truth import judged_snapshots, years_seen_to_end
from battery_ml.features.definition import FEATURES
from tests.support.tiny_dataset import write_dataset

YEAR_US = 365.25 * DAY_US


def lives(*spans: tuple[float, float, bool]) -> BatteryLives:
    """Return lives from (installed, until, has failed), in years."""
    begins, ends, failed = zip(*spans, strict=True)
    return BatteryLives(
        battery_slot=np.arange(len(spans)),
        generation=np.zeros(len(spans), np.int64),
        installed_us=(np.array(begins) * YEAR_US).astype(np.int64),
        until_us=(np.array(ends) * YEAR_US).astype(np.int64),
        has_failed=np.array(failed),
    )


def test_years_end_before_the_first_life_without_an_end() -> None:
    assert abs(years_seen_to_end(lives((0.0, 6.0, True), (6.1, 9.0, False))) - 6.0) < 0.35
    assert years_seen_to_end(lives((0.0, 6.0, False))) == 0.0
    assert years_seen_to_end(lives((0.0, 6.0, True), (0.0, 9.0, True))) > 8.0


def test_one_unseen_end_among_many_is_left_out_alone() -> None:
    found = years_seen_to_end(lives((0.0, 9.0, False), *[(0.0, 8.0, True)] * 99))
    assert 7.0 < found < 8.1


def test_snapshots_are_those_whose_ends_are_known(tmp_path: Path) -> None:
    judged = judged_snapshots(LifeDataset.open(write_dataset(tmp_path / "lives", seed=7)), FEATURES)
    assert judged.is_seen_to_end
    assert not judged.snapshots.is_censored.any()
    days = judged.snapshots.day - judged.snapshots.day.min()
    assert days.max() < 365.25 * judged.years
