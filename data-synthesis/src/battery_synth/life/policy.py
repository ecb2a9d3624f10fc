"""When batteries are replaced, given what people can know and the delays of real organisations.

A policy keeps no state: it decides from its findings and from named streams, so that an interrupted run continues as if
it had not been interrupted.
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
    """What can be known of batteries (n,), string by string; some of it only by testing."""

    names: list[str]
    """Names; a new battery has a new one."""
    string_ids: list[str]
    age_days: FloatArray
    failed_since_s: FloatArray
    """Since when a battery has been at its end of life, in s since 1970; beyond any date for the others."""
    is_open: BoolArray
    is_shorted: BoolArray
    """Whether a cell is shorted. The monitor shows this and an open block the same day."""
    health: FloatArray
    resistance_ratio: FloatArray
    """Over the battery's own baseline."""

    @property
    def width(self) -> int:
        """Number of batteries per string."""
        return len(self.names) // len(self.string_ids)


class Policy(Protocol):
    """Decides at a midnight which batteries are replaced."""

    def swaps(self, at_s: float, findings: Findings) -> IntArray:
        """Return the rows (m,) to replace now; ``at_s`` is in s since 1970."""
        ...


class Unattended:
    """No replacements: the live world, whose catalogue would have to list a new battery."""

    def swaps(self, at_s: float, findings: Findings) -> IntArray:
        """Return no rows."""
        del at_s, findings
        return np.empty(0, np.int64)


class RunToFailure:
    """Every battery is used until it fails and replaced 30 to 180 days later: lives end by failure or at the horizon.

    An open one is replaced within two weeks: it leaves its whole string without charge, and would age the others in it.
    """

    def __init__(self, seed: int) -> None:
        self._urgent, self._others = _Delays(seed, *_URGENT_DAYS), _Delays(seed, 30.0, 180.0)

    def swaps(self, at_s: float, findings: Findings) -> IntArray:
        """Return the rows whose delay has passed."""
        failed = findings.failed_since_s < at_s
        return np.union1d(
            self._urgent.passed(at_s, findings, np.flatnonzero(failed & findings.is_open)),
            self._others.passed(at_s, findings, np.flatnonzero(failed & ~findings.is_open)),
        )


class PlannedMaintenance:
    """A well-run location: failed batteries are swapped within two weeks, the others are tested at a yearly review.

    In the review the batteries of a string are tested. A weak one (below 80 % of rated capacity, or 50 % above its
    baseline in resistance, the warranty limit of manufacturers) is swapped in a young string with few earlier swaps. An
    old string, one with many weak batteries, or one without its capacity is replaced as a whole; in between, the worst
    battery is swapped. A string without weak batteries is replaced at the end of its expected life.
    """

    EXPECTED_LIFE_DAYS: Final = 5.0 * 365.25
    YOUNG_SHARE, OLD_SHARE = 0.4, 0.7
    """Fractions of the expected life."""
    FEW_SWAPS, MANY_WEAK = 2, 4
    """Of the 24 batteries of a string."""
    WEAK_HEALTH, WARRANTY_RATIO = 0.8, 1.5
    TEST_SD: Final = 0.018
    """A capacity test is accurate to 3 points in 90 % of cases."""
    _SWAPPED_DAYS: Final = 60.0
    """A battery this much younger than the median of its string was installed later than the string."""

    def __init__(self, seed: int) -> None:
        self._seed = seed
        self._delays = _Delays(seed, *_URGENT_DAYS)
        self._review_days: dict[str, int] = {}

    def swaps(self, at_s: float, findings: Findings) -> IntArray:
        """Return the failed batteries whose spare has arrived, and those that today's reviews replace."""
        failed = np.flatnonzero((findings.is_open | findings.is_shorted) & (findings.failed_since_s < at_s))
        chosen = [self._delays.passed(at_s, findings, failed)]
        day = int(at_s // _DAY_S)
        for number, string in enumerate(findings.string_ids):
            if (day - self._review_day(string)) % _YEAR_DAYS == 0:
                chosen.append(self._reviewed(findings, number, day))
        return np.unique(np.concatenate(chosen))

    def _reviewed(self, findings: Findings, number: int, day: int) -> IntArray:
        """Return the rows of one string that its review replaces."""
        rows = np.arange(number * findings.width, (number + 1) * findings.width)
        noise = stream(self._seed, "tested", findings.string_ids[number], day).standard_normal(findings.width)
        tested = findings.health[rows] + self.TEST_SD * noise
        weak = (tested < self.WEAK_HEALTH) | (findings.resistance_ratio[rows] > self.WARRANTY_RATIO)
        age_days = float(np.median(findings.age_days[rows]))
        spent = age_days / self.EXPECTED_LIFE_DAYS
        if spent >= 1.0:
            return rows
        if not weak.any():
            return rows[:0]
        if spent > self.OLD_SHARE or weak.sum() > self.MANY_WEAK or tested.mean() < self.WEAK_HEALTH:
            return rows
        earlier = int((findings.age_days[rows] < age_days - self._SWAPPED_DAYS).sum())
        if spent < self.YOUNG_SHARE and earlier + weak.sum() <= self.FEW_SWAPS:
            return rows[weak]
        return rows[[int(np.argmin(np.where(weak, tested, np.inf)))]]

    def _review_day(self, string: str) -> int:
        if string not in self._review_days:
            self._review_days[string] = int(stream(self._seed, "review", string).integers(_YEAR_DAYS))
        return self._review_days[string]


class _Delays:
    """The time from a battery's failure to its replacement, each battery by its own stream."""

    def __init__(self, seed: int, shortest_days: float, longest_days: float) -> None:
        self._seed, self._range_days = seed, (shortest_days, longest_days)
        self._delay_s: dict[str, float] = {}

    def passed(self, at_s: float, findings: Findings, rows: IntArray) -> IntArray:
        """Return those of the rows whose delay has passed."""
        delay_s = np.array([self._of(findings.names[row]) for row in rows])
        due: IntArray = rows[at_s - findings.failed_since_s[rows] >= delay_s]
        return due

    def _of(self, name: str) -> float:
        if name not in self._delay_s:
            drawn_days = stream(self._seed, "found", name).uniform(*self._range_days)
            self._delay_s[name] = float(drawn_days) * _DAY_S
        return self._delay_s[name]
