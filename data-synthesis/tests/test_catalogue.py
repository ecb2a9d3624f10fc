from collections import Counter
from collections.abc import Sequence
from datetime import date
from pathlib import Path

import numpy as np

from battery_contracts.enums import SystemKind
from battery_contracts.fleet import FleetRow
from battery_synth.catalogue import build_catalogue, read_catalogue_csv, write_catalogue_csv


def test_fleet_has_the_stated_totals(fleet: Sequence[FleetRow]) -> None:
    counts = [
        len({getattr(row, f"{kind}_id") for row in fleet}) for kind in ("location", "system", "string", "battery")
    ]
    assert counts == [9, 21, 81, 1944]
    assert set(Counter(row.string_id for row in fleet).values()) == {24}
    assert set(Counter(row.location_id for row in fleet).values()) == {216}
    assert len({row.serial_number for row in fleet}) == 1944


def test_central_locations_have_two_ups_and_the_others_one(fleet: Sequence[FleetRow]) -> None:
    ups = {(row.location_id, row.region, row.system_id) for row in fleet if row.system_kind is SystemKind.UPS}
    per_location = Counter((location, region) for location, region, _ in ups)
    assert {(region == "central", count) for (_, region), count in per_location.items()} == {(True, 2), (False, 1)}


def test_strings_are_installed_whole_between_commissioning_and_the_day(fleet: Sequence[FleetRow]) -> None:
    assert all(row.commissioned_on <= row.installed_on <= date(2026, 2, 10) for row in fleet)
    dates = {row.string_id: row.installed_on for row in fleet}
    assert all(dates[row.string_id] == row.installed_on for row in fleet)
    ages = np.array([(date(2026, 2, 10) - day).days / 365.25 for day in dates.values()])
    assert (ages < 1.0).sum() >= 5
    assert (ages > 3.5).sum() >= 10
    assert ((ages >= 1.0) & (ages <= 3.5)).sum() >= 20


def test_new_resistance_scatters_by_four_percent_in_a_string(fleet: Sequence[FleetRow]) -> None:
    values = np.array([row.baseline_resistance_mohm for row in fleet], float).reshape(-1, 24)
    spread = (values / values.mean(axis=1, keepdims=True)).std()
    assert 0.034 < spread < 0.046
    assert 3.3 < values.mean() < 3.7


def test_same_seed_same_catalogue_other_seed_another() -> None:
    day = date(2026, 2, 10)
    assert build_catalogue(1, as_of=day) == build_catalogue(1, as_of=day)
    assert build_catalogue(1, as_of=day) != build_catalogue(2, as_of=day)


def test_csv_round_trip(fleet: Sequence[FleetRow], tmp_path: Path) -> None:
    path = tmp_path / "fleet.csv"
    write_catalogue_csv(fleet, path)
    assert read_catalogue_csv(path) == tuple(fleet)
    assert [file.name for file in tmp_path.iterdir()] == ["fleet.csv"]
