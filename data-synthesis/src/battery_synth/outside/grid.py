"""The mains of a location: failures, generator starts and the tests of the year.

Events are drawn one year at a time from named streams, so they are a function of seed, location and time only.
"""

from bisect import bisect_left
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final, Literal

import numpy as np
import numpy.typing as npt

from battery_synth.outside.campaign import Campaign
from battery_synth.outside.climate import year_of, year_start_s
from battery_synth.outside.habits import Habits
from battery_synth.outside.locations import LocationProfile
from battery_synth.streams import stream

FloatArray = npt.NDArray[np.float64]

OUTAGES_PER_YEAR: Final = {"northern": 4, "northeastern": 6, "central": 2, "eastern": 3, "southern": 8}
OUTAGE_MEDIAN_MIN: Final = {"northern": 30, "northeastern": 40, "central": 20, "eastern": 27, "southern": 60}
SHORT_EVENTS_PER_YEAR: Final = {"northern": 20, "northeastern": 25, "central": 12, "eastern": 15, "southern": 30}
"""Sustained and short (below 10 s) mains events per location and year, by region (engineering judgement)."""
OUTAGE_LOG_SIGMA: Final = 0.9
GENSET_FAILURE: Final = 0.01
"""Share of generator starts that fail and leave the load on the batteries for minutes."""
GENERATOR_TEST_S: Final = 15.0
STRING_TEST_S: Final = 720.0
CAPACITY_TEST_S: Final = 5.0 * 3600.0
CAPACITY_TEST_PER_AH: Final = 0.23
"""About the four-hour rate: 27.6 A for 120 Ah."""
CAPACITY_TEST_MONTHS: Final = (11, 12, 1, 2)
"""The yearly plan has capacity tests in the cool season, at the locations whose habit they are."""
PARTIAL_TEST_S: Final = 3000.0
PARTIAL_TEST_PER_AH: Final = 0.4
"""A partial test of 50 minutes at 48 A for 120 Ah takes a third of the capacity and reaches no cut-off."""
_HOUR_S, _DAY_S = 3600.0, 86_400.0
_LONGEST_S: Final = 3.0 * _DAY_S

DischargeKind = Literal["outage", "short", "generator_test", "string_test", "capacity_test"]


@dataclass(frozen=True, slots=True)
class DischargeSpan:
    """A span in which the strings of a location, or one of them in a test, feed the load; times in s since 1970."""

    start_s: float
    end_s: float
    mains_back_s: float
    kind: DischargeKind
    string: int | None = None
    current_a: float | None = None
    """Current of a capacity test; None where the load draws constant power."""
    genset_failed: bool = False
    rectifier_end_s: float | None = None
    """Until when the strings of rectifiers feed the load after ``end_s``; None where they end with the others."""
    rectifiers_only: bool = False

    @property
    def rest_of_rectifiers(self) -> "DischargeSpan | None":
        """The span in which only the strings of rectifiers still feed the load."""
        if self.rectifier_end_s is None or self.rectifier_end_s <= self.end_s:
            return None
        return DischargeSpan(self.end_s, self.rectifier_end_s, self.mains_back_s, self.kind, rectifiers_only=True)

    @property
    def over_s(self) -> float:
        """The instant at which both the batteries and the mains are back to normal."""
        return max(self.end_s, self.mains_back_s)


