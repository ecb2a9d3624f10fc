"""Phase 1: the fleet catalogue with serials, install dates and baseline resistances."""

import csv
import os
from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from pathlib import Path

import numpy as np

from battery_contracts.fleet import CSB_HX12_120, FLEET_COLUMNS, FleetRow
from battery_contracts.ids import battery_id_at, system_of
from battery_synth.outside.sites import BATTERIES_PER_STRING, SITES, Site, SystemLayout, layout_of
from battery_synth.streams import stream

DEFAULT_SEED = 20_260_101
_NEW_SPREAD = 0.04
"""Block-to-block standard deviation of new resistance, relative."""
_BASELINE_TEMPERATURE_C = 25.0


def build_catalogue(seed: int = DEFAULT_SEED, *, as_of: date) -> tuple[FleetRow, ...]:
    """Return the 1,944 batteries as they are installed on a day.

    Strings are replaced as a whole every 3.7 to 5.5 years, so there are young, mid-life and old ones.
    """
    return tuple(row for site in SITES for layout in layout_of(site) for row in _system_rows(seed, site, layout, as_of))


def write_catalogue_csv(rows: Sequence[FleetRow], path: Path) -> None:
    """Write the catalogue as CSV; the file appears whole or not at all."""
    temporary = path.with_suffix(path.suffix + ".part")
    with temporary.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, FLEET_COLUMNS)
        writer.writeheader()
        writer.writerows(row.model_dump(mode="json") for row in rows)
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(path)


def read_catalogue_csv(path: Path) -> tuple[FleetRow, ...]:
    """Read a catalogue file back."""
    with path.open(newline="", encoding="utf-8") as file:
        return tuple(
            FleetRow.model_validate({name: value or None for name, value in record.items()})
            for record in csv.DictReader(file)
        )


def _system_rows(seed: int, site: Site, layout: SystemLayout, as_of: date) -> Iterator[FleetRow]:
    system_id = f"{site.code}-{layout.prefix}-{layout.number:02d}"
    for number in range(1, layout.strings + 1):
        string_id = f"{system_id}-STR-{number:02d}"
        random = stream(seed, "catalogue", string_id)
        installed_on = _installed_on(random, site, as_of)
        yield from string_rows(random, site, layout, string_id, installed_on)


def string_rows(
    random: np.random.Generator, site: Site, layout: SystemLayout, string_id: str, installed_on: date
) -> Iterator[FleetRow]:
    """Yield the batteries of a string that was delivered as one lot."""
    # A delivery comes from one lot: a shared offset and each block's own scatter.
    lot = 1.0 + 0.02 * random.standard_normal()
    own = 1.0 + _NEW_SPREAD * random.standard_normal(BATTERIES_PER_STRING)
    baselines = np.round(CSB_HX12_120.nominal_resistance_mohm * lot * own, 2)
    lot_code = f"{installed_on:%y%m}{int(random.integers(10, 99))}"
    for position in range(1, BATTERIES_PER_STRING + 1):
        yield FleetRow(
            location_id=site.code,
            location_name=site.name,
            region=site.region,
            latitude=site.latitude,
            longitude=site.longitude,
            altitude_m=site.altitude_m,
            commissioned_on=site.commissioned_on,
            utility=site.utility,
            climate_zone=site.climate_zone,
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


def _installed_on(random: np.random.Generator, site: Site, as_of: date) -> date:
    """Return the newest installation of a string: commissioning, then replacements every 3.7 to 5.5 years."""
    installed = site.commissioned_on + timedelta(days=int(random.integers(0, 60)))
    while True:
        following = installed + timedelta(days=int(365.25 * random.uniform(3.7, 5.5)))
        if following >= as_of - timedelta(days=30):
            return min(installed, as_of)
        installed = following
