"""When people replace jars, from what they can come to know, with the delays of real organisations.

A policy remembers nothing: it decides from what it is shown and from named streams, so that a run that was
interrupted goes on as if it had not been.
"""

from dataclasses import dataclass
from typing import Final, Protocol

import numpy as np
import numpy.typing as npt

from battery_synth.streams import stream

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]
BoolArray = npt.NDArray[np.bool_]

_DAY_S: Final = 86_400.0
_YEAR_DAYS: Final = 365
_URGENT_DAYS: Final = (3.0, 14.0)


@dataclass(frozen=True, slots=True)
class Findings:
    """What can be found out about jars (n,), string by string; some of it only by those who test."""

    jars: list[str]
    """Names; a new jar has a new one."""
    string_ids: list[str]
    age_days: FloatArray
    failed_since_s: FloatArray
    """Since when a jar has been at its end; beyond any date for the others."""
    is_open: BoolArray
    is_shorted: BoolArray
    """With a cell shorted. The monitor shows both the same day."""
    health: FloatArray
    resistance_ratio: FloatArray
    """Over the jar's own baseline."""

    @property
    def width(self) -> int:
        """Blocks of a string."""
        return len(self.jars) // len(self.string_ids)


class Policy(Protocol):
    """Decides at a midnight which jars are replaced."""

    def swaps(self, at_s: float, found: Findings) -> IntArray:
        """Return the rows (m,) to replace now; ``at_s`` is s since 1970."""
        ...


class Unattended:
    """Nobody replaces anything: what a live world does, whose catalogue would know of a new jar."""

    def swaps(self, at_s: float, found: Findings) -> IntArray:
        """Return nothing."""
        del at_s, found
        return np.empty(0, np.int64)


class RunToFailure:
    """Every jar is used to its end, and replaced 30 to 180 days after: lives end by failure, or by the horizon.

    An open one is replaced within two weeks: it leaves its whole string without charge, and would age its neighbours.
    """

    def __init__(self, seed: int) -> None:
        self._urgent, self._others = _Delays(seed, *_URGENT_DAYS), _Delays(seed, 30.0, 180.0)

    def swaps(self, at_s: float, found: Findings) -> IntArray:
        """Return the rows whose delay is over."""
        failed = found.failed_since_s < at_s
        return np.union1d(
            self._urgent.over(at_s, found, np.flatnonzero(failed & found.is_open)),
            self._others.over(at_s, found, np.flatnonzero(failed & ~found.is_open)),
        )


class Caretaker:
    """A well-run site: dead jars are swapped within two weeks, the others are judged at a yearly review.

    In the review the jars of a string are tested. A weak one (below 80 % of rated, or 50 % above its baseline in
    resistance, the warranty limit of makers) is swapped in a young string that has seen few swaps. An old string, one
    with many weak jars, or one without its capacity is replaced as a whole; between the two the worst jar is swapped.
    Without any weak jar, a string goes when it has stood for its expected life.
    """

    EXPECTED_LIFE_DAYS: Final = 5.0 * 365.25
    YOUNG_SHARE, OLD_SHARE = 0.4, 0.7
    """Parts of the expected life."""
    FEW_SWAPS, MANY_WEAK = 2, 4
    """Of the 24 blocks of a string."""
    WEAK_HEALTH, WARRANTY_RATIO = 0.8, 1.5
    TEST_SD: Final = 0.018
    """A capacity test is good to 3 points in 90 % of cases."""
    _SWAPPED_DAYS: Final = 60.0
    """A jar this much younger than its string's middle came later than the string."""

    def __init__(self, seed: int) -> None:
        self._seed = seed
        self._delays = _Delays(seed, *_URGENT_DAYS)
        self._review_days: dict[str, int] = {}

    def swaps(self, at_s: float, found: Findings) -> IntArray:
        """Return the dead whose spare has come, and what today's reviews ask for."""
        dead = np.flatnonzero((found.is_open | found.is_shorted) & (found.failed_since_s < at_s))
        chosen = [self._delays.over(at_s, found, dead)]
        day = int(at_s // _DAY_S)
        for number, string in enumerate(found.string_ids):
            if (day - self._review_day(string)) % _YEAR_DAYS == 0:
                chosen.append(self._reviewed(found, number, day))
        return np.unique(np.concatenate(chosen))

    def _reviewed(self, found: Findings, number: int, day: int) -> IntArray:
        """Return the rows of one string that its review finds due."""
        rows = np.arange(number * found.width, (number + 1) * found.width)
        noise = stream(self._seed, "tested", found.string_ids[number], day).standard_normal(found.width)
        tested = found.health[rows] + self.TEST_SD * noise
        weak = (tested < self.WEAK_HEALTH) | (found.resistance_ratio[rows] > self.WARRANTY_RATIO)
        age_days = float(np.median(found.age_days[rows]))
        spent = age_days / self.EXPECTED_LIFE_DAYS
        if spent >= 1.0:
            return rows
        if not weak.any():
            return rows[:0]
        if spent > self.OLD_SHARE or weak.sum() > self.MANY_WEAK or tested.mean() < self.WEAK_HEALTH:
            return rows
        earlier = int((found.age_days[rows] < age_days - self._SWAPPED_DAYS).sum())
        if spent < self.YOUNG_SHARE and earlier + weak.sum() <= self.FEW_SWAPS:
            return rows[weak]
        return rows[[int(np.argmin(np.where(weak, tested, np.inf)))]]

    def _review_day(self, string: str) -> int:
        if string not in self._review_days:
            self._review_days[string] = int(stream(self._seed, "review", string).integers(_YEAR_DAYS))
        return self._review_days[string]


class _Delays:
    """How long it takes from a jar's end to its replacement, each jar by its own stream."""

    def __init__(self, seed: int, shortest_days: float, longest_days: float) -> None:
        self._seed, self._range_days = seed, (shortest_days, longest_days)
        self._known_s: dict[str, float] = {}

    def over(self, at_s: float, found: Findings, rows: IntArray) -> IntArray:
        """Return those of the rows whose time has come."""
        delay_s = np.array([self._of(found.jars[row]) for row in rows])
        due: IntArray = rows[at_s - found.failed_since_s[rows] >= delay_s]
        return due

    def _of(self, jar: str) -> float:
        if jar not in self._known_s:
            drawn_days = stream(self._seed, "found", jar).uniform(*self._range_days)
            self._known_s[jar] = float(drawn_days) * _DAY_S
        return self._known_s[jar]
