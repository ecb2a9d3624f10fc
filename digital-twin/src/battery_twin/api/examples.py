"""Examples of the endpoints for their OpenAPI description."""

from datetime import UTC, datetime
from typing import Final

from battery_contracts.enums import Provenance, StringMode
from battery_contracts.twin import EstimateRequest, EstimateResponse, Quantiles
from battery_contracts.twin_analysis import (
    BlockState,
    CalibrateRequest,
    CalibrateResponse,
    CapacityEvidence,
    FitError,
    Identified,
    LoadStep,
    PhysicsForecast,
    PhysicsRulQuery,
    PhysicsRulRequest,
    PhysicsRulResponse,
    RunColumns,
    SimulateRequest,
    SimulateResponse,
    TemperatureSpan,
    ValidateRequest,
    ValidateResponse,
)
from battery_servicekit.openapi.examples import Example, Examples
from battery_twin.circuit.data_sheet import data_sheet_parameters

_BATTERY_ID: Final = "BAT-DC-CNX-01-UPS-01-STR-01-001"
_AS_OF: Final = datetime(2026, 11, 20, 0, 0, tzinfo=UTC)
_RUN: Final = RunColumns(
    time_s=[0.0, 1800.0, 3600.0, 5400.0],
    current_a=[-12.0, -12.0, -12.0, -12.0],
    voltage_v=[12.71, 12.58, 12.49, 12.4],
    temperature_c=[24.8, 25.0, 25.1, 25.3],
)

EXAMPLES: Final[Examples] = {
    "twin_estimate": Example(
        EstimateResponse(
            soc_pct=[98.6],
            soc_sd_pct=[1.6],
            soh_pct=[93.1],
            soh_sd_pct=[2.2],
            soc_provenance=[Provenance.DISCHARGE_INFERRED],
            soh_provenance=[Provenance.DISCHARGE_INFERRED],
            resistance_mohm=[4.28],
            resistance_sd_mohm=[0.06],
            normalised_innovation_squared=[0.7],
            state=[b"the state of the filter after the reading"],
            error=[None],
        ),
        request=EstimateRequest(
            battery_id=[_BATTERY_ID],
            model_id=["CSB-HX12-120"],
            dt_s=[60.0],
            voltage_v=[13.54],
            current_a=[0.0],
            temperature_c=[24.8],
            internal_resistance_mohm=[None],
            float_current_ma=[41.5],
            mode=[StringMode.FLOAT],
            state=[b"the state of the filter before the reading"],
            age_days=[1968.0],
            rated_ah=[120.0],
            baseline_resistance_mohm=[3.5],
        ),
    ),
    "twin_predict_rul": Example(
        PhysicsRulResponse(
            forecasts=[
                PhysicsForecast(
                    battery_id=_BATTERY_ID,
                    rul_days=Quantiles(p10=820.0, p50=1240.0, p90=1730.0),
                    provenance=Provenance.DISCHARGE_INFERRED,
                    as_of=_AS_OF,
                    soh_pct=93.1,
                    soh_sd_pct=2.2,
                    ageing_over_25_c=1.08,
                )
            ]
        ),
        request=PhysicsRulRequest(
            as_of=_AS_OF,
            batteries=[
                PhysicsRulQuery(
                    battery_id=_BATTERY_ID,
                    age_days=1968.0,
                    temperature_history=[TemperatureSpan(days=1968.0, temperature_c=26.1)],
                    discharge_depths_pct=[18.7, 9.2],
                    evidence=[
                        CapacityEvidence(
                            soh_pct=93.1, soh_sd_pct=2.2, provenance=Provenance.DISCHARGE_INFERRED, age_days=7.7
                        )
                    ],
                )
            ],
        ),
    ),
    "twin_simulate_string": Example(
        SimulateResponse(
            runtime_p10_s=3710.0,
            runtime_p50_s=4180.0,
            runtime_p90_s=4620.0,
            reaches_cut_off=True,
            limiting_battery_id=_BATTERY_ID,
            limiting_probability=0.81,
            time_s=[0.0, 2090.0, 4180.0],
            current_a=[-60.0, -60.0, -60.0],
            string_voltage_v=[25.2, 24.1, 21.6],
            limiting_voltage_v=[12.58, 11.96, 10.5],
            limiting_soc_pct=[98.6, 67.4, 36.1],
        ),
        request=SimulateRequest(
            blocks=[
                BlockState(battery_id=_BATTERY_ID, soc_pct=98.6, soh_pct=93.1),
                BlockState(battery_id="BAT-DC-CNX-01-UPS-01-STR-01-002", soc_pct=98.8, soh_pct=96.4),
            ],
            profile=[LoadStep(duration_s=300.0, current_a=-60.0)],
            rated_ah=120.0,
        ),
    ),
    "twin_calibrate": Example(
        CalibrateResponse(
            parameters=data_sheet_parameters(120.0).to_mapping(),
            fit=FitError(voltage_rmse_mv=8.4, worst_mv=31.0, fitted_rows=4),
            identified=[
                Identified(
                    name="capacity_ah",
                    value=118.2,
                    sd=9.6,
                    identifiable=False,
                    reason="The run ends far above the cut-off.",
                )
            ],
            notes=["There are no pulses, so the time constants are those of the data sheet."],
        ),
        request=CalibrateRequest(rated_ah=120.0, runs=[_RUN], initial_soc=[1.0]),
    ),
    "twin_validate_parameters": Example(
        ValidateResponse(
            rows=4,
            voltage_rmse_mv=9.1,
            voltage_bias_mv=-2.3,
            innovation_autocorrelation=0.12,
            innovations_white=True,
            mean_nis=0.94,
            nis_low=0.81,
            nis_high=1.2,
            consistent=True,
            findings=[],
        ),
        request=ValidateRequest(run=_RUN, rated_ah=120.0, initial_soc=1.0),
    ),
}
