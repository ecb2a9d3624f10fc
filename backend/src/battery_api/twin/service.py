"""Turn the twin's record into what its endpoints answer."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Final, Literal
from zoneinfo import ZoneInfo

from sqlalchemy.ext.asyncio import AsyncConnection

from battery_api.accounts.principal import Principal
from battery_api.fleet.errors import BatteryNotFound
from battery_api.fleet.estimates import estimate_of, no_estimate
from battery_api.fleet.schemas import Estimate
from battery_api.fleet.status import stale_after_s
from battery_api.twin import repository
from battery_api.twin.blocks import drift_of
from battery_api.twin.errors import StringNotFound
from battery_api.twin.schemas import (
    BatteryDischarge,
    DailyEstimate,
    DischargeBlock,
    DischargeOut,
    Evidence,
    EvidenceKind,
    StringDischarge,
    TwinRecord,
)
from battery_contracts.enums import NoEstimateReason, ReadingQuality
from battery_servicekit.pagination import Page, PageRequest

_MOST_EVIDENCE: Final = 50
_DAY_S: Final = 86_400.0
_BANGKOK: Final = ZoneInfo("Asia/Bangkok")
Row = Mapping[Any, Any]


class TwinRecordService:
    """Answers about the twin's record for one caller on one connection."""

    def __init__(self, connection: AsyncConnection, principal: Principal, now: datetime) -> None:
        self._connection = connection
        self._visible = principal.location_codes
        self._now = now

    async def get_record(self, battery_id: str, *, history_days: int) -> TwinRecord:
        """Return what is believed of a battery, why, and day by day."""
        row = await self._battery(battery_id)
        stale = is_stale(row["time"], row["reporting_interval_s"], self._now)
        since = (self._now.astimezone(_BANGKOK) - timedelta(days=history_days - 1)).date()
        days = await repository.list_days(self._connection, row["id"], since)
        return TwinRecord(
            battery_id=row["code"],
            generated_at=self._now,
            time=row["time"],
            is_stale=stale,
            soc=_charge(row, stale=stale),
            soh=_named(row, "soh", ReadingQuality(row["quality"])),
            resistance_mohm=row["resistance_estimate_mohm"],
            resistance_sd_mohm=row["resistance_estimate_sd_mohm"],
            evidence=await self._evidence(row),
            history=[_day(day) for day in days],
        )

    async def list_battery_discharges(self, battery_id: str, page: PageRequest) -> Page[BatteryDischarge]:
        """List a battery's discharges, newest first."""
        battery = await self._battery(battery_id)
        rows, total = await repository.list_battery_discharges(self._connection, battery["id"], page)
        items = [BatteryDischarge(**_discharge(row).model_dump(), block=_block(row)) for row in rows]
        return Page(items=items, total=total, skip=page.skip, limit=page.limit)

    async def list_string_discharges(self, string_id: str, page: PageRequest) -> Page[StringDischarge]:
        """List a string's discharges with their blocks, newest first."""
        string = await repository.find_string(self._connection, string_id, self._visible)
        if string is None:
            raise StringNotFound(f"No string {string_id} that you may see.")
        rows, total = await repository.list_string_discharges(self._connection, string["id"], page)
        blocks: dict[int, list[DischargeBlock]] = {row["id"]: [] for row in rows}
        for block in await repository.list_event_blocks(self._connection, list(blocks)):
            blocks[block["event_id"]].append(_block(block))
        items = [StringDischarge(**_discharge(row).model_dump(), blocks=blocks[row["id"]]) for row in rows]
        return Page(items=items, total=total, skip=page.skip, limit=page.limit)

    async def _battery(self, battery_id: str) -> Row:
        row = await repository.find_battery(self._connection, battery_id, self._visible)
        if row is None:
            raise BatteryNotFound(f"No battery {battery_id} that you may see.")
        return row

    async def _evidence(self, row: Row) -> list[Evidence]:
        told = await repository.list_evidence(self._connection, row["id"], limit=_MOST_EVIDENCE)
        found = [
            Evidence(
                kind=EvidenceKind(one["mode"]),
                at=one["ended_at"],
                age_days=self._age_days(one["ended_at"]),
                depth_pct=one["depth_pct"],
                soh=_named(one, "soh"),
                resistance_mohm=None,
                resistance_drift_pct=None,
            )
            for one in told
        ]
        if row["internal_resistance_mohm"] is not None and row["resistance_at"] is not None:
            found.append(
                Evidence(
                    kind=EvidenceKind.OHMIC,
                    at=row["resistance_at"],
                    age_days=self._age_days(row["resistance_at"]),
                    depth_pct=None,
                    soh=None,
                    resistance_mohm=row["internal_resistance_mohm"],
                    resistance_drift_pct=drift_of(row),
                )
            )
        return sorted(found, key=lambda one: one.at, reverse=True)

    def _age_days(self, at: datetime) -> float:
        return max(0.0, (self._now - at).total_seconds() / _DAY_S)


def is_stale(time: datetime | None, interval_s: float | None, now: datetime) -> bool:
    """Say whether a reading is older than it should be, or missing."""
    return time is None or now - time > timedelta(seconds=stale_after_s(interval_s))


def _charge(row: Row, *, stale: bool) -> Estimate:
    # Health moves in weeks, charge in minutes: that of an old reading may be all used up.
    if stale and row["soc_pct"] is not None:
        return no_estimate(NoEstimateReason.READING_TOO_OLD)
    return _named(row, "soc", ReadingQuality(row["quality"]))


def _named(row: Row, name: Literal["soc", "soh"], quality: ReadingQuality = ReadingQuality.NONE) -> Estimate:
    return estimate_of(name, row[f"{name}_pct"], row[f"{name}_sd_pct"], row[f"{name}_provenance"], quality)


def _day(row: Row) -> DailyEstimate:
    return DailyEstimate(
        day=row["day"],
        time=row["time"],
        soc=_named(row, "soc"),
        soh=_named(row, "soh"),
        resistance_mohm=row["resistance_mohm"],
        resistance_sd_mohm=row["resistance_sd_mohm"],
    )


def _discharge(row: Row) -> DischargeOut:
    same = ("started_at", "ended_at", "mode", "drawn_ah", "depth_pct", "mean_current_a", "complete", "is_open")
    return DischargeOut(
        discharge_id=row["id"],
        string_id=row["string_code"],
        duration_s=(row["ended_at"] - row["started_at"]).total_seconds(),
        min_voltage_v=row["string_min_voltage_v"],
        lowest_battery_id=row["lowest_battery_code"],
        mean_temperature_c=row["string_temperature_c"],
        **{name: row[name] for name in same},
    )


def _block(row: Row) -> DischargeBlock:
    return DischargeBlock(
        battery_id=row["battery_code"],
        end_voltage_v=row["end_voltage_v"],
        min_voltage_v=row["min_voltage_v"],
        mean_temperature_c=row["mean_temperature_c"],
        soh=None if row["soh_pct"] is None else _named(row, "soh"),
    )
