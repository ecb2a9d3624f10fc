"""A whole fleet, made once, and small worlds of one site."""

from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime, timedelta

import pytest

from battery_contracts.fleet import FleetRow
from battery_synth.catalogue import build_catalogue
from battery_synth.grid import DischargeEvent, GridSchedule
from battery_synth.world import World

SEED = 4711
START = datetime(2026, 2, 10, tzinfo=UTC)

PlanGrid = Callable[[list[DischargeEvent]], None]


@pytest.fixture(scope="session")
def fleet() -> tuple[FleetRow, ...]:
    return build_catalogue(SEED, as_of=date(2026, 2, 10))


@pytest.fixture(scope="session")
def one_site(fleet: Sequence[FleetRow]) -> tuple[FleetRow, ...]:
    return tuple(row for row in fleet if row.location_id == "DC-CNX-01")


@pytest.fixture
def world(one_site: Sequence[FleetRow]) -> World:
    return World.create(one_site, seed=SEED, start=START)


@pytest.fixture
def plan_grid(monkeypatch: pytest.MonkeyPatch) -> PlanGrid:
    """Replace what the grid does by given events; everything below the draw stays real."""

    def plan(events: list[DischargeEvent]) -> None:
        def drawn(_self: GridSchedule, _random: object, year: int) -> list[DischargeEvent]:
            return [event for event in events if event.start.year == year]

        def none(_self: GridSchedule, _random: object, _year: int) -> list[DischargeEvent]:
            return []

        monkeypatch.setattr(GridSchedule, "_outages", drawn)
        monkeypatch.setattr(GridSchedule, "_short_events", none)
        monkeypatch.setattr(GridSchedule, "_tests", none)

    return plan


@pytest.fixture
def outage(plan_grid: PlanGrid) -> Callable[[float], DischargeEvent]:
    """Plan one outage half an hour after the start, borne by the batteries for some seconds."""

    def plan(seconds: float) -> DischargeEvent:
        begins = START + timedelta(minutes=30)
        ends = begins + timedelta(seconds=seconds)
        event = DischargeEvent(begins, ends, ends)
        plan_grid([event])
        return event

    return plan
