"""Fixtures of the simulator's suite."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from battery_contracts.fleet import FleetRow
from battery_synth.catalogue import build_catalogue, write_catalogue_csv
from tests.gateway_double import GatewayDouble

START = datetime(2026, 3, 3, 6, 0, tzinfo=UTC)


@pytest.fixture(scope="session")
def whole_fleet() -> tuple[FleetRow, ...]:
    return build_catalogue(as_of=START.date())


@pytest.fixture(scope="session")
def fleet(whole_fleet: tuple[FleetRow, ...]) -> tuple[FleetRow, ...]:
    """Two locations: 18 strings, 432 batteries."""
    return tuple(row for row in whole_fleet if row.location_id in {"DC-CNX-01", "DC-HDY-01"})


@pytest.fixture(scope="session")
def fleet_csv(fleet: tuple[FleetRow, ...], tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("fleet") / "fleet.csv"
    write_catalogue_csv(fleet, path)
    return path


@pytest.fixture
def gateway() -> Iterator[GatewayDouble]:
    double = GatewayDouble()
    double.start()
    yield double
    double.stop()