class Grid:
    """Mains events and tests of one location, drawn when their year is first needed.

    Of two at once that of ``extra`` or of the campaign is kept.
    """

    def __init__(
        self,
        seed: int,
        location: LocationProfile,
        strings: int,
        rated_ah: float,
        extra: tuple[DischargeSpan, ...] = (),
        *,
        campaign: Campaign | None = None,
    ) -> None:
        self._seed, self._location, self._strings = seed, location, strings
        self._rated_ah, self._campaign = rated_ah, campaign
        self._habits = Habits.of(seed, location.code)
        self._planned = [*extra, *self._campaign_tests()]
        self._years: dict[int, list[DischargeSpan]] = {}

    def discharges(self, start_s: float, end_s: float) -> list[DischargeSpan]:
        """Return the events that overlap [start, end), in order and without overlaps."""
        matching = []
        for year in range(year_of(start_s), year_of(end_s) + 1):
            events = self._of_year(year)
            first = bisect_left(events, start_s - _LONGEST_S, key=lambda event: event.start_s)
            for event in events[first:]:
                if event.start_s >= end_s:
                    break
                if event.over_s > start_s:
                    matching.append(event)
        return matching

    def mains(self, at_s: FloatArray) -> npt.NDArray[np.bool_]:
        """Return whether the mains feed the location; the generator may carry the load while they do not."""
        available = np.ones(len(at_s), bool)
        if len(at_s):
            for event in self.discharges(float(at_s.min()), float(at_s.max()) + 1.0):
                if event.kind in {"outage", "short"}:
                    available &= ~((at_s >= event.start_s) & (at_s < event.mains_back_s))
        return available

    def _of_year(self, year: int) -> list[DischargeSpan]:
        if year not in self._years:
            random = stream(self._seed, "grid", self._location.code, year)
            drawn = [*self._outages(random, year), *self._short_events(random, year), *self._tests(random, year)]
            drawn += self._capacity_tests(year)
            # Events that would reach into the next year are dropped, so that each year stands alone.
            end_s = year_start_s(year + 1)
            drawn = [event for event in drawn if event.over_s < end_s]
            planned = [event for event in self._planned if year_of(event.start_s) == year]
            self._years[year] = _without_overlaps(planned, sorted(drawn, key=lambda event: event.start_s))
        return self._years[year]

    def _outages(self, random: np.random.Generator, year: int) -> list[DischargeSpan]:
        events = []
        for start_s in self._instants(random, year, OUTAGES_PER_YEAR[self._location.region]):
            median_s = OUTAGE_MEDIAN_MIN[self._location.region] * 60.0
            length_s = _tenths(float(median_s * np.exp(OUTAGE_LOG_SIGMA * random.standard_normal())))
            # The generator takes the load within 10 to 30 s; a failed start is fixed by hand within minutes.
            on_battery_s, failed = _tenths(random.uniform(10, 30)), bool(random.random() < GENSET_FAILURE)
            if failed:
                on_battery_s = _tenths(random.uniform(300, 1500))
            end_s = start_s + min(on_battery_s, length_s)
            back_s = start_s + length_s
            rectifier_end_s = back_s if self._habits.rectifiers_off_generator else None
            events.append(
                DischargeSpan(start_s, end_s, back_s, "outage", genset_failed=failed, rectifier_end_s=rectifier_end_s)
            )
        return events

    def _short_events(self, random: np.random.Generator, year: int) -> list[DischargeSpan]:
        events = []
        for start_s in self._instants(random, year, SHORT_EVENTS_PER_YEAR[self._location.region]):
            end_s = start_s + _tenths(random.uniform(2, 9))
            events.append(DischargeSpan(start_s, end_s, end_s, "short"))
        return events

    def _tests(self, random: np.random.Generator, year: int) -> list[DischargeSpan]:
        """Draw the monthly generator tests, and the yearly discharge of each string where strings are tested.

        It is short and under the load, or where partial tests are the habit a longer one at a fixed current.
        """
        events = []
        for month in range(1, 13):
            start_s = datetime(year, month, 1 + int(random.integers(0, 27)), 3, 5, tzinfo=UTC).timestamp()
            events.append(DischargeSpan(start_s, start_s + GENERATOR_TEST_S, start_s, "generator_test"))
        for string in range(self._strings):
            # Spread over the year by the string's number: at most one test per day at a location with nine strings.
            day = int(random.integers(0, max(360 // self._strings, 1))) * self._strings + string
            start_s = year_start_s(year) + _DAY_S * (day % 360) + 4 * _HOUR_S + 1200.0 * (1 + day // 360 % 40)
            if self._habits.testing == "full":
                events.append(DischargeSpan(start_s, start_s + STRING_TEST_S, start_s, "string_test", string))
            elif self._habits.testing == "partial" and not self._is_campaign(start_s):
                partial_a = PARTIAL_TEST_PER_AH * self._rated_ah
                end_s = start_s + PARTIAL_TEST_S
                events.append(DischargeSpan(start_s, end_s, start_s, "string_test", string, partial_a))
        return events

    def _capacity_tests(self, year: int) -> list[DischargeSpan]:
        """Plan the year's capacity tests: every string in every second or third year, or none.

        They follow one after another in the cool months.
        """
        events: list[DischargeSpan] = []
        if self._habits.testing != "full":
            return events
        days = [(month, day) for month in CAPACITY_TEST_MONTHS for day in range(2, 27)]
        for string in range(self._strings):
            if (string + year) % self._habits.full_test_years:
                continue
            month, day = days[(string * 7 + year) % len(days)]
            start_s = datetime(year, month, day, 2, tzinfo=UTC).timestamp()
            if not self._is_campaign(start_s):
                events.append(self._capacity_test(string, start_s))
        return events

    def _is_campaign(self, at_s: float) -> bool:
        """Return whether a campaign decides which strings are tested at an instant."""
        return self._campaign is not None and self._campaign.covers(at_s)

    def _campaign_tests(self) -> list[DischargeSpan]:
        if self._campaign is None:
            return []
        tests = self._campaign.tests(self._seed, self._location.code, self._strings, CAPACITY_TEST_S)
        return [self._capacity_test(string, start_s) for string, start_s in tests]

    def _capacity_test(self, string: int, start_s: float) -> DischargeSpan:
        return DischargeSpan(
            start_s, start_s + CAPACITY_TEST_S, start_s, "capacity_test", string, CAPACITY_TEST_PER_AH * self._rated_ah
        )

    def _instants(self, random: np.random.Generator, year: int, rate_per_year: float) -> list[float]:
        """Draw instants over a year, denser in the storm months of the location."""
        weights = np.array([storm_factor(self._location.climate_zone, month) for month in range(1, 13)])
        counts = random.poisson(rate_per_year / weights.sum() * weights)
        instants = []
        for month, count in enumerate(counts, start=1):
            first_s = datetime(year, month, 1, tzinfo=UTC).timestamp()
            next_s = datetime(year + month // 12, month % 12 + 1, 1, tzinfo=UTC).timestamp()
            instants += [first_s + _tenths(float(s)) for s in random.uniform(0, next_s - first_s, int(count))]
        return sorted(instants)


def storm_factor(zone: str, month: int) -> float:
    """Return how much more often than on average the mains fail in a month (engineering judgement)."""
    if zone == "S-Gulf" and month in {10, 11, 12}:
        return 1.7
    if zone == "S-Andaman" and 5 <= month <= 10:
        return 1.5
    if month in {4, 5}:
        return 1.5
    return 1.3 if 6 <= month <= 10 else 0.7


def _tenths(seconds: float) -> float:
    """Return a span in steps of 0.1 s, the time base of the sensors."""
    return round(seconds, 1)


def _without_overlaps(planned: list[DischargeSpan], drawn: list[DischargeSpan]) -> list[DischargeSpan]:
    """Return events in order of their start; of two that overlap the one listed first is kept."""
    kept: list[DischargeSpan] = []
    for event in (*planned, *drawn):
        # Drawn events are in order, so that only the latest of them reach so far; planned ones may lie anywhere.
        others = (*kept[: len(planned)], *kept[-40:])
        if all(event.start_s >= other.over_s or event.over_s <= other.start_s for other in others):
            kept.append(event)
    return sorted(kept, key=lambda event: event.start_s)
