"""Who teaches, who stops, who calibrates, who judges: whole strings, since the blocks of one share their fate."""

from enum import IntEnum
from typing import Final

import numpy as np
import numpy.typing as npt

from battery_ml.datasets.folder import Dataset, DatasetRefused


class Role(IntEnum):
    """What a string's lives are used for; no string has two."""

    TEACH = 0
    STOP = 1
    """Says when further trees no longer help."""
    CALIBRATE = 2
    """Sets how wide intervals are; nothing else knows it."""
    JUDGE = 3
    """Gives the figures of the manifest."""


SHARES: Final = {Role.TEACH: 0.65, Role.STOP: 0.10, Role.CALIBRATE: 0.15, Role.JUDGE: 0.10}
_LEAST_STRINGS: Final = 8


def roles_of_batteries(data: Dataset, locations: frozenset[str], seed: int) -> npt.NDArray[np.int64]:
    """Return the role of each battery of a dataset; -1 at locations that are left out.

    Raises
    ------
    DatasetRefused
        There are too few strings to give every role some.
    """
    location_of = dict(zip(data.string_ids, data.location_ids, strict=True))
    strings = sorted(string for string, location in location_of.items() if location in locations)
    if len(strings) < _LEAST_STRINGS:
        raise DatasetRefused(f"{data.folder} has {len(strings)} strings to learn from; {_LEAST_STRINGS} are needed")
    shuffled = np.random.default_rng(seed).permutation(strings)
    bounds = np.cumsum([max(1, round(share * len(strings))) for share in list(SHARES.values())[1:]])
    role_of = dict.fromkeys(shuffled[bounds[-1] :].tolist(), Role.TEACH)
    for role, members in zip(list(SHARES)[1:], np.split(shuffled[: bounds[-1]], bounds[:-1]), strict=True):
        role_of |= dict.fromkeys(members.tolist(), role)
    return np.array([role_of.get(string, -1) for string in data.string_ids], np.int64)
