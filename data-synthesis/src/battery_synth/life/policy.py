"""When people replace jars, from what they can come to know, with the delays of real organisations."""

from typing import Final, Protocol

import numpy as np
import numpy.typing as npt

from battery_synth.streams import stream

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]
BoolArray = npt.NDArray[np.bool_]

_DAY_S: Final = 86_400.0


class Policy(Protocol):
    """Decides at a midnight which jars are replaced."""

    def swaps(
        self, at_s: float, jars: list[str], failed_since_s: FloatArray, is_dead: BoolArray, age_days: FloatArray, width: int
    ) -> IntArray:
        """Return the rows (m,) to replace now.

        Parameters
        ----------
        at_s
            s since 1970.
        jars
            (n,) names, string by string.
        failed_since_s
            (n,) since when a jar has been at its end; infinite for the others.
        is_dead
            (n,) open or with a shorted cell: the monitor shows it the same day.
        age_days
            (n,) since installation.
        width
            Blocks of a string.
        """
        ...


class Unattended:
    """Nobody replaces anything: what a live world does, whose catalogue would know of a new jar."""

    def swaps(
        self, at_s: float, jars: list[str], failed_since_s: FloatArray, is_dead: BoolArray, age_days: FloatArray, width: int
    ) -> IntArray:
        """Return nothing; see `Policy`."""
        del at_s, jars, failed_since_s, is_dead, age_days, width
        return np.empty(0, np.int64)


class RunToFailure:
    """Every jar is used to its end, and replaced 30 to 180 days after: lives end by failure, or by the horizon."""

    def __init__(self, seed: int) -> None:
        self._seed = seed

    def swaps(
        self, at_s: float, jars: list[str], failed_since_s: FloatArray, is_dead: BoolArray, age_days: FloatArray, width: int
    ) -> IntArray:
        """Return the rows whose delay is over; see `Policy`."""
        del is_dead, age_days, width
        failed = np.flatnonzero(failed_since_s < at_s)
        delay_s = np.array([stream(self._seed, "found", jars[row]).uniform(30.0, 180.0) * _DAY_S for row in failed])
        due: IntArray = failed[at_s - failed_since_s[failed] >= delay_s] if len(failed) else failed
        return due


class Caretaker:
    """A well-run site: dead jars are swapped within two weeks, weak ones at the next test, old strings as a whole.

    A string is replaced when its jars are 5.5 years old in the middle, or more than 4 of 24 are at their end.
    """

    STRING_AGE_DAYS: Final = 5.5 * 365.25
    STRING_SHARE: Final = 4.0 / 24.0

    def __init__(self, seed: int) -> None:
        self._seed = seed

    def swaps(
        self, at_s: float, jars: list[str], failed_since_s: FloatArray, is_dead: BoolArray, age_days: FloatArray, width: int
    ) -> IntArray:
        """Return what is replaced now; see `Policy`."""
        failed = failed_since_s < at_s
        by_string = failed.reshape(-1, width)
        # A decision takes a quarter: whole strings change on the first days of one.
        old = np.median(age_days.reshape(-1, width), axis=1) >= self.STRING_AGE_DAYS
        weak = by_string.mean(axis=1) > self.STRING_SHARE
        quarter_day = int(at_s // _DAY_S) % 91 == 0
        whole = np.repeat((old | weak) & quarter_day, width)
        single = np.zeros(len(jars), bool)
        for row in np.flatnonzero(failed & ~whole):
            longest = (3.0, 14.0) if is_dead[row] else (30.0, 400.0)
            delay_s = stream(self._seed, "found", jars[row]).uniform(*longest) * _DAY_S
            single[row] = at_s - failed_since_s[row] >= delay_s
        chosen: IntArray = np.flatnonzero(whole | single)
        return chosen
