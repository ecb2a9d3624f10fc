"""The result of a fit, value by value, with a sentence for each value that the runs do not identify."""

from dataclasses import asdict

import numpy as np

from battery_contracts.twin_analysis import FitError, Identified
from battery_twin.identification.excitation import current_steps
from battery_twin.identification.fit import Fit
from battery_twin.identification.plausibility import warnings
from battery_twin.kernel.layout import OCV_KNOTS, RESISTANCE_KNOTS

# A value is identified when the runs at least halve the deviation of its prior, to less than a third of the value.
NARROWED = 0.5
RELATIVE_SD = 0.33
# Fewer current steps, coarser rows or shallower discharges than these deserve a note.
MIN_STEPS, MAX_STEP_S, SHALLOW_SOC = 4, 2.0, 0.2


def fit_error(fit: Fit) -> FitError:
    """Return the residual of the circuit on the rows that it was fitted to."""
    residual_v = np.concatenate(fit.residual_v)
    return FitError(
        voltage_rmse_mv=1000.0 * float(np.sqrt(np.mean(residual_v**2))),
        worst_mv=1000.0 * float(np.abs(residual_v).max()),
        fitted_rows=len(residual_v),
    )


def identified_parameters(fit: Fit) -> list[Identified]:
    """Return every parameter with its standard deviation and whether the runs identify it."""
    identified = [_capacity(fit)]
    for name in ("ocv", "r0", "r1", "r2"):
        unit, knots = ("v", OCV_KNOTS) if name == "ocv" else ("ohm", RESISTANCE_KNOTS)
        for knot, value, sd, prior_sd in zip(knots, *fit.table(name), strict=True):
            relative = sd / abs(value) if name != "ocv" else 0.0
            label = f"{name}_{unit}[soc={knot:.2f}]"
            identified.append(_judged(label, float(value), float(sd), sd / prior_sd, relative))
    for (name, value), log_sd, prior_sd in zip(
        asdict(fit.dynamics).items(), fit.log_dynamics_sd, fit.log_dynamics_prior_sd, strict=True
    ):
        identified.append(_judged(name, value, value * float(log_sd), log_sd / prior_sd, float(log_sd)))
    return identified


def separates_resistance(fit: Fit) -> bool:
    """Return whether the current steps often enough to tell ohmic resistance from rest voltage and polarisation."""
    return sum(current_steps(trace.run, trace.rated_ah) for trace in fit.traces) >= MIN_STEPS


def notes(fit: Fit) -> list[str]:
    """Return sentences on what the runs could not show."""
    sentences = warnings(fit)
    if not fit.cut_offs:
        sentences.append(
            "No run goes from full to its cut-off voltage: capacity stays at the rated value with a wide deviation."
        )
    if not separates_resistance(fit):
        sentences.append(
            "There are hardly any current steps: ohmic resistance is hard to separate from slow polarisation."
        )
    step_s = min(float(np.median(trace.run.dt_s[1:])) for trace in fit.traces)
    if step_s > MAX_STEP_S:
        sentences.append(
            f"Rows are {step_s:.0f} s apart: what settles within seconds cannot be separated from ohmic resistance."
        )
    deepest = min(float(soc.min()) for soc in fit.soc)
    if deepest > SHALLOW_SOC:
        sentences.append(f"The runs end at {deepest:.0%} of charge: below it the tables are those of the data sheet.")
    return sentences


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
