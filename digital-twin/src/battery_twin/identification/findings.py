"""What a fit found, value by value, in words that say when the runs know nothing of one."""

import numpy as np

from battery_contracts.twin_analysis import FitError, Identified
from battery_twin.filter.kernel import OCV_KNOTS, RESISTANCE_KNOTS
from battery_twin.identification.excitation import current_steps
from battery_twin.identification.fit import Fit
from battery_twin.identification.prior import (
    LOG_KNEE_SD,
    LOG_TAU_SD,
)

# A value is identified when the runs at least halve what was open before, and leave less than a third of it open.
NARROWED = 0.5
RELATIVE_SD = 0.33


def fit_error(fit: Fit) -> FitError:
    """Return how far the circuit is from the rows that it was fitted to."""
    residual_v = np.concatenate(fit.residual_v)
    return FitError(
        voltage_rmse_mv=1000.0 * float(np.sqrt(np.mean(residual_v**2))),
        worst_mv=1000.0 * float(np.abs(residual_v).max()),
        fitted_rows=len(residual_v),
    )


def identified_parameters(fit: Fit) -> list[Identified]:
    """Return every parameter with its spread and whether the runs identify it."""
    found = [_capacity(fit)]
    for name in ("ocv", "r0", "r1", "r2"):
        unit, knots = ("v", OCV_KNOTS) if name == "ocv" else ("ohm", RESISTANCE_KNOTS)
        for knot, value, sd, prior_sd in zip(knots, *fit.table(name), strict=True):
            relative = sd / abs(value) if name != "ocv" else 0.0
            found.append(_judged(f"{name}_{unit}[soc={knot:.2f}]", float(value), float(sd), sd / prior_sd, relative))
    logs = (*zip(("tau1_s", "tau2_s"), fit.log_tau, fit.log_tau_sd, LOG_TAU_SD, strict=True),)
    for name, log, log_sd, prior_sd in (*logs, ("knee_a", np.log(fit.knee_a), fit.log_knee_sd, LOG_KNEE_SD)):
        value = float(np.exp(log))
        found.append(_judged(name, value, value * float(log_sd), log_sd / prior_sd, float(log_sd)))
    return found


def notes(fit: Fit) -> list[str]:
    """Say in sentences what the runs could not show."""
    rated_ah = fit.traces[0].rated_ah
    said = []
    if not fit.cut_offs:
        said.append(
            "No run goes from full to its cut-off voltage: capacity stays at the rated value with a wide deviation."
        )
    if sum(current_steps(trace.run, rated_ah) for trace in fit.traces) < 4:
        said.append("There are hardly any current steps: ohmic resistance is hard to tell from slow polarisation.")
    step_s = min(float(np.median(trace.run.dt_s[1:])) for trace in fit.traces)
    if step_s > 2.0:
        said.append(f"Rows are {step_s:.0f} s apart: what settles within seconds cannot be told from ohmic resistance.")
    deepest = min(float(soc.min()) for soc in fit.soc)
    if deepest > 0.2:
        said.append(f"The runs end at {deepest:.0%} of charge: below it the tables are those of the data sheet.")
    return said


def _capacity(fit: Fit) -> Identified:
    cuts = len(fit.cut_offs)
    reason = f"counted in {cuts} discharge(s) from full to cut-off" if cuts else "no discharge from full to cut-off"
    return Identified(
        name="capacity_ah", value=fit.capacity_ah, sd=fit.capacity_sd_ah, identifiable=bool(cuts), reason=reason
    )


def _judged(name: str, value: float, sd: float, of_prior: float, relative: float) -> Identified:
    if of_prior > NARROWED:
        reason = f"not identifiable: the runs leave {of_prior:.0%} of the assumed deviation"
    elif relative > RELATIVE_SD:
        reason = f"not identifiable: the deviation is {relative:.0%} of the value"
    else:
        reason = f"the runs leave {of_prior:.0%} of the assumed deviation"
    return Identified(name=name, value=value, sd=sd, identifiable=not reason.startswith("not"), reason=reason)
