"""Whether the filter's predictions and its stated uncertainty agree with a recorded run."""

import numpy as np
from scipy.stats import chi2

from battery_contracts.twin_analysis import ValidateResponse
from battery_twin.circuit.parameter_set import ParameterSet
from battery_twin.replay import replay
from battery_twin.runs import RecordedRun, RunInvalid

# The first updates remove a wrong start; their innovations do not test the model.
SETTLING_ROWS = 10
MIN_ROWS = 30
WHITE_BAND_SD = 1.96


def validate(run: RecordedRun, parameters: ParameterSet, initial_soc: float = 0.9) -> ValidateResponse:
    """Report RMSE, whiteness and mean NIS of the one-step predictions where the voltage is informative.

    The run is consistent when the mean NIS does not exceed the upper 97.5 % bound of its chi-squared distribution.
    Raises `RunInvalid` when fewer than 30 informative rows remain.
    """
    estimates = replay(run, parameters, initial_soc)
    informative = np.flatnonzero(estimates.informative > 0)
    informative = informative[informative >= SETTLING_ROWS]
    if len(informative) < MIN_ROWS:
        raise RunInvalid(
            f"{len(informative)} rows of discharge or rest are too few, {MIN_ROWS} are needed", column="time_s"
        )
    innovation_v, nis = estimates.innovation_v[informative], estimates.nis[informative]
    spread = float(innovation_v.std())
    centred = innovation_v - innovation_v.mean()
    lag_one = float(np.mean(centred[1:] * centred[:-1]) / spread**2) if spread > 0 else 0.0
    white = abs(lag_one) < WHITE_BAND_SD / np.sqrt(len(informative))
    # Correlated rows are not independent samples: the band widens with their correlation.
    samples = max(len(informative) * (1 - abs(lag_one)) / (1 + abs(lag_one)), 2.0)
    low, high = (float(chi2.ppf(level, samples) / samples) for level in (0.025, 0.975))
    mean_nis = float(nis.mean())
    rmse_mv, bias_mv = 1000.0 * float(np.sqrt(np.mean(innovation_v**2))), 1000.0 * float(innovation_v.mean())
    findings = []
    if mean_nis > high:
        findings.append("Predictions miss by more than the filter states: its intervals are too narrow for this run.")
    if mean_nis < low:
        findings.append("Predictions miss by less than the filter states: its intervals are cautious for this run.")
    if not white:
        findings.append("Successive errors are correlated: the circuit lacks a slow process that this run shows.")
    return ValidateResponse(
        rows=len(informative),
        voltage_rmse_mv=rmse_mv,
        voltage_bias_mv=bias_mv,
        innovation_autocorrelation=lag_one,
        innovations_white=bool(white),
        mean_nis=mean_nis,
        nis_low=low,
        nis_high=high,
        consistent=mean_nis <= high,
        findings=findings,
    )
