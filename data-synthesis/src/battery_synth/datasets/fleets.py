"""The batteries of datasets: one string, the whole fleet, or as many strings a site as a training set wants."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Final

from battery_contracts.enums import SystemKind
from battery_contracts.fleet import FleetRow
from battery_synth.catalogue import build_catalogue, string_rows
from battery_synth.datasets.spec import DatasetSpec
from battery_synth.engine.readings import Sampling
from battery_synth.outside.scenario import Scenario
from battery_synth.outside.sites import SITE_BY_CODE, SITES, Site, SystemLayout
from battery_synth.streams import stream

REFERENCE_STRING: Final = "DC-BKK-01-UPS-01-STR-01"
REFERENCE_DAYS: Final = 90
REFERENCE_EVERY_S: Final = 60.0
TRAINING_EVERY_S: Final = 3600.0
_STRINGS_A_SYSTEM: Final = 6
_KVA_A_STRING: Final = 200.0 / 6.0
_STAGGER_DAYS: Final = 730
_MOST_STRINGS: Final = 99 * _STRINGS_A_SYSTEM


def reference(
    seed: int, *, start: date, days: float = REFERENCE_DAYS, string_id: str = REFERENCE_STRING
) -> DatasetSpec:
    """Return the reference set: 24 batteries, 90 days, every 60 s: 3,110,400 readings.

    Raises
    ------
    ValueError
        There is no such string.
    """
    rows = [row for row in build_catalogue(seed, as_of=start) if row.string_id == string_id]
    if not rows:
        raise ValueError(f"there is no string {string_id}; the catalogue lists {REFERENCE_STRING} and 80 others")
    begins = _midnight(start)
    return DatasetSpec(
        "reference", seed, begins, begins + timedelta(days=days), Sampling(REFERENCE_EVERY_S), tuple(rows),
        with_samples_of_truth=True,
    )  # fmt: skip


def fleet(
    seed: int, *, start: date, days: float, every_s: float, detail: bool, locations: Sequence[str] = ()
) -> DatasetSpec:
    """Return the whole fleet, or some sites of it, at any sampling.

    Raises
    ------
    ValueError
        A site is unknown, or the span or the sampling cannot be.
    """
    require_known(locations)
    rows = [row for row in build_catalogue(seed, as_of=start) if not locations or row.location_id in locations]
    begins = _midnight(start)
    return DatasetSpec(
        "fleet", seed, begins, begins + timedelta(days=days), Sampling(every_s, detail=detail), tuple(rows),
        with_sensor_faults=True,
    )  # fmt: skip


def training(
    seed: int, *, strings_per_site: int, years: float, start: date, locations: Sequence[str] = ()
) -> DatasetSpec:
    """Return lives to their end: strings installed over two years, each jar run to failure or to the horizon.

    Raises
    ------
    ValueError
        A site is unknown, there are no strings, or the span cannot be.
    """
    require_known(locations)
    if not 1 <= strings_per_site <= _MOST_STRINGS:
        raise ValueError(f"{strings_per_site} strings a site: it must be 1 to {_MOST_STRINGS}")
    sites = [site for site in SITES if not locations or site.code in locations]
    rows = [
        row
        for site in sites
        for number in range(strings_per_site)
        for row in _training_string(seed, site, number, start)
    ]
    begins = _midnight(start)
    span = timedelta(days=round(365.25 * years))
    return DatasetSpec(
        "training", seed, begins, begins + span, Sampling(TRAINING_EVERY_S, detail=True), tuple(rows),
        with_sensor_faults=True,
    )  # fmt: skip


def drill(
    seed: int, *, scenario: Scenario, location_id: str, start: datetime, minutes: float, every_s: float
) -> DatasetSpec:
    """Return the trace of a scenario at one site, with the hour before it.

    Raises
    ------
    ValueError
        The site is unknown, or the span or the sampling cannot be.
    """
    require_known([location_id])
    rows = [row for row in build_catalogue(seed, as_of=start.date()) if row.location_id == location_id]
    return DatasetSpec(
        "drill", seed, start - timedelta(hours=1), start + timedelta(minutes=minutes), Sampling(every_s), tuple(rows),
        with_samples_of_truth=True, scenario=scenario,
    )  # fmt: skip


def require_known(locations: Sequence[str]) -> None:
    """Refuse sites that are not there.

    Raises
    ------
    ValueError
        With the sites that are.
    """
    unknown = sorted(set(locations) - set(SITE_BY_CODE))
    if unknown:
        raise ValueError(f"unknown site {', '.join(unknown)}; there are {', '.join(sorted(SITE_BY_CODE))}")


def _training_string(seed: int, site: Site, number: int, start: date) -> list[FleetRow]:
    system, string = divmod(number, _STRINGS_A_SYSTEM)
    layout = SystemLayout(SystemKind.UPS, "UPS", system + 1, _KVA_A_STRING * _STRINGS_A_SYSTEM, _STRINGS_A_SYSTEM)
    string_id = f"{site.code}-UPS-{system + 1:02d}-STR-{string + 1:02d}"
    # Ages are spread over the first two years, so that no season of the calendar is the same part of every life.
    installed_on = start - timedelta(days=int(stream(seed, "training", string_id).integers(0, _STAGGER_DAYS)))
    # A training set asks what would have happened to strings of any age at these sites.
    earlier = replace(site, commissioned_on=start - timedelta(days=_STAGGER_DAYS))
    return list(string_rows(stream(seed, "catalogue", string_id), earlier, layout, string_id, installed_on))


def _midnight(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=UTC)
