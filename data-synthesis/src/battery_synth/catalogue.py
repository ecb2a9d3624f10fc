"""Phase 1: the fleet catalogue with serials, install dates and baseline resistances."""

import csv
import os
from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from pathlib import Path

import numpy as np

from battery_contracts.fleet import CSB_HX12_120, FLEET_COLUMNS, FleetRow
from battery_contracts.ids import battery_id_at, system_of
from battery_synth.outside.locations import BATTERIES_PER_STRING, LOCATIONS, LocationProfile, SystemLayout, layout_of
from battery_synth.streams import stream

DEFAULT_SEED = 20_260_101
_NEW_SPREAD = 0.04
"""Block-to-block standard deviation of new resistance, relative."""
_BASELINE_TEMPERATURE_C = 25.0


def build_catalogue(seed: int = DEFAULT_SEED, *, as_of: date) -> tuple[FleetRow, ...]:
    """Return the 1,944 batteries that are installed on a day.

    Strings are replaced as a whole every 3.7 to 5.5 years, so the fleet has young, mid-life and old ones.
    """
    return tuple(
        row
        for location in LOCATIONS
        for layout in layout_of(location)
        for row in _system_rows(seed, location, layout, as_of)
    )


def write_catalogue_csv(rows: Sequence[FleetRow], path: Path) -> None:
    """Write the catalogue as CSV; the file is complete or absent."""
    temporary = path.with_suffix(path.suffix + ".part")
    with temporary.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, FLEET_COLUMNS)
        writer.writeheader()
        writer.writerows(row.model_dump(mode="json", include=set(FLEET_COLUMNS)) for row in rows)
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(path)


def read_catalogue_csv(path: Path) -> tuple[FleetRow, ...]:
    """Read a catalogue file.

    Raises
    ------
    OSError
        The file cannot be read.
    pydantic.ValidationError
        A row is not a battery of the catalogue; a `ValueError`.
    """
    with path.open(newline="", encoding="utf-8") as file:
        return tuple(
            FleetRow.model_validate({name: value or None for name, value in record.items()})
            for record in csv.DictReader(file)
        )


def _system_rows(seed: int, location: LocationProfile, layout: SystemLayout, as_of: date) -> Iterator[FleetRow]:
    system_id = f"{location.code}-{layout.prefix}-{layout.number:02d}"
    for number in range(1, layout.strings + 1):
        string_id = f"{system_id}-STR-{number:02d}"
        random = stream(seed, "catalogue", string_id)
        installed_on = _installed_on(random, location, as_of)
        yield from string_rows(random, location, layout, string_id, installed_on)


def string_rows(
    random: np.random.Generator, location: LocationProfile, layout: SystemLayout, string_id: str, installed_on: date
) -> Iterator[FleetRow]:
    """Yield the batteries of a string that was delivered as one lot.

    Resistances are in mΩ at 25 °C: nominal, times a factor of the lot (sd 2 %) and one of each block (sd 4 %).
    """
    # One delivery is one lot: a shared offset and the scatter of each block.
    lot = 1.0 + 0.02 * random.standard_normal()
    scatter = 1.0 + _NEW_SPREAD * random.standard_normal(BATTERIES_PER_STRING)
    baselines = np.round(CSB_HX12_120.nominal_resistance_mohm * lot * scatter, 2)
    lot_code = f"{installed_on:%y%m}{int(random.integers(10, 99))}"
    for position in range(1, BATTERIES_PER_STRING + 1):
        yield FleetRow(
            location_id=location.code,
            location_name=location.name,
            region=location.region,
            latitude=location.latitude,
            longitude=location.longitude,
            altitude_m=location.altitude_m,
            commissioned_on=location.commissioned_on,
            utility=location.utility,
            climate_zone=location.climate_zone,
            system_id=system_of(string_id),
            system_kind=layout.kind,
            rated_power_kva=layout.rated_power_kva,
            string_id=string_id,
            battery_id=battery_id_at(string_id, position),
            position=position,
            model_id=CSB_HX12_120.model_id,
            serial_number=f"HX{lot_code}-{string_id[3:].replace('-', '')}{position:03d}",
            installed_on=installed_on,
            baseline_resistance_mohm=float(baselines[position - 1]),
            baseline_temperature_c=_BASELINE_TEMPERATURE_C,
        )


def _installed_on(random: np.random.Generator, location: LocationProfile, as_of: date) -> date:
    """Return the latest installation of a string: commissioning, then a replacement every 3.7 to 5.5 years."""
    installed = location.commissioned_on + timedelta(days=int(random.integers(0, 60)))
    while True:
        replaced = installed + timedelta(days=int(365.25 * random.uniform(3.7, 5.5)))
        if replaced >= as_of - timedelta(days=30):
            return min(installed, as_of)
        installed = replaced
