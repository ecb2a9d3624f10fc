"""The twin's record as its endpoints return it."""

from datetime import datetime, timedelta
from typing import Final, Literal

from sqlalchemy.ext.asyncio import AsyncConnection

from battery_api.accounts.principal import Principal
from battery_api.db.bangkok import operating_day
from battery_api.fleet.errors import BatteryNotFound, StringNotFound
from battery_api.fleet.estimates import estimate_of, no_estimate
from battery_api.fleet.schemas import Estimate
from battery_api.fleet.status import stale_after_s
from battery_api.twin import repository
from battery_api.twin.blocks import drift_of
from battery_api.twin.repository import BatteryRow, DailyRow, EstimateRow, EventBatteryRow, EventRow
from battery_api.twin.schemas import (
    BatteryDischarge,
    DailyEstimate,
    DischargeBattery,
    DischargeOut,
    EvidenceKind,
    HealthEvidence,
    StringDischarge,
    TwinRecord,
)
from battery_contracts.enums import NoEstimateReason, ReadingQuality
from battery_servicekit.pagination import Page, PageRequest

_MAX_EVIDENCE: Final = 50
_DAY_S: Final = 86_400.0


class TwinRecordService:
    """Reads the twin's record for one caller on one connection."""

    def __init__(self, connection: AsyncConnection, principal: Principal, now: datetime) -> None:
        self._connection = connection
        self._visible = principal.location_codes
        self._now = now

    async def get_record(self, battery_id: str, *, history_days: int) -> TwinRecord:
        """Return the estimates of a battery, their evidence and their history by day."""
        battery = await self._battery(battery_id)
        stale = is_stale(battery.time, battery.reporting_interval_s, self._now)
        since = operating_day(self._now) - timedelta(days=history_days - 1)
        days = await repository.list_days(self._connection, battery.key, since)
        return TwinRecord(
            battery_id=battery.code,
            generated_at=self._now,
            time=battery.time,
            is_stale=stale,
            soc=_state_of_charge(battery, stale=stale),
            soh=_estimate("soh", battery.soh, ReadingQuality(battery.quality)),
            resistance_mohm=battery.resistance_estimate_mohm,
            resistance_sd_mohm=battery.resistance_estimate_sd_mohm,
            evidence=await self._evidence(battery),
            history=[_day(day) for day in days],
        )

    async def list_battery_discharges(self, battery_id: str, page: PageRequest) -> Page[BatteryDischarge]:
        """List a battery's discharges, newest first."""
        battery = await self._battery(battery_id)
        rows, total = await repository.list_battery_discharges(self._connection, battery.key, page)
        items = [
            BatteryDischarge(**_discharge(event).model_dump(), block=_discharge_battery(own)) for event, own in rows
        ]
        return Page(items=items, total=total, skip=page.skip, limit=page.limit)

    async def list_string_discharges(self, string_id: str, page: PageRequest) -> Page[StringDischarge]:
        """List a string's discharges with their batteries, newest first."""
        string = await repository.find_string(self._connection, string_id, self._visible)
        if string is None:
            raise StringNotFound(f"No string {string_id} that you may see.")
        events, total = await repository.list_string_discharges(self._connection, string.key, page)
        batteries: dict[int, list[DischargeBattery]] = {event.key: [] for event in events}
        for key, row in await repository.list_event_batteries(self._connection, list(batteries)):
            batteries[key].append(_discharge_battery(row))
        items = [StringDischarge(**_discharge(event).model_dump(), blocks=batteries[event.key]) for event in events]
        return Page(items=items, total=total, skip=page.skip, limit=page.limit)

    async def _battery(self, battery_id: str) -> BatteryRow:
        battery = await repository.find_battery(self._connection, battery_id, self._visible)
        if battery is None:
            raise BatteryNotFound(f"No battery {battery_id} that you may see.")
        return battery

    async def _evidence(self, battery: BatteryRow) -> list[HealthEvidence]:
        discharges = await repository.list_evidence(self._connection, battery.key, limit=_MAX_EVIDENCE)
        evidence = [
            HealthEvidence(
                kind=EvidenceKind(discharge.mode),
                at=discharge.ended_at,
                age_days=self._age_days(discharge.ended_at),
                depth_pct=discharge.depth_pct,
                soh=_estimate("soh", discharge.soh),
                resistance_mohm=None,
                resistance_drift_pct=None,
            )
            for discharge in discharges
        ]
        if battery.internal_resistance_mohm is not None and battery.resistance_at is not None:
            evidence.append(
                HealthEvidence(
                    kind=EvidenceKind.OHMIC,
                    at=battery.resistance_at,
                    age_days=self._age_days(battery.resistance_at),
                    depth_pct=None,
                    soh=None,
                    resistance_mohm=battery.internal_resistance_mohm,
                    resistance_drift_pct=drift_of(battery),
                )
            )
        return sorted(evidence, key=lambda item: item.at, reverse=True)

    def _age_days(self, instant: datetime) -> float:
        return max(0.0, (self._now - instant).total_seconds() / _DAY_S)


def is_stale(time: datetime | None, interval_s: float | None, now: datetime) -> bool:
    """Return whether a reading is missing or older than its reporting interval explains."""
    return time is None or now - time > timedelta(seconds=stale_after_s(interval_s))


def _state_of_charge(battery: BatteryRow, *, stale: bool) -> Estimate:
    # Health changes in weeks, charge in minutes: after an old reading the battery may be empty.
    if stale and battery.soc.value_pct is not None:
        return no_estimate(NoEstimateReason.READING_TOO_OLD)
    return _estimate("soc", battery.soc, ReadingQuality(battery.quality))


def _estimate(
    quantity: Literal["soc", "soh"], row: EstimateRow, quality: ReadingQuality = ReadingQuality.NONE
) -> Estimate:
    return estimate_of(quantity, row.value_pct, row.sd_pct, row.provenance, quality)


def _day(row: DailyRow) -> DailyEstimate:
    return DailyEstimate(
        day=row.day,
        time=row.time,
        soc=_estimate("soc", row.soc),
        soh=_estimate("soh", row.soh),
        resistance_mohm=row.resistance_mohm,
        resistance_sd_mohm=row.resistance_sd_mohm,
    )


def _discharge(event: EventRow) -> DischargeOut:
    return DischargeOut(
        discharge_id=event.key,
        string_id=event.string_code,
        started_at=event.started_at,
        ended_at=event.ended_at,
        duration_s=(event.ended_at - event.started_at).total_seconds(),
        mode=event.mode,
        drawn_ah=event.drawn_ah,
        depth_pct=event.depth_pct,
        mean_current_a=event.mean_current_a,
        min_voltage_v=event.min_voltage_v,
        lowest_battery_id=event.lowest_battery_code,
        mean_temperature_c=event.mean_temperature_c,
        complete=event.complete,
        is_open=event.is_open,
    )


def _discharge_battery(row: EventBatteryRow) -> DischargeBattery:
    return DischargeBattery(
        battery_id=row.code,
        end_voltage_v=row.end_voltage_v,
        min_voltage_v=row.min_voltage_v,
        mean_temperature_c=row.mean_temperature_c,
        soh=None if row.soh.value_pct is None else _estimate("soh", row.soh),
    )
