"""The twin's replay on the synthetic world, another model than its own: 30 minutes from float, data sheet only.

Run: python benchmarks/twin_accuracy.py.
"""

import json
from datetime import UTC, date, datetime

import numpy as np

from battery_synth.catalogue import DEFAULT_SEED, build_catalogue
from battery_synth.engine.plant import Plant
from battery_synth.engine.readings import Sampling
from battery_synth.life.policy import Unattended
from battery_synth.outside import scenario
from battery_twin.identification.parameter_set import ParameterSet
from battery_twin.replay import replay
from battery_twin.runs import Run

SITES = ("DC-BKK-01", "DC-NTB-01")
BEGINS = datetime(2025, 5, 10, 5, tzinfo=UTC).timestamp()
FLOAT_S, DISCHARGE_S = 1200.0, 1800.0
WRONG_START, BIAS_A = 0.8, 0.2
INSIDE_90 = 1.645


def main() -> None:
    """Replay every block of two sites through an outage without a generator and print the errors."""
    catalogue = build_catalogue(DEFAULT_SEED, as_of=date(2025, 5, 1))
    found = np.concatenate([_site([row for row in catalogue if row.location_id == site]) for site in SITES])
    soc_error, soc_sd, soh_error, soh_sd, counted = found.T
    figures = {
        "blocks": len(found),
        "soc_rmse": _rms(soc_error),
        "soc_inside_90": float((np.abs(soc_error) < INSIDE_90 * soc_sd).mean()),
        "soc_rmse_coulomb_counting": _rms(counted),
        "soh_rmse": _rms(soh_error),
        "soh_inside_90": float((np.abs(soh_error) < INSIDE_90 * soh_sd).mean()),
    }
    print(json.dumps({name: round(value, 4) for name, value in figures.items()}))


def _site(rows: list) -> np.ndarray:
    outage = scenario.named("genset_failure", BEGINS, DISCHARGE_S)
    plant = Plant(DEFAULT_SEED, rows, start_s=BEGINS - FLOAT_S, policy=Unattended(), scenario=outage)
    seen = plant.run(BEGINS + DISCHARGE_S, Sampling(5.0))
    truth, strings, width = plant.truth(), len(plant.layout.string_ids), plant.layout.width
    times = (seen.at_us.reshape(-1, strings)[:, 0] - seen.at_us[0]) / 1e6
    parameters = ParameterSet.default_for(plant.layout.rated_ah)
    errors = []
    for string in range(strings):
        current = seen.current_a.reshape(-1, strings)[:, string].astype(np.float64) + BIAS_A
        for j in range(width):
            volts, warmth, soc = (
                getattr(seen, name).reshape(-1, strings, width)[:, string, j].astype(np.float64)
                for name in ("voltage_v", "temperature_c", "soc")
            )
            health = float(truth.health[string * width + j])
            estimate = replay(Run(times, current, volts, warmth), parameters, WRONG_START)
            counted = WRONG_START + (current[:-1] * np.diff(times)).sum() / 3600.0 / parameters.rated_ah
            errors.append(
                (
                    estimate.soc[-1] - soc[-1],
                    estimate.soc_sd[-1],
                    estimate.soh[-1] - health,
                    estimate.soh_sd[-1],
                    counted - soc[-1],
                )
            )
    return np.array(errors)


def _rms(values: np.ndarray) -> float:
    return float(np.sqrt(np.mean(np.square(values))))


if __name__ == "__main__":
    main()
