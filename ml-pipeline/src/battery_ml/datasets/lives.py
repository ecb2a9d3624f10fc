"""Lives of jars from the truth of a dataset: when each was installed, when it came to its end, until when it was seen.

The end is the first of: capacity at 25 °C under 80 % of rated, an open circuit, a shorted cell. The latter two leave a
block without its capacity too. A life whose end nobody saw is right-censored where it was seen last.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from battery_ml.datasets.folder import Dataset, DatasetRefused

IntArray = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Lives:
    """One entry a jar, (jars,); times in us since 1970. ``ended`` is False where ``until_us`` only censors."""

    place: IntArray
    """Of its battery in the dataset's catalogue."""
    generation: IntArray
    installed_us: IntArray
    until_us: IntArray
    ended: npt.NDArray[np.bool_]


def read_lives(data: Dataset) -> Lives:
    """Return the lives of a dataset.

    Raises
    ------
    DatasetRefused
        No jar came to its end: nothing of remaining life can be learnt from it.
    """
    rows = data.read("truth/lives", ["time", "kind", "battery_id", "generation"])
    at = rows["time"].cast("int64").to_numpy()
    kind = np.asarray(rows["kind"].to_pylist())
    places = {battery_id: place for place, battery_id in enumerate(data.battery_ids)}
    place = np.array([places[battery_id] for battery_id in rows["battery_id"].to_pylist()], np.int64)
    generation = rows["generation"].to_numpy().astype(np.int64)
    if not (kind == "failed").any():
        raise DatasetRefused(f"{data.folder}: no battery came to its end, so nothing can be learnt of remaining life")
    jar_of_row, jars = np.unique(np.column_stack([place, generation]), axis=0, return_inverse=True)
    jars = jars.reshape(-1)

    def times(word: str, otherwise: int) -> IntArray:
        first = np.full(len(jar_of_row), otherwise, np.int64)
        chosen = kind == word
        np.minimum.at(first, jars[chosen], at[chosen])
        return first

    never = np.iinfo(np.int64).max
    failed, removed = times("failed", never), times("removed", never)
    return Lives(
        place=jar_of_row[:, 0],
        generation=jar_of_row[:, 1],
        installed_us=times("installed", never),
        until_us=np.minimum(np.minimum(failed, removed), data.end_us),
        ended=(failed <= removed) & (failed <= data.end_us),
    )
