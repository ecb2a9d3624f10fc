"""The twin on the synthetic world, a model other than its own: blocks of four locations, 30 minutes from float.

The whole path of live readings is used: one call per instant, states as blobs. Twice: with the data sheet alone, and
with a circuit identified from the slow and the fast discharge of one new block.

Run: python benchmarks/twin_accuracy.py.
"""

import json
import tempfile
from collections.abc import Sequence
from datetime import UTC, date, datetime
from pathlib import Path
from typing import NamedTuple

import numpy as np

from battery_contracts.enums import StringMode
from battery_contracts.fleet import FleetRow
from battery_contracts.twin import EstimateRequest, EstimateResponse
from battery_synth.catalogue import DEFAULT_SEED, build_catalogue
from battery_synth.datasets.characterisation import characterise
from battery_synth.engine.plant import Plant
from battery_synth.life.policy import Unattended
from battery_synth.outside import scenario
from battery_synth.state.readings import Sampling
from battery_twin.circuit.parameter_set import ParameterSet
from battery_twin.fleet.estimator import FleetEstimator
from battery_twin.fleet.models import BatteryModels
from battery_twin.identification.fit import identify
from battery_twin.identification.fitted_set import fitted_parameters
from battery_twin.runs import RecordedRun

LOCATIONS = ("DC-BKK-01", "DC-NTB-01", "DC-CNX-01", "DC-PKT-01")
MODEL, RATED_AH = "CSB-HX12-120", 120.0
TODAY = date(2025, 5, 10)
BEGINS = datetime(2025, 5, 10, 5, tzinfo=UTC).timestamp()
FLOAT_S, DISCHARGE_S, EVERY_S = 1200.0, 1800.0, 5.0
WRONG_START, BIAS_A = 0.8, 0.2
INSIDE_90 = 1.645


class LocationTruth(NamedTuple):
    """Sensor readings of the blocks of a location (instants, blocks), and their true values at the end (blocks,)."""

    times_s: np.ndarray
    current_a: np.ndarray
    voltage_v: np.ndarray
    temperature_c: np.ndarray
    soc: np.ndarray
    health: np.ndarray
    age_days: np.ndarray


def main() -> None:
    """Print the errors of SOC and SOH, and how often they are inside their intervals."""
    catalogue = build_catalogue(DEFAULT_SEED, as_of=TODAY)
    locations = [_outage([row for row in catalogue if row.location_id == location]) for location in LOCATIONS]
    calibrated = _characterised()
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / f"{MODEL}.json").write_text(calibrated.to_json())
        for name, models in (("data sheet", BatteryModels()), ("calibrated", BatteryModels(Path(folder)))):
            print(json.dumps({"circuit": name, **_figures(FleetEstimator(models), locations)}))


def _figures(estimator: FleetEstimator, locations: list[LocationTruth]) -> dict[str, float]:
    rows = []
    for location in locations:
        prior, last = _follow(estimator, location)
        counted = WRONG_START + np.trapezoid(location.current_a, location.times_s, axis=0) / 3600.0 / 120.0
        true_soc, true_soh = 100.0 * location.soc, 100.0 * location.health
        rows.append(
            np.array(
                [
                    np.array(last.soc_pct, float) - true_soc,
                    np.array(last.soc_sd_pct, float),
                    np.array(last.soh_pct, float) - true_soh,
                    np.array(last.soh_sd_pct, float),
                    np.array(prior.soh_pct, float) - true_soh,
                    100.0 * counted - true_soc,
                    true_soh,
                ]
            )
        )
    soc, soc_sd, soh, soh_sd, prior_soh, counted, truth = np.concatenate(rows, axis=1)
    return {
        "blocks": len(soc),
        "soc_rmse_pct": round(_rms(soc), 2),
        "soc_inside_90": round(float((np.abs(soc) < INSIDE_90 * soc_sd).mean()), 3),
        "soc_rmse_pct_coulomb_counting": round(_rms(counted), 2),
        "soh_rmse_pct": round(_rms(soh), 2),
        "soh_inside_90": round(float((np.abs(soh) < INSIDE_90 * soh_sd).mean()), 3),
        "soh_mean_sd_pct": round(float(soh_sd.mean()), 2),
        "soh_correlation": round(float(np.corrcoef(soh + truth, truth)[0, 1]), 2),
        "soh_rmse_pct_age_alone": round(_rms(prior_soh), 2),
    }


def _follow(estimator: FleetEstimator, location: LocationTruth) -> tuple[EstimateResponse, EstimateResponse]:
    """Return the estimates before the discharge and at its end."""
    count = len(location.health)
    nothing: list[float | None] = [None] * count
    state: list[bytes | None] = [None] * count
    responses = []
    for row, at_s in enumerate(location.times_s):
        dt_s = None if row == 0 else at_s - location.times_s[row - 1]
        current_a = location.current_a[row] + BIAS_A
        response = estimator.estimate(
            EstimateRequest(
                battery_id=[str(block) for block in range(count)],
                model_id=[MODEL] * count,
                dt_s=[dt_s] * count,
                voltage_v=location.voltage_v[row].tolist(),
                current_a=current_a.tolist(),
                temperature_c=location.temperature_c[row].tolist(),
                internal_resistance_mohm=nothing,
                float_current_ma=nothing,
                mode=[StringMode.FLOAT if amps > -2.0 else StringMode.DISCHARGE for amps in current_a],
                state=state,
                age_days=location.age_days.tolist(),
            )
        )
        state = response.state
        responses.append(response)
    return responses[int(FLOAT_S / EVERY_S) - 2], responses[-1]


def _outage(rows: Sequence[FleetRow]) -> LocationTruth:
    outage = scenario.named("genset_failure", BEGINS, DISCHARGE_S)
    plant = Plant(DEFAULT_SEED, rows, start_s=BEGINS - FLOAT_S, policy=Unattended(), scenario=outage)
    readings = plant.run(BEGINS + DISCHARGE_S, Sampling(EVERY_S))
    strings, width = len(plant.layout.string_ids), plant.layout.width
    shape = (-1, strings * width)
    return LocationTruth(
        times_s=(readings.at_us.reshape(-1, strings)[:, 0] - readings.at_us[0]) / 1e6,
        current_a=np.repeat(readings.current_a.reshape(-1, strings), width, axis=1).astype(np.float64),
        voltage_v=readings.voltage_v.reshape(shape).astype(np.float64),
        temperature_c=readings.temperature_c.reshape(shape).astype(np.float64),
        soc=readings.soc.reshape(shape)[-1].astype(np.float64),
        health=plant.truth().health.astype(np.float64),
        age_days=np.array([float((TODAY - row.installed_on).days) for row in rows]),
    )


def _characterised() -> ParameterSet:
    """Identify the circuit from the slow and the fast discharge of one new block."""
    runs = characterise(DEFAULT_SEED, TODAY)
    recorded = [RecordedRun(run.time_s, run.current_a, run.voltage_v, run.temperature_c) for run in runs]
    return fitted_parameters(identify(tuple(recorded), RATED_AH), RATED_AH)


def _rms(values: np.ndarray) -> float:
    return float(np.sqrt(np.mean(np.square(values))))


if __name__ == "__main__":
    main()
