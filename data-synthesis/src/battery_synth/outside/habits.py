"""What a location's people do every year or never: tests of capacity, and work on the contacts of the batteries."""

from dataclasses import dataclass
from functools import lru_cache
from typing import Final, Literal

from battery_synth.outside.climate import year_of, year_start_s
from battery_synth.outside.locations import LOCATIONS
from battery_synth.streams import stream

TestingHabit = Literal["never", "full", "partial"]

TESTING_HABITS: Final[tuple[TestingHabit, ...]] = ("never", "full", "partial")
"""A third of the locations each (engineering judgement): no test of a string at all; a capacity test of every string
in every second or third year; a partial test of every string once a year."""
FULL_TEST_YEARS: Final = (2, 3)
RETORQUED_SHARE: Final = 2.0 / 3.0
"""Share of the locations that retorque the contacts once a year (engineering judgement)."""
RECTIFIERS_OFF_GENERATOR_SHARE: Final = 0.5
"""Share of the locations whose generator does not carry the rectifiers: their batteries do until the mains are back
(engineering judgement: such plants are sized for hours)."""
_VISIT_SPREAD_DAYS: Final = 30.0
_DAY_S: Final = 86_400.0


@dataclass(frozen=True, slots=True)
class Habits:
    """The habits of one location, the same in every year of a world."""

    seed: int
    location: str
    testing: TestingHabit
    full_test_years: int
    """Years between two capacity tests of a string, where there are any."""
    retorques: bool
    rectifiers_off_generator: bool

    @classmethod
    def of(cls, seed: int, location: str) -> "Habits":
        """Draw the habits of a location; over all locations each habit has its share exactly."""
        codes = [each.code for each in LOCATIONS]
        number, count = codes.index(location), len(codes)
        testing = int(stream(seed, "testing-habit").permutation(count)[number]) * len(TESTING_HABITS) // count
        retorques = int(stream(seed, "retorque-habit").permutation(count)[number]) < round(RETORQUED_SHARE * count)
        off_generator = int(stream(seed, "rectifier-habit").permutation(count)[number])
        years = int(stream(seed, "testing-years", location).choice(FULL_TEST_YEARS))
        return cls(
            seed,
            location,
            TESTING_HABITS[testing],
            years,
            retorques,
            off_generator < round(RECTIFIERS_OFF_GENERATOR_SHARE * count),
        )

    def last_retorque_s(self, at_s: float) -> float:
        """Return the last instant up to ``at_s`` at which the contacts were retorqued; -infinity if they never are."""
        if not self.retorques:
            return float("-inf")
        year = year_of(at_s)
        visits = [_visit_s(self.seed, self.location, each) for each in (year - 1, year)]
        return max(visit_s for visit_s in visits if visit_s <= at_s)


@lru_cache(maxsize=4096)
def _visit_s(seed: int, location: str, year: int) -> float:
    """Return a location's maintenance visit of a year, in s since 1970: about the same time each year."""
    usual = float(stream(seed, "retorque", location).uniform(0.0, 365.0 - _VISIT_SPREAD_DAYS))
    shift = float(stream(seed, "retorque", location, year).uniform(0.0, _VISIT_SPREAD_DAYS))
    return year_start_s(year) + round((usual + shift) * _DAY_S)
