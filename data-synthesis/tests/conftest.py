"""A whole fleet, made once, and small worlds of one location."""

from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import settings

from battery_contracts.fleet import FleetRow
from battery_synth.catalogue import build_catalogue
from battery_synth.outside.climate import year_of
from battery_synth.outside.grid import DischargeSpan, Grid
from battery_synth.world import World

# The first example of a test may compile a kernel.
settings.register_profile("kernels", settings(), deadline=None)
settings.load_profile("kernels")

SEED = 4711
START = datetime(2026, 2, 10, tzinfo=UTC)

PlanGrid = Callable[[list[DischargeSpan]], None]


@pytest.fixture(scope="session")
def fleet() -> tuple[FleetRow, ...]:
    return build_catalogue(SEED, as_of=date(2026, 2, 10))


@pytest.fixture(scope="session")
def one_location(fleet: Sequence[FleetRow]) -> tuple[FleetRow, ...]:
    return tuple(row for row in fleet if row.location_id == "DC-CNX-01")


@pytest.fixture
def world(one_location: Sequence[FleetRow]) -> World:
    return World.create(one_location, seed=SEED, start=START)


@pytest.fixture
def plan_grid(monkeypatch: pytest.MonkeyPatch) -> PlanGrid:
    """Replace what the mains do by given events; everything below the draw stays real."""

    def plan(events: list[DischargeSpan]) -> None:
        def drawn(_self: Grid, year: int) -> list[DischargeSpan]:
            return [event for event in events if year_of(event.start_s) == year]

        monkeypatch.setattr(Grid, "_of_year", drawn)

    return plan


@pytest.fixture
def outage(plan_grid: PlanGrid) -> Callable[[float], tuple[datetime, datetime]]:
    """Plan one outage half an hour after the start, borne by the batteries for some seconds; return its span."""

    def plan(seconds: float) -> tuple[datetime, datetime]:
        begins = START + timedelta(minutes=30)
        ends = begins + timedelta(seconds=seconds)
        plan_grid([DischargeSpan(begins.timestamp(), ends.timestamp(), ends.timestamp(), "outage")])
        return begins, ends

    return plan
