"""Training, validation, calibration and test split by whole strings: the batteries of one share their conditions."""

from enum import IntEnum
from typing import Final

import numpy as np

from battery_ml.arrays import IntArray
from battery_ml.datasets.folder import DatasetRefused, LifeDataset


class Split(IntEnum):
    """What the lives of a string are used for; each string belongs to one split."""

    TRAINING = 0
    VALIDATION = 1
    """Decides when further trees no longer help."""
    CALIBRATION = 2
    """Sets the width of the interval; no other step uses it."""
    TEST = 3
    """Gives the metrics of the manifest."""


SHARES: Final = {Split.TRAINING: 0.65, Split.VALIDATION: 0.10, Split.CALIBRATION: 0.15, Split.TEST: 0.10}
_MIN_STRINGS: Final = 8


def splits_of_batteries(data: LifeDataset, locations: frozenset[str], seed: int) -> IntArray:
    """Return the split of each battery of a dataset, (batteries,); -1 at other locations.

    Raises
    ------
    DatasetRefused
        There are too few strings for four splits.
    """
    location_of = dict(zip(data.string_ids, data.location_ids, strict=True))
    strings = sorted(string for string, location in location_of.items() if location in locations)
    if len(strings) < _MIN_STRINGS:
        raise DatasetRefused(
            f"{data.folder} has {len(strings)} strings to train on; at least {_MIN_STRINGS} are needed"
        )
    shuffled = np.random.default_rng(seed).permutation(strings)
    bounds = np.cumsum([max(1, round(share * len(strings))) for share in list(SHARES.values())[1:]])
    split_of = dict.fromkeys(shuffled[bounds[-1] :].tolist(), Split.TRAINING)
    for split, members in zip(list(SHARES)[1:], np.split(shuffled[: bounds[-1]], bounds[:-1]), strict=True):
        split_of |= dict.fromkeys(members.tolist(), split)
    return np.array([split_of.get(string, -1) for string in data.string_ids], np.int64)
