"""The batteries of datasets: one string, the whole fleet, or a number of strings per location for training."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Final

from battery_contracts.enums import SystemKind
from battery_contracts.fleet import FleetRow
from battery_synth.catalogue import build_catalogue, string_rows
from battery_synth.datasets.spec import DatasetSpec
from battery_synth.outside.locations import (
    LOCATION_BY_CODE,
    LOCATIONS,
    RECTIFIER_KVA_PER_STRING,
    UPS_KVA_PER_STRING,
    LocationProfile,
    SystemLayout,
)
from battery_synth.outside.scenario import Scenario
from battery_synth.state.readings import Sampling
from battery_synth.streams import stream

REFERENCE_STRING: Final = "DC-BKK-01-UPS-01-STR-01"
REFERENCE_DAYS: Final = 90
REFERENCE_EVERY_S: Final = 60.0
TRAINING_EVERY_S: Final = 3600.0
_STRINGS_PER_SYSTEM: Final = {SystemKind.UPS: 6, SystemKind.RECTIFIER: 3}
_KVA_PER_STRING: Final = {SystemKind.UPS: UPS_KVA_PER_STRING, SystemKind.RECTIFIER: RECTIFIER_KVA_PER_STRING}
_PREFIX: Final = {SystemKind.UPS: "UPS", SystemKind.RECTIFIER: "REC"}
_RECTIFIER_EVERY: Final = 3
"""One string in so many belongs to a rectifier, as in the fleet: 27 of 81."""
_STAGGER_DAYS: Final = 730
_MOST_STRINGS: Final = 99 * 6


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
    """Return the whole fleet, or some of its locations, at any sampling.

    Raises
    ------
    ValueError
        A location is unknown, or the span or the sampling is impossible.
    """
    require_known(locations)
    rows = [row for row in build_catalogue(seed, as_of=start) if not locations or row.location_id in locations]
    begins = _midnight(start)
    return DatasetSpec(
        "fleet", seed, begins, begins + timedelta(days=days), Sampling(every_s, detail=detail), tuple(rows),
        with_sensor_faults=True,
    )  # fmt: skip


def training(
    seed: int, *, strings_per_location: int, years: float, start: date, locations: Sequence[str] = ()
) -> DatasetSpec:
    """Return run-to-failure lives: strings installed over two years, each battery until it fails or to the horizon.

    Raises
    ------
    ValueError
        A location is unknown, there are no strings, or the span is impossible.
    """
    require_known(locations)
    if not 1 <= strings_per_location <= _MOST_STRINGS:
        raise ValueError(f"{strings_per_location} strings per location: it must be 1 to {_MOST_STRINGS}")
    profiles = [location for location in LOCATIONS if not locations or location.code in locations]
    rows = [
        row
        for location in profiles
        for layout, string in training_strings(strings_per_location)
        for row in _training_string(seed, location, layout, string, start)
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
    """Return the trace of a scenario at one location, with the hour before it.

    Raises
    ------
    ValueError
        The location is unknown, or the span or the sampling is impossible.
    """
    require_known([location_id])
    rows = [row for row in build_catalogue(seed, as_of=start.date()) if row.location_id == location_id]
    return DatasetSpec(
        "drill", seed, start - timedelta(hours=1), start + timedelta(minutes=minutes), Sampling(every_s), tuple(rows),
        with_samples_of_truth=True, scenario=scenario,
    )  # fmt: skip


def require_known(locations: Sequence[str]) -> None:
    """Refuse locations that do not exist.

    Raises
    ------
    ValueError
        The message lists the locations that do.
    """
    unknown = sorted(set(locations) - set(LOCATION_BY_CODE))
    if unknown:
        raise ValueError(f"unknown location {', '.join(unknown)}; there are {', '.join(sorted(LOCATION_BY_CODE))}")


def training_strings(count: int) -> list[tuple[SystemLayout, int]]:
    """Return the systems of a training location and their string numbers: UPS and rectifiers in the fleet's shares.

    A system that is not full is rated for the strings that it has, so that all strings of a kind work alike.
    """
    kinds = [
        SystemKind.RECTIFIER if number % _RECTIFIER_EVERY == _RECTIFIER_EVERY - 1 else SystemKind.UPS
        for number in range(count)
    ]
    strings = []
    for kind in _STRINGS_PER_SYSTEM:
        total, most = kinds.count(kind), _STRINGS_PER_SYSTEM[kind]
        for number in range(total):
            system, string = divmod(number, most)
            size = min(most, total - system * most)
            layout = SystemLayout(kind, _PREFIX[kind], system + 1, _KVA_PER_STRING[kind] * size, size)
            strings.append((layout, string + 1))
    return strings


def _training_string(
    seed: int, location: LocationProfile, layout: SystemLayout, string: int, start: date
) -> list[FleetRow]:
    string_id = f"{location.code}-{layout.prefix}-{layout.number:02d}-STR-{string:02d}"
    # Ages are spread over the first two years, so that no calendar season coincides with one part of every life.
    installed_on = start - timedelta(days=int(stream(seed, "training", string_id).integers(0, _STAGGER_DAYS)))
    # A training set asks what would happen to strings of any age at these locations.
    earlier = replace(location, commissioned_on=start - timedelta(days=_STAGGER_DAYS))
    return list(string_rows(stream(seed, "catalogue", string_id), earlier, layout, string_id, installed_on))


def _midnight(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=UTC)
