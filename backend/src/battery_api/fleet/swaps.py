"""Lines of the fleet file against the installed fleet: who has which serial number, and which battery follows which."""

from collections.abc import Mapping
from datetime import datetime
from typing import Final

from sqlalchemy.ext.asyncio import AsyncConnection

from battery_api.db.bangkok import ZONE, operating_day
from battery_api.fleet import import_repository
from battery_api.fleet.catalogue_file.cells import identity
from battery_api.fleet.catalogue_file.lines import CatalogueLine
from battery_api.fleet.catalogue_file.problems import CellProblem
from battery_api.fleet.import_repository import InstalledBattery, RemovedBattery

_SPELLINGS: Final = "leading zeros, capital letters or spaces"


class InstalledFleet:
    """What the lines of a file are compared with."""

    def __init__(
        self,
        installed: Mapping[str, InstalledBattery],
        removed: Mapping[str, RemovedBattery],
        holders: Mapping[str, str],
    ) -> None:
        self._installed = installed
        self._removed = removed
        self._holders = {identity(serial): (serial, code) for serial, code in holders.items()}
        self._exact_holders = holders

    @classmethod
    async def load(cls, connection: AsyncConnection) -> "InstalledFleet":
        """Read the fleet."""
        return cls(
            await import_repository.installed_batteries(connection),
            await import_repository.last_removed_batteries(connection),
            await import_repository.serial_number_holders(connection),
        )

    def at(self, line: CatalogueLine) -> InstalledBattery | None:
        """Return the battery that occupies the position of a line."""
        return self._installed.get(line.row.battery_id)

    def installed_at(self, line: CatalogueLine) -> datetime:
        """Return the instant from which readings are the line's battery's.

        A day agrees with the time of day that an earlier file gave for the same battery.
        """
        battery, installation = self.at(line), line.installation
        is_known = battery is not None and battery.values.serial_number == line.row.serial_number
        if battery is None or not is_known or installation.has_time_of_day:
            return installation.instant
        known_at = battery.values.installed_at
        return known_at if operating_day(known_at) == installation.day else installation.instant

    def conflict(self, line: CatalogueLine) -> CellProblem | None:
        """Return why a line contradicts the fleet: its serial number first, then its day."""
        return self._serial_number_conflict(line) or self._span_conflict(line)

    def warning(self, line: CatalogueLine) -> CellProblem | None:
        """Return whether a swap leaves readings of the new battery with the old one."""
        battery, installed_at = self.at(line), self.installed_at(line)
        if battery is None or battery.values.serial_number == line.row.serial_number:
            return None
        newest = battery.newest_reading_at
        if newest is None or newest < installed_at:
            return None
        detail = (
            f"Readings up to {_local(newest)} are stored for {battery.values.serial_number}, which leaves at "
            f"{_local(installed_at)}; they stay with it. Send those from then on again to give them to "
            f"{line.row.serial_number}, or correct the day."
        )
        return CellProblem("installed_on", "readings_after_removal", detail)

    def _serial_number_conflict(self, line: CatalogueLine) -> CellProblem | None:
        serial, code = line.row.serial_number, line.row.battery_id
        battery = self.at(line)
        if battery is not None and battery.values.serial_number == serial:
            return None
        if battery is not None and identity(battery.values.serial_number) == identity(serial):
            known = battery.values.serial_number
            detail = (
                f"{serial} differs from the installed {known} only by {_SPELLINGS}, which spreadsheets change; "
                f"write {known}, and format the column as text."
            )
            return CellProblem("serial_number", "altered", detail)
        holder = self._holder(serial)
        if holder is None:
            return None
        known, holder_code = holder
        shown = serial if known == serial else f"{serial}, written {known} before,"
        if holder_code != code:
            detail = f"{shown} belongs to {holder_code}; write the serial number of this position's battery."
            return CellProblem("serial_number", "taken", detail)
        detail = f"{shown} was removed from this position earlier; name its successor."
        return CellProblem("serial_number", "removed", detail)

    def _holder(self, serial: str) -> tuple[str, str] | None:
        code = self._exact_holders.get(serial)
        return (serial, code) if code is not None else self._holders.get(identity(serial))

    def _span_conflict(self, line: CatalogueLine) -> CellProblem | None:
        battery, installed_at = self.at(line), self.installed_at(line)
        if battery is None:
            return self._overlap(line, installed_at, followed_at=None)
        if battery.values.serial_number == line.row.serial_number:
            return self._overlap(line, installed_at, followed_at=battery.values.installed_at)
        if installed_at > battery.values.installed_at:
            return None
        detail = (
            f"{line.row.serial_number} cannot replace {battery.values.serial_number} before that was installed on "
            f"{_local(battery.values.installed_at)}; write a later day, or a time of day with its zone."
        )
        return CellProblem("installed_on", "too_early", detail)

    def _overlap(
        self, line: CatalogueLine, installed_at: datetime, *, followed_at: datetime | None
    ) -> CellProblem | None:
        """Return whether the battery would come before the end of the one that it followed at ``followed_at``."""
        before = self._removed.get(line.row.battery_id)
        if before is None:
            return None
        # The end of the battery that this one replaced moves with a corrected day.
        moves = before.removed_at == followed_at
        if installed_at > before.installed_at if moves else installed_at >= before.removed_at:
            return None
        limit = f"installed on {_local(before.installed_at)}" if moves else f"removed on {_local(before.removed_at)}"
        detail = f"{before.serial_number} was in this position before, {limit}; write a later day."
        return CellProblem("installed_on", "too_early", detail)


def _local(instant: datetime) -> str:
    """Return an instant as a day in Asia/Bangkok, with its time of day unless that is midnight."""
    local = instant.astimezone(ZONE)
    return f"{local:%Y-%m-%d}" if (local.hour, local.minute) == (0, 0) else f"{local:%Y-%m-%d %H:%M} (Asia/Bangkok)"
