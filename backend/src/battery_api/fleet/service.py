"""Responses of the fleet endpoints, built from state rows."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import groupby
from typing import Final

from sqlalchemy.ext.asyncio import AsyncConnection

from battery_api.accounts.principal import Principal
from battery_api.fleet import repository
from battery_api.fleet.battery_filter import BatteryFilter
from battery_api.fleet.errors import BatteryNotFound, LocationNotFound
from battery_api.fleet.estimates import estimate_of
from battery_api.fleet.not_judged import FindNotJudged
from battery_api.fleet.overview_schemas import Disk, FleetOverview, Services
from battery_api.fleet.repository import (
    AlertCounts,
    BatteryCounts,
    ListedBattery,
    ListedLocation,
    ListedString,
)
from battery_api.fleet.runtimes import string_runtime, system_runtime
from battery_api.fleet.schemas import (
    BatteryDetail,
    BatteryPage,
    BatterySummary,
    LiveValues,
    LocationDetail,
    LocationOut,
    LocationStats,
    NotJudged,
    RoomEnvironment,
    SeverityCounts,
    StatusCounts,
    StringOut,
    StringStateOut,
    SystemOut,
)
from battery_api.fleet.status import stale_after_s
from battery_contracts.enums import HealthStatus, HvacState, NoEstimateReason, ReadingQuality, StringMode, SystemKind
from battery_contracts.fleet import BATTERY_MODELS
from battery_servicekit.disk import DiskReport
from battery_servicekit.pagination import Page, PageRequest
from battery_servicekit.turns import made_in_turns

_DAYS_PER_YEAR: Final = 365.25


class FleetService:
    """The fleet for one caller on one connection."""

    def __init__(
        self, connection: AsyncConnection, principal: Principal, now: datetime, *, find_not_judged: FindNotJudged
    ) -> None:
        self._connection = connection
        self._principal = principal
        self._now = now
        self._find_not_judged = find_not_judged

    async def list_locations(
        self, page: PageRequest, *, include_stats: bool, include_retired: bool = False
    ) -> Page[LocationOut]:
        """List the locations the caller may see."""
        locations = await self._locations(include_retired=include_retired)
        stats = await self._stats(locations) if include_stats else {}
        items = [_location_out(row, stats.get(row.code)) for row in locations[page.skip : page.skip + page.limit]]
        return Page(items=items, total=len(locations), skip=page.skip, limit=page.limit)

    async def get_location(self, location_id: str, *, include_retired: bool = False) -> LocationDetail:
        """Return one location with its systems and strings; of a retired one all of them."""
        locations = await self._locations(include_retired=True)
        location = next((row for row in locations if row.code == location_id), None)
        if location is None:
            raise LocationNotFound(f"No location {location_id} that you may see.")
        stats = await self._stats([location])
        shows_retired = include_retired or location.retired_at is not None
        strings = await repository.list_strings(self._connection, location_code=location_id)
        shown = [string for string in strings if string.retired_at is None or shows_retired]
        summary = _location_out(location, stats.get(location.code))
        return LocationDetail(**summary.model_dump(), systems=self._systems_out(shown))

    async def list_batteries(self, battery_filter: BatteryFilter, page: PageRequest, *, sort: str) -> BatteryPage:
        """List the batteries that match a filter."""
        if battery_filter.not_judged is not None:
            found = await self._find_not_judged(self._connection, self._now, visible=battery_filter.visible)
            battery_filter = replace(battery_filter, not_judged_keys=found.keys())
        rows, total, unknown_count = await repository.list_batteries(
            self._connection, battery_filter, now=self._now, sort=sort, skip=page.skip, limit=page.limit
        )
        items = await self._batteries_out(rows)
        return BatteryPage(items=items, total=total, skip=page.skip, limit=page.limit, unknown_count=unknown_count)

    async def get_battery(self, battery_id: str) -> BatteryDetail:
        """Return one battery with its nameplate and baseline."""
        battery_filter = BatteryFilter(visible=self._principal.location_codes, battery_id=battery_id)
        rows, *_ = await repository.list_batteries(
            self._connection, battery_filter, now=self._now, sort="battery_id", skip=0, limit=1
        )
        if not rows:
            raise BatteryNotFound(f"No battery {battery_id} that you may see.")
        (battery,) = rows
        (string,) = await repository.list_strings(self._connection, string_code=battery.string_code)
        (summary,) = await self._batteries_out([battery])
        return BatteryDetail(
            **summary.model_dump(),
            location_name=battery.location_name,
            model=BATTERY_MODELS[battery.model_code],
            baseline_resistance_mohm=battery.baseline_resistance_mohm,
            baseline_temperature_c=battery.baseline_temperature_c,
            age_years=max(0.0, (self._now - battery.installed_at).days / _DAYS_PER_YEAR),
            string_state=self._string_state_out(string),
        )

    async def overview(self, services: Services, disk: DiskReport) -> FleetOverview:
        """Summarise what the caller may see."""
        stats = list((await self._stats(await self._locations())).values())
        sizes = await repository.count_systems(self._connection, visible=self._principal.location_codes)
        statuses = _sum_statuses([location.status_counts for location in stats])
        alerts = _sum_severities([location.alert_counts for location in stats])
        evidence_count = sum(location.soh_evidence_count for location in stats)
        total_soh_pct = sum((location.mean_soh_pct or 0.0) * location.soh_evidence_count for location in stats)
        return FleetOverview(
            location_count=len(stats),
            system_count=sizes.system_count,
            string_count=sizes.string_count,
            battery_count=statuses.normal + statuses.warning + statuses.critical + statuses.no_data,
            status_counts=statuses,
            not_judged_count=sum(location.not_judged_count for location in stats),
            alert_counts=alerts,
            active_alert_count=alerts.info + alerts.warning + alerts.critical,
            pending_alert_count=sum(location.pending_alert_count for location in stats),
            mean_soh_pct=total_soh_pct / evidence_count if evidence_count else None,
            soh_evidence_count=evidence_count,
            soh_reason=None if evidence_count else _common_reason({location.soh_reason for location in stats}),
            newest_reading_at=max(
                (location.newest_reading_at for location in stats if location.newest_reading_at), default=None
            ),
            generated_at=self._now,
            services=services,
            disk=Disk(state=disk.state, free_mb=disk.free_mib, days_left=disk.days_left),
        )

    async def _locations(self, *, include_retired: bool = False) -> list[ListedLocation]:
        return await repository.list_locations(
            self._connection, visible=self._principal.location_codes, include_retired=include_retired
        )

    async def _stats(self, locations: Sequence[ListedLocation]) -> dict[str, LocationStats]:
        visible = self._principal.location_codes
        alerts = await repository.count_alerts(self._connection, visible=visible)
        batteries = await repository.count_batteries(self._connection, now=self._now, visible=visible)
        not_judged = (await self._find_not_judged(self._connection, self._now, visible=visible)).counts()
        return {
            location.code: self._location_stats(
                location,
                batteries.get(location.code) or _no_batteries(location.code),
                alerts.get(location.code) or AlertCounts(location.code, 0, 0, 0, 0),
                not_judged_count=not_judged[location.key],
            )
            for location in locations
        }

    def _location_stats(
        self, location: ListedLocation, batteries: BatteryCounts, alerts: AlertCounts, *, not_judged_count: int
    ) -> LocationStats:
        no_mean = NoEstimateReason.NO_EVIDENCE if batteries.soh_estimate_count else NoEstimateReason.NO_ESTIMATE_YET
        return LocationStats(
            status_counts=StatusCounts(
                normal=batteries.normal,
                warning=batteries.warning,
                critical=batteries.critical,
                no_data=batteries.no_data,
            ),
            not_judged_count=not_judged_count,
            alert_counts=SeverityCounts(info=alerts.info, warning=alerts.warning, critical=alerts.critical),
            pending_alert_count=alerts.pending,
            mean_soh_pct=batteries.mean_soh_pct,
            soh_evidence_count=batteries.soh_evidence_count,
            soh_reason=no_mean if batteries.mean_soh_pct is None else None,
            environment=self._environment_out(location),
            newest_reading_at=batteries.newest_reading_at,
            worst_battery_id=batteries.worst_battery_code,
        )

    def _environment_out(self, location: ListedLocation) -> RoomEnvironment | None:
        if location.time is None:
            return None
        return RoomEnvironment(
            time=location.time,
            ambient_c=location.ambient_c,
            humidity_pct=location.humidity_pct,
            hvac=None if location.hvac is None else HvacState(location.hvac),
            mains=location.mains,
            is_stale=self._now - location.time > timedelta(seconds=location.stale_after_s),
        )

    def _systems_out(self, strings: Sequence[ListedString]) -> list[SystemOut]:
        return [self._system_out(list(members)) for _, members in groupby(strings, lambda string: string.system_code)]

    def _system_out(self, strings: Sequence[ListedString]) -> SystemOut:
        in_service = [string for string in strings if string.retired_at is None]
        return SystemOut(
            system_id=strings[0].system_code,
            kind=SystemKind(strings[0].system_kind),
            rated_power_kva=strings[0].rated_power_kva,
            runtime=system_runtime([(string.string_code, string_runtime(string, self._now)) for string in in_service]),
            strings=[self._string_out(string) for string in strings],
        )

    def _string_out(self, string: ListedString) -> StringOut:
        return StringOut(
            string_id=string.string_code,
            system_id=string.system_code,
            battery_count=len(string.battery_codes),
            battery_ids=string.battery_codes,
            retired_battery_ids=string.retired_battery_codes,
            retired_at=string.retired_at,
            state=self._string_state_out(string),
        )

    def _string_state_out(self, string: ListedString) -> StringStateOut:
        return StringStateOut(
            time=string.time,
            voltage_v=string.voltage_v,
            current_a=string.current_a,
            float_current_ma=string.float_current_ma,
            ripple_voltage_v=string.ripple_voltage_v,
            ripple_current_a=string.ripple_current_a,
            mode=None if string.mode is None else StringMode(string.mode),
            mode_since=string.mode_since,
            reporting_interval_s=string.reporting_interval_s,
            is_stale=string.time is None or self._is_stale(string.time, string.reporting_interval_s),
            runtime=string_runtime(string, self._now),
        )

    async def _batteries_out(self, batteries: Sequence[ListedBattery]) -> list[BatterySummary]:
        strings = {battery.string_code for battery in batteries}
        found = await self._find_not_judged(self._connection, self._now, strings=strings)
        not_judged = found.of(battery.key for battery in batteries)
        return await made_in_turns(lambda one: self._battery_out(one, not_judged[one.key]), batteries)

    def _battery_out(self, battery: ListedBattery, not_judged: Sequence[NotJudged]) -> BatterySummary:
        live = self._live_values(battery)
        reasons = set(battery.open_types or ())
        if battery.retired_at is not None:
            reasons.add("retired")
        elif live is None:
            reasons.add("never_heard")
        elif live.is_stale:
            reasons.add("data_stale")
        return BatterySummary(
            battery_id=battery.code,
            location_id=battery.location_code,
            system_id=battery.system_code,
            string_id=battery.string_code,
            position=battery.position,
            model_id=battery.model_code,
            serial_number=battery.serial_number,
            installed_at=battery.installed_at,
            status=HealthStatus(battery.status),
            status_reasons=sorted(reasons),
            not_judged=list(not_judged),
            live=live,
            open_alerts=SeverityCounts(
                info=battery.open_info, warning=battery.open_warning, critical=battery.open_critical
            ),
            retired_at=battery.retired_at,
            retired_by=battery.retired_by,
            retired_reason=battery.retired_reason,
            rul_days=battery.rul_days,
            rul_p10_days=battery.rul_p10_days,
            rul_p50_days=battery.rul_p50_days,
            rul_p90_days=battery.rul_p90_days,
            rul_source=battery.rul_source,
            rul_predicted_at=battery.rul_predicted_at,
            voltage_deviation_v=battery.voltage_deviation_v,
        )

    def _live_values(self, battery: ListedBattery) -> LiveValues | None:
        if battery.time is None:
            return None
        quality = ReadingQuality(battery.quality)
        return LiveValues(
            time=battery.time,
            received_at=battery.received_at or battery.time,
            voltage_v=battery.voltage_v,
            current_a=battery.current_a,
            temperature_c=battery.temperature_c,
            internal_resistance_mohm=battery.internal_resistance_mohm,
            resistance_measured_at=battery.resistance_at,
            resistance_drift_pct=battery.resistance_drift_pct,
            soc=estimate_of("soc", battery.soc_pct, battery.soc_sd_pct, battery.soc_provenance, quality),
            soh=estimate_of("soh", battery.soh_pct, battery.soh_sd_pct, battery.soh_provenance, quality),
            quality=quality.codes(),
            reporting_interval_s=battery.reporting_interval_s,
            stale_after_s=stale_after_s(battery.reporting_interval_s),
            is_stale=self._is_stale(battery.time, battery.reporting_interval_s),
        )

    def _is_stale(self, time: datetime, interval_s: float | None) -> bool:
        return self._now - time > timedelta(seconds=stale_after_s(interval_s))


def _location_out(location: ListedLocation, stats: LocationStats | None) -> LocationOut:
    return LocationOut(
        location_id=location.code,
        name=location.name,
        region=location.region,
        latitude=location.latitude,
        longitude=location.longitude,
        altitude_m=location.altitude_m,
        commissioned_on=location.commissioned_on,
        utility=location.utility,
        climate_zone=location.climate_zone,
        system_count=location.system_count,
        string_count=location.string_count,
        battery_count=location.battery_count,
        retired_at=location.retired_at,
        stats=stats,
    )


def _no_batteries(location_code: str) -> BatteryCounts:
    return BatteryCounts(
        location_code=location_code,
        normal=0,
        warning=0,
        critical=0,
        no_data=0,
        newest_reading_at=None,
        mean_soh_pct=None,
        soh_evidence_count=0,
        soh_estimate_count=0,
        worst_battery_code=None,
    )


def _common_reason(reasons: set[NoEstimateReason | None]) -> NoEstimateReason:
    has_estimates = NoEstimateReason.NO_EVIDENCE in reasons
    return NoEstimateReason.NO_EVIDENCE if has_estimates else NoEstimateReason.NO_ESTIMATE_YET


def _sum_statuses(counts: Sequence[StatusCounts]) -> StatusCounts:
    names = StatusCounts.model_fields
    return StatusCounts(**{name: sum(getattr(count, name) for count in counts) for name in names})


def _sum_severities(counts: Sequence[SeverityCounts]) -> SeverityCounts:
    names = SeverityCounts.model_fields
    return SeverityCounts(**{name: sum(getattr(count, name) for count in counts) for name in names})
