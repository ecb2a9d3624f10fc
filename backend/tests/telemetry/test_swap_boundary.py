"""A swap on a day: readings up to midnight in Asia/Bangkok are the old battery's, those from then on the new one's."""

from datetime import UTC, datetime, timedelta

from battery_api.fleet.importer import import_catalogue
from battery_api.fleet.ports import FleetChange, NoEndings
from battery_contracts.ids import battery_id_at
from tests.fleet.test_importer import STRING, catalogue, line
from tests.support.fleet import NOW

from .world import Gateway, reading

BATTERY = battery_id_at(STRING, 1)
MIDNIGHT = datetime(2026, 11, 19, 17, tzinfo=UTC)
"""Begin of 20 November in Bangkok."""
SECOND = timedelta(seconds=1)


async def load(gateway: Gateway, serial_number: str, installed_on: str) -> None:
    content = catalogue(line(1, serial_number=serial_number, installed_on=installed_on))
    async with gateway.database.begin() as connection:
        report = await import_catalogue(
            connection, content, dry_run=False, change=FleetChange("import", NOW, NoEndings())
        )
    assert not report.errors
    gateway.catalogue.forget()


async def test_readings_change_hands_at_midnight_in_bangkok(gateway: Gateway) -> None:
    await load(gateway, "SN-OLD", "2022-05-01")
    before = await gateway.post({"readings": [reading(BATTERY, MIDNIGHT - SECOND, voltage_v=13.1)]})
    await load(gateway, "SN-NEW", "2026-11-20")
    after = await gateway.post(
        {"readings": [reading(BATTERY, at, voltage_v=13.2) for at in (MIDNIGHT - SECOND, MIDNIGHT, MIDNIGHT + SECOND)]}
    )

    assert before.accepted == 1
    assert (after.accepted, [(entry.index, entry.code) for entry in after.rejected]) == (2, [(0, "too_old")])
    stored = await gateway.rows(
        "select b.serial_number, t.time from telemetry t join battery b on b.id = t.battery_id order by t.time"
    )
    assert [(row["serial_number"], row["time"]) for row in stored] == [
        ("SN-OLD", MIDNIGHT - SECOND),
        ("SN-NEW", MIDNIGHT),
        ("SN-NEW", MIDNIGHT + SECOND),
    ]


async def test_a_time_of_day_moves_the_boundary_into_the_night(gateway: Gateway) -> None:
    await load(gateway, "SN-OLD", "2022-05-01")
    await load(gateway, "SN-NEW", "2026-11-20T02:00+07:00")
    at_two = MIDNIGHT + timedelta(hours=2)
    result = await gateway.post({"readings": [reading(BATTERY, at) for at in (at_two - SECOND, at_two)]})
    assert (result.accepted, [entry.index for entry in result.rejected]) == (1, [0])
