"""What happens to a site from outside: mains failures, generator starts, tests, air-conditioning faults.

Everything here is drawn a year at a time from named streams, so it is a function of seed, site and time alone.
"""

from bisect import bisect_right
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
_GENSET_FAILS: Final = 0.01
_HVAC_FAILURES_PER_YEAR: Final = 0.5
_HVAC_REPAIR_MEDIAN_H: Final = 5.0


@dataclass(frozen=True, slots=True)
class DischargeEvent:
    """A span in which the strings of a site, or one of them in a test, feed the load."""

    start: datetime
    end: datetime
    mains_back: datetime
    string_id: str | None = None


@dataclass(frozen=True, slots=True)
class HvacEvent:
    """A span in which the air conditioning fails, or drifts by ``offset_c``."""

    start: datetime
    end: datetime
    failed: bool
    offset_c: float


class SiteSchedule:
    """Events of one site, drawn when their year is first asked for."""

    def __init__(self, seed: int, site: Site, string_ids: tuple[str, ...]) -> None:
        self._seed = seed
        self._site = site
        self._string_ids = string_ids
        self._discharges: dict[int, list[DischargeEvent]] = {}
        self._hvac: dict[int, list[HvacEvent]] = {}

    def discharge_at(self, at: datetime) -> DischargeEvent | None:
        """Return the event that has the batteries feed the load at an instant."""
        return _covering(self._year_of_discharges(at.year), at)

    def mains_at(self, at: datetime) -> bool:
        """Say whether the grid feeds the site; the generator may carry the load while it does not."""
        events = self._year_of_discharges(at.year)
        index = bisect_right(events, at, key=lambda event: event.start) - 1
        return not (index >= 0 and events[index].string_id is None and at < events[index].mains_back)

    def hvac_at(self, at: datetime) -> HvacEvent | None:
        """Return the fault of the air conditioning at an instant."""
        return next((event for event in self._year_of_hvac(at.year) if event.start <= at < event.end), None)

    def next_change_after(self, at: datetime) -> datetime:
        """Return the next instant at which a discharge begins or ends; at the latest the end of the year."""
        year_end = datetime(at.year + 1, 1, 1, tzinfo=UTC)
        instants = (instant for event in self._year_of_discharges(at.year) for instant in (event.start, event.end))
        return min((instant for instant in instants if instant > at), default=year_end)

    def _year_of_discharges(self, year: int) -> list[DischargeEvent]:
        if year not in self._discharges:
            random = stream(self._seed, "grid", self._site.code, year)
            events = [*self._outages(random, year), *self._short_events(random, year), *self._tests(random, year)]
            self._discharges[year] = _without_overlaps(sorted(events, key=lambda event: event.start))
        return self._discharges[year]

    def _outages(self, random: np.random.Generator, year: int) -> list[DischargeEvent]:
        events = []
        for start in self._instants(random, year, OUTAGES_PER_YEAR[self._site.region]):
            median_s = OUTAGE_MEDIAN_MIN[self._site.region] * 60.0
            length_s = float(median_s * np.exp(_OUTAGE_LOG_SIGMA * random.standard_normal()))
            # The generator takes the load within 10 to 30 s; a failed start is mended by hand after some minutes.
            on_battery_s = random.uniform(10, 30)
            if random.random() < _GENSET_FAILS:
                on_battery_s = random.uniform(300, 1500)
            end = start + timedelta(seconds=min(on_battery_s, length_s))
            events.append(DischargeEvent(start, end, start + timedelta(seconds=length_s)))
        return events

    def _short_events(self, random: np.random.Generator, year: int) -> list[DischargeEvent]:
        events = []
        for start in self._instants(random, year, SHORT_EVENTS_PER_YEAR[self._site.region]):
            end = start + timedelta(seconds=random.uniform(2, 9))
            events.append(DischargeEvent(start, end, end))
        return events

    def _tests(self, random: np.random.Generator, year: int) -> list[DischargeEvent]:
        """Monthly generator tests of 15 s, and once a year a partial discharge of 12 min of each string."""
        events = []
        for month in range(1, 13):
            start = datetime(year, month, 1 + int(random.integers(0, 27)), 3, 0, tzinfo=UTC)
            end = start + timedelta(seconds=15)
            events.append(DischargeEvent(start, end, end))
        for string_id in self._string_ids:
            day = int(random.integers(0, 364))
            start = datetime(year, 1, 1, 4, 0, tzinfo=UTC) + timedelta(days=day)
            end = start + timedelta(minutes=12)
            events.append(DischargeEvent(start, end, start, string_id))
        return events

    def _instants(self, random: np.random.Generator, year: int, rate_per_year: float) -> list[datetime]:
        """Draw instants over a year, denser in the storm months of the site."""
        weights = np.array([_storm_factor(self._site.climate_zone, month) for month in range(1, 13)])
        counts = random.poisson(rate_per_year / weights.sum() * weights)
        instants = []
        for month, count in enumerate(counts, start=1):
            first = datetime(year, month, 1, tzinfo=UTC)
            instants += [first + timedelta(seconds=float(s)) for s in random.uniform(0, 28 * 86_400, int(count))]
        return sorted(instants)

    def _year_of_hvac(self, year: int) -> list[HvacEvent]:
        if year not in self._hvac:
            random = stream(self._seed, "hvac", self._site.code, year)
            first = datetime(year, 1, 1, tzinfo=UTC)
            events = []
            for _ in range(int(random.poisson(_HVAC_FAILURES_PER_YEAR * (2.0 - self._site.hvac_quality)))):
                start = first + timedelta(days=random.uniform(0, 364))
                hours = float(np.clip(_HVAC_REPAIR_MEDIAN_H * np.exp(0.7 * random.standard_normal()), 2, 24))
                events.append(HvacEvent(start, start + timedelta(hours=hours), failed=True, offset_c=0.0))
            for _ in range(int(random.poisson(1.5 * (1.0 - self._site.hvac_quality)))):
                start = first + timedelta(days=random.uniform(0, 340))
                span = timedelta(days=random.uniform(10, 50))
                events.append(HvacEvent(start, start + span, failed=False, offset_c=random.uniform(2, 6)))
            self._hvac[year] = sorted(events, key=lambda event: event.start)
        return self._hvac[year]


def _storm_factor(zone: str, month: int) -> float:
    if zone == "S-Gulf" and month in {10, 11, 12}:
        return 1.7
    if zone == "S-Andaman" and 5 <= month <= 10:
        return 1.5
    if month in {4, 5}:
        return 1.5
    return 1.3 if 6 <= month <= 10 else 0.7


def _without_overlaps(events: list[DischargeEvent]) -> list[DischargeEvent]:
    kept: list[DischargeEvent] = []
    for event in events:
        if not kept or event.start >= max(kept[-1].end, kept[-1].mains_back):
            kept.append(event)
    return kept


def _covering(events: list[DischargeEvent], at: datetime) -> DischargeEvent | None:
    index = bisect_right(events, at, key=lambda event: event.start) - 1
    return events[index] if index >= 0 and at < events[index].end else None
