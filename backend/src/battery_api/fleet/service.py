"""Turn state rows into what the fleet endpoints answer."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import RowMapping
from sqlalchemy.ext.asyncio import AsyncConnection

from battery_api.accounts.principal import Principal
from battery_api.fleet import repository
from battery_api.fleet.errors import BatteryNotFound, LocationNotFound
from battery_api.fleet.estimates import estimate_of
from battery_api.fleet.repository import BatteryFilter
from battery_api.fleet.schemas import (
    BatteryDetail,
    BatterySummary,
    Environment,
    FleetOverview,
    LiveValues,
    LocationDetail,
    LocationOut,
    LocationStats,
    Services,
    SeverityCounts,
    StatusCounts,
    StringOut,
    StringStateOut,
    SystemOut,
)
from battery_api.fleet.status import stale_after_s
from battery_contracts.enums import HealthStatus, NoEstimateReason, ReadingQuality
from battery_contracts.fleet import BATTERY_MODELS
from battery_servicekit.pagination import Page, PageRequest

_DAYS_PER_YEAR = 365.25


class FleetService:
    """Answers about the fleet for one caller on one connection."""

    def __init__(self, connection: AsyncConnection, principal: Principal, now: datetime) -> None:
        self._connection = connection
        self._principal = principal
        self._now = now

    async def list_locations(self, page: PageRequest, *, include_stats: bool) -> Page[LocationOut]:
        """List the locations the caller may see."""
        rows = await repository.list_locations(self._connection, visible=self._principal.location_codes)
        stats = await self._stats() if include_stats else {}
        chosen = rows[page.skip : page.skip + page.limit]
        items = [self._location(row, stats) for row in chosen]
        return Page(items=items, total=len(rows), skip=page.skip, limit=page.limit)

    async def get_location(self, location_id: str) -> LocationDetail:
        """Return one location with its systems and strings."""
        visible = self._principal.location_codes
        rows = await repository.list_locations(self._connection, visible=visible)
        row = next((row for row in rows if row["code"] == location_id), None)
        if row is None:
            raise LocationNotFound(f"No location {location_id} that you may see.")
        stats = await self._stats()
        systems: dict[str, SystemOut] = {}
        for string in await repository.list_strings(self._connection, location_code=location_id):
            system = systems.setdefault(
                string["system_code"],
                SystemOut(
                    system_id=string["system_code"],
                    kind=string["kind"],
                    rated_power_kva=string["rated_power_kva"],
                    strings=[],
                ),
            )
            system.strings.append(self._string(string))
        base = self._location(row, stats)
        return LocationDetail(**base.model_dump(), systems=list(systems.values()))

    async def list_batteries(self, wanted: BatteryFilter, page: PageRequest, *, sort: str) -> Page[BatterySummary]:
        """List batteries that match."""
        rows, total = await repository.list_batteries(
            self._connection, wanted, now=self._now, sort=sort, skip=page.skip, limit=page.limit
        )
        return Page(items=[self._battery(row) for row in rows], total=total, skip=page.skip, limit=page.limit)

    async def get_battery(self, battery_id: str) -> BatteryDetail:
        """Return one battery with its facts."""
        wanted = BatteryFilter(visible=self._principal.location_codes, battery_id=battery_id)
        rows, _ = await repository.list_batteries(
            self._connection, wanted, now=self._now, sort="battery_id", skip=0, limit=1
        )
        if not rows:
            raise BatteryNotFound(f"No battery {battery_id} that you may see.")
        row = rows[0]
        (string,) = await repository.list_strings(self._connection, string_code=row["string_code"])
        return BatteryDetail(
            **self._battery(row).model_dump(),
            location_name=row["location_name"],
            model=BATTERY_MODELS[row["model_code"]],
            baseline_resistance_mohm=row["baseline_resistance_mohm"],
            baseline_temperature_c=row["baseline_temperature_c"],
            age_years=max(0.0, (self._now - row["installed_at"]).days / _DAYS_PER_YEAR),
            string_state=self._string_state(string),
        )

    async def overview(self, services: Services) -> FleetOverview:
        """Sum up what the caller may see."""
        visible = self._principal.location_codes
        stats = await self._stats()
        systems, strings = await repository.count_visible_systems(self._connection, visible=visible)
        counts = _sum_counts([item.status_counts for item in stats.values()], StatusCounts)
        alerts = _sum_counts([item.alert_counts for item in stats.values()], SeverityCounts)
        newest = [item.newest_reading_at for item in stats.values() if item.newest_reading_at]
        batteries = sum(counts.model_dump().values())
        evident = sum(item.soh_evidence_count for item in stats.values())
        total_pct = sum((item.mean_soh_pct or 0.0) * item.soh_evidence_count for item in stats.values())
        reasons = {item.soh_reason for item in stats.values()}
        return FleetOverview(
            location_count=len(stats),
            system_count=systems,
            string_count=strings,
            battery_count=batteries,
            status_counts=counts,
            alert_counts=alerts,
            active_alert_count=sum(alerts.model_dump().values()),
            pending_alert_count=sum(item.pending_alert_count for item in stats.values()),
            mean_soh_pct=total_pct / evident if evident else None,
            soh_evidence_count=evident,
            soh_reason=None if evident else _reason_of_all(reasons),
            newest_reading_at=max(newest, default=None),
            generated_at=self._now,
            services=services,
        )

    async def _stats(self) -> dict[str, LocationStats]:
        visible = self._principal.location_codes
        alerts = {row["location_code"]: row for row in await repository.alert_counts(self._connection, visible=visible)}
        places = {row["code"]: row for row in await repository.list_locations(self._connection, visible=visible)}
        batteries = await repository.status_counts(self._connection, now=self._now, visible=visible)
        by_code = {row["location_code"]: row for row in batteries}
        return {
            code: self._location_stats(place, by_code.get(code), alerts.get(code)) for code, place in places.items()
        }

    def _location_stats(
        self, place: RowMapping, batteries: RowMapping | None, alerts: RowMapping | None
    ) -> LocationStats:
        counted: Mapping[Any, Any] = batteries or {}
        raised: Mapping[Any, Any] = alerts or {}
        mean_soh = counted.get("mean_soh_pct")
        reason = NoEstimateReason.NO_EVIDENCE if counted.get("soh_estimate_count") else NoEstimateReason.NO_ESTIMATE_YET
        return LocationStats(
            status_counts=StatusCounts(**{status: counted.get(status, 0) for status in StatusCounts.model_fields}),
            alert_counts=SeverityCounts(**{name: raised.get(name, 0) for name in SeverityCounts.model_fields}),
            pending_alert_count=raised.get("pending", 0),
            mean_soh_pct=mean_soh,
            soh_evidence_count=counted.get("soh_evidence_count", 0),
            soh_reason=reason if mean_soh is None else None,
            environment=self._environment(place),
            newest_reading_at=counted.get("newest_reading_at"),
            worst_battery_id=counted.get("worst_battery_id"),
        )

    def _environment(self, row: RowMapping) -> Environment | None:
        if row["time"] is None:
            return None
        return Environment(
            time=row["time"],
            ambient_c=row["ambient_c"],
            humidity_pct=row["humidity_pct"],
            hvac=row["hvac"],
            mains=row["mains"],
            is_stale=self._now - row["time"] > timedelta(seconds=row["stale_after_s"]),
        )

    def _location(self, row: RowMapping, stats: Mapping[str, LocationStats]) -> LocationOut:
        taken = set(LocationOut.model_fields) - {"location_id", "stats"}
        return LocationOut(location_id=row["code"], stats=stats.get(row["code"]), **{name: row[name] for name in taken})

    def _string(self, row: RowMapping) -> StringOut:
        return StringOut(
            string_id=row["string_code"],
            system_id=row["system_code"],
            battery_count=row["battery_count"],
            state=self._string_state(row),
        )

    def _string_state(self, row: RowMapping) -> StringStateOut:
        taken = set(StringStateOut.model_fields) - {"is_stale"}
        return StringStateOut(
            **{name: row[name] for name in taken},
            is_stale=_is_stale(row["time"], row["reporting_interval_s"], self._now),
        )

    def _battery(self, row: RowMapping) -> BatterySummary:
        live = self._live(row)
        reasons = list(row["open_types"] or [])
        if live is None:
            reasons.append("never_heard")
        elif live.is_stale:
            reasons.append("data_stale")
        return BatterySummary(
            battery_id=row["code"],
            location_id=row["location_code"],
            system_id=row["system_code"],
            string_id=row["string_code"],
            position=row["position"],
            model_id=row["model_code"],
            serial_number=row["serial_number"],
            installed_at=row["installed_at"],
            status=HealthStatus(row["status"]),
            status_reasons=sorted(set(reasons)),
            live=live,
            open_alerts=SeverityCounts(
                info=row["open_info"], warning=row["open_warning"], critical=row["open_critical"]
            ),
        )

    def _live(self, row: RowMapping) -> LiveValues | None:
        if row["time"] is None:
            return None
        quality = ReadingQuality(row["quality"])
        return LiveValues(
            time=row["time"],
            received_at=row["received_at"] or row["time"],
            voltage_v=row["voltage_v"],
            current_a=row["current_a"],
            temperature_c=row["temperature_c"],
            internal_resistance_mohm=row["internal_resistance_mohm"],
            resistance_measured_at=row["resistance_at"],
            resistance_drift_pct=row["resistance_drift_pct"],
            soc=estimate_of("soc", row["soc_pct"], row["soc_sd_pct"], row["soc_provenance"], quality),
            soh=estimate_of("soh", row["soh_pct"], row["soh_sd_pct"], row["soh_provenance"], quality),
            quality=quality.codes(),
            reporting_interval_s=row["reporting_interval_s"],
            stale_after_s=stale_after_s(row["reporting_interval_s"]),
            is_stale=_is_stale(row["time"], row["reporting_interval_s"], self._now),
        )


def _is_stale(time: datetime | None, interval_s: float | None, now: datetime) -> bool:
    return time is None or now - time > timedelta(seconds=stale_after_s(interval_s))


def _reason_of_all(reasons: set[NoEstimateReason | None]) -> NoEstimateReason:
    has_estimates = NoEstimateReason.NO_EVIDENCE in reasons
    return NoEstimateReason.NO_EVIDENCE if has_estimates else NoEstimateReason.NO_ESTIMATE_YET


def _sum_counts(counts: list[Any], kind: type[Any]) -> Any:
    return kind(**{name: sum(getattr(count, name) for count in counts) for name in kind.model_fields})
