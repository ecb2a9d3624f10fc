"""What a catalogue file says of the ends of batteries: swaps, retirement, and the return into service.

Without the column ``retired_on`` a file says nothing of retirement, so a retired battery stays retired. With it, an
empty field means in service. A battery that is installed again after its retirement is in service as well.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from sqlalchemy.ext.asyncio import AsyncConnection

from battery_api.db.bangkok import midnight_of
from battery_api.fleet import retirement_repository as repository
from battery_api.fleet.catalogue_file.lines import CatalogueLine
from battery_api.fleet.import_repository import BatteryValues, InstalledBattery
from battery_api.fleet.ports import BatteryEnd, FleetChange
from battery_api.fleet.retirement_repository import PresentBattery
from battery_contracts.fleet import FleetRow

_COLUMN: Final = "retired_on"
_REASON: Final = "retired by the fleet import"


def replacement(old: InstalledBattery, new: BatteryValues, row: FleetRow) -> BatteryEnd:
    """Return the end of a battery in whose position another one was installed."""
    return BatteryEnd(
        battery_key=old.key,
        battery_code=old.values.code,
        string_key=old.values.string_id,
        location_key=old.values.location_id,
        location_code=row.location_id,
        reason="replaced",
        ended_at=new.installed_at,
        note=None,
        data={"old_serial_number": old.values.serial_number, "new_serial_number": new.serial_number},
    )


def retirement(battery: PresentBattery, at: datetime, reason: str) -> BatteryEnd:
    """Return the end of a battery that is taken out of service."""
    return BatteryEnd(
        battery_key=battery.key,
        battery_code=battery.code,
        string_key=battery.string_key,
        location_key=battery.location_key,
        location_code=battery.location_code,
        reason="retired",
        ended_at=at,
        note=reason,
        data={"serial_number": battery.serial_number, "retired_at": at},
    )


async def retire(connection: AsyncConnection, rows: Sequence[FleetRow], change: FleetChange) -> list[BatteryEnd]:
    """Retire the batteries whose lines name a day; those that are retired already stay as they are."""
    retired_on = {row.battery_id: row.retired_on for row in rows if row.retired_on is not None}
    ends = []
    for battery in await repository.list_present(connection, "battery", list(retired_on)):
        if battery.retired_at is None:
            day = retired_on[battery.code]
            at = max(battery.installed_at, midnight_of(day))
            await repository.retire_battery(connection, battery.key, at=at, by=change.actor_name, reason=_REASON)
            ends.append(retirement(battery, at, _REASON))
    return ends


async def reinstate(connection: AsyncConnection, lines: Sequence[CatalogueLine]) -> int:
    """Bring the batteries back into service whose lines say so; return how many."""
    in_service = {line.row.battery_id: line for line in lines if line.row.retired_on is None}
    keys = [
        battery.key
        for battery in await repository.list_present(connection, "battery", list(in_service))
        if battery.retired_at is not None
        and (
            _COLUMN in in_service[battery.code].row.model_fields_set
            or in_service[battery.code].installation.instant > battery.retired_at
        )
    ]
    if keys:
        await repository.reinstate_batteries(connection, keys)
    return len(keys)
