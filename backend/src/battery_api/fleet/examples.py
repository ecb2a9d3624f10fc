"""Examples of the fleet endpoints for their OpenAPI description."""

from datetime import UTC, date, datetime
from typing import Final

from battery_api.fleet.import_schemas import ImportReport, Replacement
from battery_api.fleet.ohmic_findings import OhmicFindingOut, OhmicFindings
from battery_api.fleet.ohmic_policies import POLICIES
from battery_api.fleet.overview_schemas import Disk, FleetOverview, Services
from battery_api.fleet.retirement_schemas import RetireIn, RetirementOut, UnretireIn
from battery_api.fleet.runtime_schemas import LoadBasis, RuntimeLoad, StringRuntime, SystemRuntime
from battery_api.fleet.schemas import (
    BatteryDetail,
    BatteryPage,
    BatterySummary,
    Estimate,
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
from battery_contracts.enums import (
    HealthStatus,
    HvacState,
    JudgedSignal,
    NotJudgedReason,
    Provenance,
    ServiceState,
    StringMode,
    SystemKind,
)
from battery_contracts.fleet import CSB_HX12_120
from battery_contracts.ids import battery_id_at
from battery_servicekit.disk import DiskState
from battery_servicekit.openapi.examples import Example, Examples
from battery_servicekit.pagination import Page

LOCATION_ID: Final = "DC-CNX-01"
SYSTEM_ID: Final = "DC-CNX-01-UPS-01"
STRING_ID: Final = "DC-CNX-01-UPS-01-STR-01"
BATTERY_ID: Final = battery_id_at(STRING_ID, 1)
NOW: Final = datetime(2026, 11, 20, 1, 10, tzinfo=UTC)
MEASURED_AT: Final = datetime(2026, 11, 20, 1, 9, 42, tzinfo=UTC)
_INSTALLED_AT: Final = datetime(2021, 6, 30, 17, 0, tzinfo=UTC)
SOC: Final = Estimate(
    value_pct=98.6, low_pct=95.9, high_pct=100.0, provenance=Provenance.DISCHARGE_INFERRED, reason=None
)
SOH: Final = Estimate(
    value_pct=93.1, low_pct=89.4, high_pct=96.8, provenance=Provenance.DISCHARGE_INFERRED, reason=None
)
_RUNTIME: Final = StringRuntime(
    runtime_p10_s=5400.0,
    runtime_p50_s=7080.0,
    runtime_p90_s=8400.0,
    reaches_cut_off=True,
    limiting_battery_id=BATTERY_ID,
    reason=None,
    at=datetime(2026, 11, 20, 1, 9, 46, tzinfo=UTC),
    load=RuntimeLoad(basis=LoadBasis.LAST_DISCHARGE, current_a=-32.0, power_w=None),
    withheld_count=1,
)
_STATE: Final = StringStateOut(
    time=MEASURED_AT,
    voltage_v=325.1,
    current_a=0.0,
    float_current_ma=41.5,
    ripple_voltage_v=0.31,
    ripple_current_a=1.8,
    mode=StringMode.FLOAT,
    mode_since=datetime(2026, 11, 12, 8, 2, 10, tzinfo=UTC),
    reporting_interval_s=60.0,
    is_stale=False,
    runtime=_RUNTIME,
)
_SUMMARY: Final = BatterySummary(
    battery_id=BATTERY_ID,
    location_id=LOCATION_ID,
    system_id=SYSTEM_ID,
    string_id=STRING_ID,
    position=1,
    model_id=CSB_HX12_120.model_id,
    serial_number="CSB2106-004417",
    installed_at=_INSTALLED_AT,
    status=HealthStatus.WARNING,
    status_reasons=["resistance_drift"],
    not_judged=[NotJudged(signal=JudgedSignal.DISCHARGE_VOLTAGE, reason=NotJudgedReason.NO_CURRENT)],
    live=LiveValues(
        time=MEASURED_AT,
        received_at=datetime(2026, 11, 20, 1, 9, 43, tzinfo=UTC),
        voltage_v=13.54,
        current_a=0.0,
        temperature_c=24.8,
        internal_resistance_mohm=4.31,
        resistance_measured_at=datetime(2026, 11, 19, 19, 0, tzinfo=UTC),
        resistance_drift_pct=23.1,
        soc=SOC,
        soh=SOH,
        quality=["current_from_string"],
        reporting_interval_s=60.0,
        stale_after_s=300.0,
        is_stale=False,
    ),
    open_alerts=SeverityCounts(warning=1),
    rul_days=1240.0,
    rul_p10_days=820.0,
    rul_p50_days=1240.0,
    rul_p90_days=1730.0,
    rul_source="fused",
    rul_predicted_at=datetime(2026, 11, 19, 18, 2, 10, tzinfo=UTC),
    retired_at=None,
    retired_by=None,
    retired_reason=None,
)
_PAGE: Final = BatteryPage(items=[_SUMMARY], total=1, skip=0, limit=100, unknown_count=0)
_LOCATION: Final = LocationOut(
    location_id=LOCATION_ID,
    name="Chiang Mai",
    region="northern",
    latitude=18.7883,
    longitude=98.9853,
    altitude_m=310.0,
    commissioned_on=date(2018, 3, 15),
    utility="PEA",
    climate_zone="N",
    system_count=2,
    string_count=9,
    battery_count=216,
    retired_at=None,
)
_STATS: Final = LocationStats(
    status_counts=StatusCounts(normal=213, warning=2, critical=1),
    not_judged_count=4,
    alert_counts=SeverityCounts(warning=2, critical=1),
    pending_alert_count=1,
    mean_soh_pct=92.7,
    soh_evidence_count=188,
    soh_reason=None,
    environment=RoomEnvironment(
        time=MEASURED_AT, ambient_c=23.1, humidity_pct=54.0, hvac=HvacState.RUNNING, mains=True, is_stale=False
    ),
    newest_reading_at=MEASURED_AT,
    worst_battery_id=BATTERY_ID,
)
_CATALOGUE: Final = (
    "location_id,location_name,region,latitude,longitude,altitude_m,commissioned_on,utility,climate_zone,system_id,"
    "system_kind,rated_power_kva,string_id,battery_id,position,model_id,serial_number,installed_on,"
    "baseline_resistance_mohm,baseline_temperature_c\n"
    "DC-CNX-01,Chiang Mai,northern,18.7883,98.9853,310,2018-03-15,PEA,N,DC-CNX-01-UPS-01,UPS,200,"
    "DC-CNX-01-UPS-01-STR-01,BAT-DC-CNX-01-UPS-01-STR-01-001,1,CSB-HX12-120,CSB2611-000812,2026-11-20,3.48,25.0\n"
)
_RETIRE: Final = RetireIn(reason="Swollen case; removed.", retired_on=date(2026, 11, 20))
_UNRETIRE: Final = UnretireIn(reason="Retired by mistake.")


def _retired(kind: str, subject_id: str, battery_count: int) -> Example:
    return Example(
        RetirementOut.model_validate(
            {
                "kind": kind,
                "id": subject_id,
                "battery_count": battery_count,
                "retired_at": datetime(2026, 11, 19, 17, 0, tzinfo=UTC),
                "retired_by": "admin",
                "retired_reason": _RETIRE.reason,
            }
        ),
        request=_RETIRE,
    )


def _in_service(kind: str, subject_id: str, battery_count: int) -> Example:
    nobody = {"retired_at": None, "retired_by": None, "retired_reason": None}
    answer = RetirementOut.model_validate({"kind": kind, "id": subject_id, "battery_count": battery_count, **nobody})
    return Example(answer, request=_UNRETIRE)


EXAMPLES: Final[Examples] = {
    "fleet_get_fleet_overview": Example(
        FleetOverview(
            location_count=9,
            system_count=21,
            string_count=81,
            battery_count=1944,
            status_counts=StatusCounts(normal=1921, warning=17, critical=4, no_data=2),
            not_judged_count=31,
            alert_counts=SeverityCounts(info=3, warning=19, critical=4),
            active_alert_count=26,
            pending_alert_count=5,
            mean_soh_pct=91.8,
            soh_evidence_count=1702,
            soh_reason=None,
            newest_reading_at=MEASURED_AT,
            generated_at=NOW,
            services=Services(twin=ServiceState.UP, ml=ServiceState.UP, simulator=ServiceState.DOWN),
            disk=Disk(state=DiskState.ENOUGH, free_mb=48_210, days_left=412.0),
        )
    ),
    "fleet_list_locations": Example(
        Page[LocationOut](items=[_LOCATION.model_copy(update={"stats": _STATS})], total=1, skip=0, limit=100)
    ),
    "fleet_get_location": Example(
        LocationDetail(
            **_LOCATION.model_dump(exclude={"stats"}),
            stats=_STATS,
            systems=[
                SystemOut(
                    system_id=SYSTEM_ID,
                    kind=SystemKind.UPS,
                    rated_power_kva=200.0,
                    runtime=SystemRuntime(**_RUNTIME.model_dump(), limiting_string_id=STRING_ID),
                    strings=[
                        StringOut(
                            string_id=STRING_ID,
                            system_id=SYSTEM_ID,
                            battery_count=24,
                            battery_ids=[battery_id_at(STRING_ID, position) for position in range(1, 25)],
                            retired_battery_ids=[],
                            retired_at=None,
                            state=_STATE,
                        )
                    ],
                )
            ],
        )
    ),
    "fleet_list_location_batteries": Example(_PAGE),
    "fleet_list_batteries": Example(_PAGE),
    "fleet_get_ohmic_findings": Example(
        OhmicFindings(
            battery_id="BAT-DC-CNX-01-UPS-01-STR-01-001",
            internal_resistance_mohm=4.31,
            resistance_25c_mohm=4.31,
            measured_at=datetime(2026, 11, 19, 19, 0, tzinfo=UTC),
            findings=[
                OhmicFindingOut(**POLICIES[0]._asdict(), verdict="exceeded", rise_pct=23.1, reason=None),
                OhmicFindingOut(**POLICIES[3]._asdict(), verdict="unknown", rise_pct=None, reason="too_few_peers"),
            ],
        )
    ),
    "fleet_get_battery": Example(
        BatteryDetail(
            **_SUMMARY.model_dump(),
            location_name="Chiang Mai",
            model=CSB_HX12_120,
            baseline_resistance_mohm=3.5,
            baseline_temperature_c=25.0,
            age_years=5.39,
            string_state=_STATE,
        )
    ),
    "fleet_export_fleet": Example(_CATALOGUE),
    "fleet_import_fleet": Example(
        ImportReport(
            dry_run=False,
            row_count=1,
            created=0,
            updated=0,
            unchanged=0,
            replaced=1,
            replacements=[
                Replacement(
                    line=2,
                    battery_id=BATTERY_ID,
                    old_serial_number="CSB2106-004417",
                    new_serial_number="CSB2611-000812",
                    installed_at=datetime(2026, 11, 19, 17, 0, tzinfo=UTC),
                )
            ],
            retired=0,
            reinstated=0,
            error_count=0,
            errors=[],
            warning_count=0,
            warnings=[],
        ),
        request=_CATALOGUE,
    ),
    "fleet_retire_battery": _retired("battery", BATTERY_ID, 1),
    "fleet_retire_string": _retired("string", STRING_ID, 24),
    "fleet_retire_location": _retired("location", LOCATION_ID, 216),
    "fleet_unretire_battery": _in_service("battery", BATTERY_ID, 1),
    "fleet_unretire_string": _in_service("string", STRING_ID, 24),
    "fleet_unretire_location": _in_service("location", LOCATION_ID, 216),
}
