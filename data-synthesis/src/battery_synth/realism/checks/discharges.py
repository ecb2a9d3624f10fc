"""Checks of the discharges of a set: how long the batteries carry the load until the generator does."""

from collections.abc import Iterator
from typing import Final

import numpy as np
import pyarrow as pa

from battery_synth.realism.checks.result import Finding, NotChecked, between
from battery_synth.realism.tables import FloatArray, instants_us, words

COLUMNS: Final = ["time", "string_id", "mode"]
_GAP_US: Final = 180_000_000
"""Longer than the slowest sampling of a string that works."""
_FEWEST: Final = 100
"""A generator start fails about once in a hundred times."""
_STARTED_S: Final = 60.0


def discharge_checks(rows: pa.Table) -> Iterator[Finding]:
    """Check the discharges among the samples of working strings: those of UPS, tests apart."""
    lengths_s = discharge_lengths_s(rows)
    if len(lengths_s) < _FEWEST:
        yield NotChecked(f"start of the generator: {len(lengths_s)} discharges of UPS strings, fewer than {_FEWEST}")
        return
    name = "share of discharges of UPS strings of at most a minute"
    source = "a generator takes the load in 10 to 30 s; 1 % of starts fail (EJ)"
    yield between(name, 0.97, 1.0, float((lengths_s <= _STARTED_S).mean()), source)


def discharge_lengths_s(rows: pa.Table) -> FloatArray:
    """Return the lengths in s of the discharges of UPS strings that are no tests."""
    kept = np.flatnonzero(words(rows, "mode") == "discharge")
    at_us, owner = instants_us(rows)[kept], words(rows, "string_id")[kept]
    if not len(kept):
        return np.zeros(0)
    order = np.lexsort((at_us, owner))
    at_us, owner = at_us[order], owner[order]
    begins = np.append(True, (owner[1:] != owner[:-1]) | (np.diff(at_us) > _GAP_US))
    first = np.flatnonzero(begins)
    last = np.append(first[1:], len(at_us)) - 1
    is_ups = np.array(["-UPS-" in string for string in owner[first].tolist()])
    lengths_s: FloatArray = (at_us[last] - at_us[first])[is_ups] / 1e6
    return lengths_s
