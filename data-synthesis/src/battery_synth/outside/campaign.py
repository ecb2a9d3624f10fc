"""Capacity tests of a span of time, so that it holds evidence of capacity in any season."""

from dataclasses import dataclass
from typing import Final

import numpy as np

from battery_synth.streams import stream

SHORTEST_DAYS: Final = 14.0
"""A shorter history has no campaign: there is no room for a test, its recharge and what follows."""
LONGEST_DAYS: Final = 90.0
FIRST_DAYS, LAST_DAYS = 3.0, 4.0
"""Days at the two ends of a campaign without a test: before it the strings are seen on float, after it recharging."""
STRINGS_PER_TEST: Final = 3
"""One string in so many is tested."""
_DAY_S, _HOUR_S = 86_400.0, 3600.0
_BEGINS_S: Final = 2.0 * _HOUR_S
"""09:00 in Bangkok after midnight UTC, so that a test of hours ends in the afternoon of the same day."""
_WEEKDAY_OF_DAY_0: Final = 3
"""1 January 1970 was a Thursday."""


@dataclass(frozen=True, slots=True)
class Campaign:
    """A span with capacity tests of its own, in place of those of the yearly plan; times in s since 1970."""

    start_s: float
    end_s: float

    @classmethod
    def at_the_end_of(cls, start_s: float, end_s: float) -> "Campaign | None":
        """Return the campaign of a history: its last 90 days, or none if it is short."""
        if end_s - start_s < SHORTEST_DAYS * _DAY_S:
            return None
        return cls(max(start_s, end_s - LONGEST_DAYS * _DAY_S), end_s)

    def covers(self, at_s: float) -> bool:
        """Return whether the campaign decides which tests begin at an instant."""
        return self.start_s <= at_s < self.end_s

    def tests(self, seed: int, location: str, strings: int, length_s: float) -> list[tuple[int, float]]:
        """Return which strings of a location are tested and when each test of some length begins.

        Every third string has a test, at least one does, and none has two. The tests are spread over the campaign, one
        a day at most, at working hours.
        """
        days = self._working_days(length_s)
        count = min(max(round(strings / STRINGS_PER_TEST), 1), strings, len(days))
        if not count:
            return []
        random = stream(seed, "campaign", location, round(self.start_s), round(self.end_s))
        chosen = random.permutation(strings)[:count].tolist()
        starts_s = [float(random.choice(part)) * _DAY_S + _BEGINS_S for part in np.array_split(days, count)]
        return list(zip(chosen, starts_s, strict=True))

    def _working_days(self, length_s: float) -> list[int]:
        """Return the days since 1970 on which a test fits between the margins."""
        earliest_s, latest_s = self.start_s + FIRST_DAYS * _DAY_S, self.end_s - LAST_DAYS * _DAY_S - length_s
        first = int(np.ceil((earliest_s - _BEGINS_S) / _DAY_S))
        last = int(np.floor((latest_s - _BEGINS_S) / _DAY_S))
        return [day for day in range(first, last + 1) if (day + _WEEKDAY_OF_DAY_0) % 7 < 5]
