"""Examples of the twin endpoints for their OpenAPI description."""

from datetime import UTC, date, datetime
from typing import Final

from battery_api.fleet.examples import BATTERY_ID, MEASURED_AT, NOW, SOC, SOH, STRING_ID, SYSTEM_ID
from battery_api.fleet.runtime_schemas import LoadBasis, RuntimeLoad
from battery_api.twin.schemas import (
    BatteryDischarge,
    DailyEstimate,
    DischargeBattery,
    DischargeOut,
    EvidenceKind,
    HealthEvidence,
    RuntimeOut,
    StringDischarge,
    SystemRuntimeOut,
    SystemStringRuntime,
    TwinRecord,
    UnknownBattery,
)
from battery_contracts.enums import NoEstimateReason
from battery_contracts.ids import battery_id_at
from battery_contracts.twin_analysis import BlockState, LoadStep, SimulateRequest, SimulateResponse
from battery_servicekit.openapi.examples import Example, Examples
from battery_servicekit.pagination import Page

_ENDED_AT: Final = datetime(2026, 11, 12, 8, 2, 10, tzinfo=UTC)
_BATTERY: Final = DischargeBattery(
    battery_id=BATTERY_ID, end_voltage_v=12.11, min_voltage_v=12.08, mean_temperature_c=25.3, soh=SOH
)
_DISCHARGE: Final = DischargeOut(
    discharge_id=318,
    string_id=STRING_ID,
    started_at=datetime(2026, 11, 12, 7, 40, 10, tzinfo=UTC),
    ended_at=_ENDED_AT,
    duration_s=1320.0,
    mode="discharge",
    drawn_ah=22.4,
    depth_pct=18.7,
    mean_current_a=-61.1,
    min_voltage_v=12.08,
    lowest_battery_id=BATTERY_ID,
    mean_temperature_c=25.1,
    complete=True,
    is_open=False,
)
_SIMULATION: Final = SimulateResponse(
    runtime_p10_s=3710.0,
    runtime_p50_s=4180.0,
    runtime_p90_s=4620.0,
    reaches_cut_off=True,
    limiting_battery_id=BATTERY_ID,
    limiting_probability=0.81,
    time_s=[0.0, 2090.0, 4180.0],
    current_a=[-60.0, -60.0, -60.0],
    string_voltage_v=[302.4, 289.2, 262.8],
    limiting_voltage_v=[12.58, 11.96, 10.5],
    limiting_soc_pct=[98.6, 67.4, 36.1],
)
_RUNTIME: Final = {
    "runtime_p10_s": 3710.0,
    "runtime_p50_s": 4180.0,
    "runtime_p90_s": 4620.0,
    "reaches_cut_off": True,
    "limiting_battery_id": BATTERY_ID,
    "reason": None,
    "load": RuntimeLoad(basis=LoadBasis.GIVEN, current_a=-60.0, power_w=None),
    "withheld_count": 0,
}

EXAMPLES: Final[Examples] = {
    "twin_get_battery_twin": Example(
        TwinRecord(
            battery_id=BATTERY_ID,
            generated_at=NOW,
            time=MEASURED_AT,
            is_stale=False,
            soc=SOC,
            soh=SOH,
            resistance_mohm=4.28,
            resistance_sd_mohm=0.06,
            evidence=[
                HealthEvidence(
                    kind=EvidenceKind.DISCHARGE,
                    at=_ENDED_AT,
                    age_days=7.71,
                    depth_pct=18.7,
                    soh=SOH,
                    resistance_mohm=None,
                    resistance_drift_pct=None,
                )
            ],
            history=[
                DailyEstimate(
                    day=date(2026, 11, 19),
                    time=datetime(2026, 11, 19, 16, 59, 42, tzinfo=UTC),
                    soc=SOC,
                    soh=SOH,
                    resistance_mohm=4.28,
                    resistance_sd_mohm=0.06,
                )
            ],
        )
    ),
    "twin_list_battery_discharges": Example(
        Page[BatteryDischarge](
            items=[BatteryDischarge(**_DISCHARGE.model_dump(), block=_BATTERY)], total=1, skip=0, limit=100
        )
    ),
    "twin_list_string_discharges": Example(
        Page[StringDischarge](
            items=[StringDischarge(**_DISCHARGE.model_dump(), blocks=[_BATTERY])], total=1, skip=0, limit=100
        )
    ),
    "twin_get_string_runtime": Example(
        RuntimeOut(
            string_id=STRING_ID,
            generated_at=NOW,
            load=RuntimeLoad(basis=LoadBasis.GIVEN, current_a=-60.0, power_w=None),
            block_count=24,
            withheld_count=1,
            unknown_batteries=[
                UnknownBattery(battery_id=battery_id_at(STRING_ID, 7), reason=NoEstimateReason.READING_TOO_OLD)
            ],
            assumed_battery_ids=[battery_id_at(STRING_ID, 7)],
            oldest_reading_at=MEASURED_AT,
            simulation=_SIMULATION,
        )
    ),
    "twin_get_system_runtime": Example(
        SystemRuntimeOut.model_validate(
            {
                **_RUNTIME,
                "system_id": SYSTEM_ID,
                "generated_at": NOW,
                "limiting_string_id": STRING_ID,
                "strings": [
                    SystemStringRuntime.model_validate(
                        {**_RUNTIME, "string_id": STRING_ID, "block_count": 24, "unknown_batteries": []}
                    )
                ],
            }
        )
    ),
    "twin_simulate_string": Example(
        _SIMULATION,
        request=SimulateRequest(
            blocks=[
                BlockState(battery_id=battery_id_at(STRING_ID, position), soc_pct=98.6, soh_pct=93.1)
                for position in range(1, 25)
            ],
            profile=[LoadStep(duration_s=300.0, current_a=-60.0)],
            rated_ah=120.0,
        ),
    ),
}
