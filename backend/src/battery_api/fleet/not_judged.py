"""What the alert rules cannot judge of batteries, in columns: counts and filters of the whole fleet need no objects."""

from collections import Counter
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Protocol

import numpy as np
import numpy.typing as npt
from sqlalchemy.ext.asyncio import AsyncConnection

from battery_api.fleet.schemas import NotJudged
from battery_contracts.enums import JudgedSignal, NotJudgedReason

SIGNALS: Final = tuple(JudgedSignal)
REASONS: Final = tuple(NotJudgedReason)
JUDGED: Final = -1
"""In place of a position in `REASONS`: the signal is judged."""


@dataclass(frozen=True, slots=True, eq=False)
class NotJudgedBatteries:
    """Batteries (n,) by their database keys, and what is not judged of each at one instant."""

    battery_key: npt.NDArray[np.int64]
    location_key: npt.NDArray[np.int64]
    is_retired: npt.NDArray[np.bool_]
    reason: npt.NDArray[np.int8]
    """Position in `REASONS` (n, s) for each of `SIGNALS` (s,), `JUDGED` where it is judged."""

    def keys(self) -> frozenset[int]:
        """Return the batteries, retired ones as well, of which something is not judged."""
        return frozenset(self.battery_key[self._is_any()].tolist())

    def counts(self) -> Counter[int]:
        """Count the batteries in service of which something is not judged, by the key of their location."""
        return Counter(self.location_key[self._is_any() & ~self.is_retired].tolist())

    def of(self, battery_keys: Iterable[int]) -> dict[int, list[NotJudged]]:
        """Return what is not judged of some batteries, by key; an empty list where everything is judged.

        Raises
        ------
        KeyError
            A battery is not among those that were looked at; it must not pass for one that is judged.
        """
        row_of = {key: row for row, key in enumerate(self.battery_key.tolist())}
        return {key: _objects(self.reason[row_of[key]].tolist()) for key in battery_keys}

    def _is_any(self) -> npt.NDArray[np.bool_]:
        is_any: npt.NDArray[np.bool_] = (self.reason != JUDGED).any(axis=1)
        return is_any


class FindNotJudged(Protocol):
    """Finds what the rules cannot judge; the rules are above the fleet, so `app.parts` supplies it."""

    async def __call__(
        self,
        connection: AsyncConnection,
        now: datetime,
        *,
        visible: Collection[str] | None = None,
        strings: Collection[str] | None = None,
    ) -> NotJudgedBatteries:
        """Look at the batteries of the locations and of the strings with the given codes, None for all."""
        ...


def _objects(reasons: list[int]) -> list[NotJudged]:
    return [
        NotJudged(signal=signal, reason=REASONS[reason])
        for signal, reason in zip(SIGNALS, reasons, strict=True)
        if reason != JUDGED
    ]
