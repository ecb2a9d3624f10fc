"""The grid seen from a site: mains failures, generator starts and the tests of the year.

Events are drawn a year at a time from named streams, so they are a function of seed, site and time alone.
"""

from bisect import bisect_right
from calendar import monthrange
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

import numpy as np

from battery_synth.sites import Site
from battery_synth.streams import stream

OUTAGES_PER_YEAR: Final = {"northern": 4, "northeastern": 6, "central": 2, "eastern": 3, "southern": 8}
OUTAGE_MEDIAN_MIN: Final = {"northern": 30, "northeastern": 40, "central": 20, "eastern": 27, "southern": 60}
SHORT_EVENTS_PER_YEAR: Final = {"northern": 20, "northeastern": 25, "central": 12, "eastern": 15, "southern": 30}
"""Sustained and short (below 10 s) mains events of a site and year, by region (engineering judgement)."""
_OUTAGE_LOG_SIGMA: Final = 0.9
GENSET_FAILURE: Final = 0.01
"""Share of generator starts that fail and leave the load on the batteries for minutes."""
GENERATOR_TEST: Final = timedelta(seconds=15)
STRING_TEST: Final = timedelta(minutes=12)


@dataclass(frozen=True, slots=True)
class DischargeEvent:
    """A span in which the strings of a site, or one of them in a test, feed the load."""

    start: datetime
    end: datetime
    mains_back: datetime
    string_id: str | None = None

    @property
    def over(self) -> datetime:
        """The instant at which both the batteries and the mains are back to normal."""
        return max(self.end, self.mains_back)


class GridSchedule:
    """Mains events and tests of one site, drawn when their year is first asked for."""

    def __init__(self, seed: int, site: Site, string_ids: tuple[str, ...]) -> None:
        self._seed = seed
        self._site = site
        self._string_ids = string_ids
        self._events: dict[int, list[DischargeEvent]] = {}
        self._changes: dict[int, list[datetime]] = {}

    def discharge_at(self, at: datetime) -> DischargeEvent | None:
        """Return the event that has the batteries feed the load at an instant."""
        event = self._latest(at)
        return event if event is not None and at < event.end else None

    def mains_at(self, at: datetime) -> bool:
        """Say whether the grid feeds the site; the generator may carry the load while it does not."""
        event = self._latest(at)
        return event is None or event.string_id is not None or at >= event.mains_back

    def next_change_after(self, at: datetime) -> datetime:
        """Return the next instant at which a discharge begins or ends; at the latest the end of the year."""
        self.events_of(at.year)
        changes = self._changes[at.year]
        index = bisect_right(changes, at)
        return changes[index] if index < len(changes) else datetime(at.year + 1, 1, 1, tzinfo=UTC)

    def events_of(self, year: int) -> list[DischargeEvent]:
        """Return the events of a year in order, none overlapping another."""
        if year not in self._events:
            random = stream(self._seed, "grid", self._site.code, year)
            drawn = [*self._outages(random, year), *self._short_events(random, year), *self._tests(random, year)]
            # Events that would reach into the next year are left out, so that a year can be looked at alone.
            year_end = datetime(year + 1, 1, 1, tzinfo=UTC)
            within = sorted((event for event in drawn if event.over < year_end), key=lambda event: event.start)
            self._events[year] = events = _without_overlaps(within)
            self._changes[year] = sorted(instant for event in events for instant in (event.start, event.end))
        return self._events[year]

    def _latest(self, at: datetime) -> DischargeEvent | None:
        events = self.events_of(at.year)
        index = bisect_right(events, at, key=lambda event: event.start) - 1
        return events[index] if index >= 0 else None

    def _outages(self, random: np.random.Generator, year: int) -> list[DischargeEvent]:
        events = []
        for start in self._instants(random, year, OUTAGES_PER_YEAR[self._site.region]):
            median_s = OUTAGE_MEDIAN_MIN[self._site.region] * 60.0
            length = _span(float(median_s * np.exp(_OUTAGE_LOG_SIGMA * random.standard_normal())))
            # The generator takes the load within 10 to 30 s; a failed start is mended by hand after some minutes.
            on_battery = _span(random.uniform(10, 30))
            if random.random() < GENSET_FAILURE:
                on_battery = _span(random.uniform(300, 1500))
            events.append(DischargeEvent(start, start + min(on_battery, length), start + length))
        return events

    def _short_events(self, random: np.random.Generator, year: int) -> list[DischargeEvent]:
        events = []
        for start in self._instants(random, year, SHORT_EVENTS_PER_YEAR[self._site.region]):
            end = start + _span(random.uniform(2, 9))
            events.append(DischargeEvent(start, end, end))
        return events

    def _tests(self, random: np.random.Generator, year: int) -> list[DischargeEvent]:
        """Draw the monthly generator tests, and once a year a partial discharge of each string."""
        events = []
        for month in range(1, 13):
            start = datetime(year, month, 1 + int(random.integers(0, 27)), 3, 5, tzinfo=UTC)
            events.append(DischargeEvent(start, start + GENERATOR_TEST, start + GENERATOR_TEST))
        for number, string_id in enumerate(self._string_ids):
            # One string a day at most: the load is never without the others.
            day = int(random.integers(0, 360 // len(self._string_ids))) * len(self._string_ids) + number
            start = datetime(year, 1, 1, 4, 20, tzinfo=UTC) + timedelta(days=day)
            events.append(DischargeEvent(start, start + STRING_TEST, start, string_id))
        return events

    def _instants(self, random: np.random.Generator, year: int, rate_per_year: float) -> list[datetime]:
        """Draw instants over a year, denser in the storm months of the site."""
        weights = np.array([storm_factor(self._site.climate_zone, month) for month in range(1, 13)])
        counts = random.poisson(rate_per_year / weights.sum() * weights)
        instants = []
        for month, count in enumerate(counts, start=1):
            first, days = datetime(year, month, 1, tzinfo=UTC), monthrange(year, month)[1]
            instants += [first + _span(float(s)) for s in random.uniform(0, days * 86_400, int(count))]
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


def _span(seconds: float) -> timedelta:
    """Return a span in steps of 0.1 s, the time base of the sensors."""
    return timedelta(seconds=round(seconds, 1))


def _without_overlaps(events: list[DischargeEvent]) -> list[DischargeEvent]:
    kept: list[DischargeEvent] = []
    for event in events:
        if not kept or event.start >= kept[-1].over:
            kept.append(event)
    return kept
