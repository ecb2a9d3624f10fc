"""Identify a block's equivalent circuit from its runs: least squares with the prior as additional rows.

For given time constants, knee and initial states of charge the voltage is linear in all other unknowns. These are
solved exactly in an inner problem (variable projection, Golub and Pereyra 1973) and only the few others are searched.
A value that the runs do not show keeps its prior, and its deviation reflects that.
"""

from dataclasses import dataclass

import numpy as np
from scipy.optimize import least_squares, lsq_linear
from threadpoolctl import threadpool_limits

from battery_twin.arrays import BoolArray, FloatArray
from battery_twin.circuit.data_sheet import (
    ASSUMED_CAPACITY_SD,
    DEPLETION_H,
    KNEE_C_RATE,
    OCV_V,
    REFERENCE_AH,
    TAU1_S,
    TAU2_S,
    TAU_D_S,
)
from battery_twin.deadline import NO_DEADLINE, Deadline
from battery_twin.identification.channels import check_channels, check_cut_offs
from battery_twin.identification.current_bias import CurrentBias, current_bias
from battery_twin.identification.design import Dynamics, Trace, choose_rows, design
from battery_twin.identification.excitation import (
    CutOff,
    RunTooShort,
    check_excitation,
    discharge_rates,
    find_cut_offs,
    slowest,
    usable_rows,
)
from battery_twin.identification.prior import (
    INITIAL_SOC_SD,
    LOG_DEPLETION_SD,
    LOG_KNEE_SD,
    LOG_TAU_D_SD,
    LOG_TAU_SD,
    ONE_RATE_LOG_SD,
    Prior,
    prior_for,
)
from battery_twin.kernel.layout import OCV_KNOTS, OCV_V_PER_C, REFERENCE_C, RESISTANCE_KNOTS
from battery_twin.runs import RecordedRun

# The searched unknowns: two time constants, the knee of the slow branch, time constant and size of the depletion, then
# the runs' initial states of charge.
SEARCHED = 5
SEARCHED_SD = (*LOG_TAU_SD, LOG_KNEE_SD, LOG_TAU_D_SD, LOG_DEPLETION_SD)
ONE_RATE_SD = (*LOG_TAU_SD, LOG_KNEE_SD, ONE_RATE_LOG_SD, ONE_RATE_LOG_SD)
MAX_FITTED_ROWS, MIN_FITTED_ROWS = 4000, 20
# Diffusion over hours and hysteresis, which two time constants do not describe, enter as noise of this size.
MODEL_SD_V = 0.015
# What a fast discharge delivers depends on the block beside its capacity.
FAST_CAPACITY_SD = 0.06
# No resistance is below this share of the data sheet's.
LOWEST_SHARE = 0.1
# A counted discharge measures capacity to the gain error of the current sensor.
MEASURED_CAPACITY_SD = 0.02
# R0 + R1 + R2 of the data sheet's 120 Ah block when full.
FULL_BLOCK_OHM = 0.0058


@dataclass(frozen=True, slots=True)
class Fit:
    """Best values with their standard deviations.

    Parameters
    ----------
    values, covariance
        Linear unknowns (34,) in the order of `Prior` and their covariance (34, 34).
    dynamics, log_dynamics_sd
        The searched parameters, and the standard deviations of their logarithms (5,).
    log_dynamics_prior_sd
        The deviations (5,) that the fit assumed: runs of one rate do not move the depletion.
    initial_soc
        State of charge at the start of each run (runs,).
    residual_v, soc
        Residuals of the fitted rows and state of charge of all rows, one array per run.
    """

    values: FloatArray
    covariance: FloatArray
    prior: Prior
    dynamics: Dynamics
    log_dynamics_sd: FloatArray
    log_dynamics_prior_sd: FloatArray
    initial_soc: FloatArray
    capacity_ah: float
    capacity_sd_ah: float
    cut_offs: tuple[CutOff, ...]
    residual_v: tuple[FloatArray, ...]
    soc: tuple[FloatArray, ...]
    traces: tuple[Trace, ...]

    def lowest_ohm(self, name: str) -> FloatArray:
        """Return the lower bounds of ``r0``, ``r1`` or ``r2``."""
        return LOWEST_SHARE * self.prior.mean[table_slice(name)]

    def table(self, name: str) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Return values, standard deviations and prior standard deviations of ``ocv``, ``r0``, ``r1`` or ``r2``."""
        window = table_slice(name)
        sd = np.sqrt(np.diag(self.covariance)[window])
        return self.values[window], sd, np.sqrt(np.diag(self.prior.covariance)[window])


def table_slice(name: str) -> slice:
    """Return the slice of the linear unknowns that holds ``ocv``, ``r0``, ``r1`` or ``r2``."""
    start, size = len(OCV_KNOTS), len(RESISTANCE_KNOTS)
    if name == "ocv":
        return slice(0, start)
    number = ("r0", "r1", "r2").index(name)
    return slice(start + number * size, start + (number + 1) * size)


def identify(
    runs: tuple[RecordedRun, ...],
    rated_ah: float,
    initial_soc: tuple[float | None, ...] | None = None,
    deadline: Deadline = NO_DEADLINE,
) -> Fit:
    """Fit the circuit of a block to its runs.

    Raises `RunTooShort` when they are too short, `RunInvalid` when they cannot be of one 12 V block, and `TimeOver`
    when ``deadline`` is over.

    Parameters
    ----------
    initial_soc
        State of charge at the start of each run as a fraction, where known; otherwise it is read from the first
        voltage and fitted.
    """
    check_channels(runs, rated_ah)
    check_excitation(runs, rated_ah)
    biases = [current_bias(run, rated_ah) for run in runs]
    runs = tuple(bias.remove_from(run) for bias, run in zip(biases, runs, strict=True))
    stated = initial_soc or (None,) * len(runs)
    starts = np.array([_initial_soc(run, rated_ah, soc) for run, soc in zip(runs, stated, strict=True)])
    cut_offs = find_cut_offs(runs, starts, rated_ah)
    check_cut_offs(cut_offs, rated_ah)
    cut_offs = slowest(cut_offs)
    capacity_ah, capacity_sd_ah = _capacity(cut_offs, biases, rated_ah)
    # A slow run to its cut-off is counted by the capacity it delivered, or two such runs would contradict near empty.
    delivered_ah = {cut.run: cut.delivered_ah for cut in cut_offs if cut.is_slow}
    rows_per_run = max(MAX_FITTED_ROWS // len(runs), 200)
    traces = tuple(
        Trace(
            run,
            choose_rows(run, usable_rows(run, rated_ah), rows_per_run),
            run.charge_ah,
            rated_ah,
            delivered_ah.get(number, capacity_ah),
        )
        for number, run in enumerate(runs)
    )
    if sum(len(trace.rows) for trace in traces) < MIN_FITTED_ROWS:
        raise RunTooShort(
            "no discharge is left once the charge of float and recharge is drawn; at least a tenth of the capacity is "
            "needed after it",
            column="current_a",
        )
    free = np.array([soc is None and start < 0.999 for soc, start in zip(stated, starts, strict=True)])
    problem = _Problem(traces, prior_for(rated_ah), capacity_ah, starts, free)
    guess = np.concatenate([_searched_prior(rated_ah), starts[free]])

    def residual(unknowns: FloatArray) -> FloatArray:
        deadline.check()
        return problem.residual(unknowns)

    # The matrices are small: on a busy machine the threads of the linear algebra would wait for each other.
    with threadpool_limits(limits=1, user_api="blas"):
        solved = least_squares(residual, guess, x_scale=np.array([0.5] * SEARCHED + [0.02] * int(free.sum())))
        return problem.fit(solved.x, solved.jac, capacity_sd_ah, cut_offs)


def _searched_prior(rated_ah: float) -> FloatArray:
    return np.log([TAU1_S, TAU2_S, KNEE_C_RATE * rated_ah, TAU_D_S, DEPLETION_H])


def _initial_soc(run: RecordedRun, rated_ah: float, stated: float | None) -> float:
    if stated is not None:
        return stated
    ohm = FULL_BLOCK_OHM * REFERENCE_AH / rated_ah
    rested_v = run.voltage_v[0] - ohm * run.current_a[0] - OCV_V_PER_C * (run.temperature_c[0] - REFERENCE_C)
    soc = float(np.interp(rested_v, OCV_V, OCV_KNOTS))
    # A block within 0.1 V of full that only discharges from then on was full.
    full = soc > 0.92 and float(run.charge_ah.max()) < 0.02 * rated_ah
    return 1.0 if full or soc > 0.995 else soc


def _capacity(cut_offs: tuple[CutOff, ...], biases: list[CurrentBias], rated_ah: float) -> tuple[float, float]:
    """Return the mean of the counted capacities at 25 degC, and its deviation by gain, bias and scatter."""
    if not cut_offs:
        return rated_ah, ASSUMED_CAPACITY_SD * rated_ah
    capacities_ah = np.array([cut.capacity_ah(rated_ah) for cut in cut_offs])
    capacity_ah = float(capacities_ah.mean())
    counted_sd_ah = float(np.mean([biases[cut.run].sd_a * cut.delivered_ah / cut.mean_current_a for cut in cut_offs]))
    # How much a fast discharge leaves behind is known to half of it, and differs from block to block.
    left = float(np.mean([cut.left_behind(rated_ah) for cut in cut_offs]))
    left_sd = float(np.hypot(0.5 * left, 0.0 if all(cut.is_slow for cut in cut_offs) else FAST_CAPACITY_SD))
    relative_sd = float(np.hypot(MEASURED_CAPACITY_SD, left_sd))
    return capacity_ah, float(np.linalg.norm((relative_sd * capacity_ah, counted_sd_ah, capacities_ah.std())))


def _weight(trace: Trace) -> float:
    """Return the weight of a row, 1/V.

    Adjacent rows share their model error, so a run counts as one independent sample per five minutes and 15 per step.
    """
    steps = int(np.sum(np.abs(np.diff(trace.run.current_a)) > 0.2 * np.ptp(trace.run.current_a)))
    samples = max(trace.run.duration_s / 300.0, 60.0) + 15.0 * min(steps, 40)
    return float(np.sqrt(min(1.0, samples / max(len(trace.rows), 1))) / MODEL_SD_V)


class _Problem:
    """The least-squares problem of one set of runs, as a function of the searched unknowns."""

    def __init__(
        self, traces: tuple[Trace, ...], prior: Prior, capacity_ah: float, starts: FloatArray, free: BoolArray
    ) -> None:
        self.traces, self.prior, self.capacity_ah = traces, prior, capacity_ah
        self.starts, self.free = starts, free
        self.whitener = prior.whitener
        self.lowest = np.where(np.arange(len(prior.mean)) < len(OCV_KNOTS), -np.inf, LOWEST_SHARE * prior.mean)
        rates = discharge_rates([trace.run for trace in traces], traces[0].rated_ah)
        self.searched_sd = SEARCHED_SD if len(rates) > 1 else ONE_RATE_SD
        self.weight = [_weight(trace) for trace in traces]

    def solve(self, unknowns: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray, list[FloatArray]]:
        """Return the linear values, the whitened matrix and right-hand side, and the state of charge of each run."""
        dynamics = Dynamics(*np.exp(unknowns[:SEARCHED]).tolist())
        starts = self.starts.copy()
        starts[self.free] = unknowns[SEARCHED:]
        socs = [start + trace.charge_ah / trace.capacity_ah for start, trace in zip(starts, self.traces, strict=True)]
        matrices, targets = [self.whitener], [self.whitener @ self.prior.mean]
        for trace, soc, weight in zip(self.traces, socs, self.weight, strict=True):
            columns, fixed_v = design(trace, soc, dynamics)
            matrices.append(weight * columns)
            targets.append(weight * (trace.run.voltage_v[trace.rows] - fixed_v))
        matrix, target = np.vstack(matrices), np.concatenate(targets)
        # The triangular factor holds the whole problem, so that the bounded solve is small.
        triangle = np.linalg.qr(np.column_stack([matrix, target]), mode="r")
        size = matrix.shape[1]
        square, side = np.asarray(triangle)[:size, :size], np.asarray(triangle)[:size, size]
        values = np.linalg.solve(square, side)
        if (values < self.lowest).any():
            values = lsq_linear(square, side, bounds=(self.lowest, np.inf), method="bvls", max_iter=1000).x
        return values, matrix, target, socs

    def residual(self, unknowns: FloatArray) -> FloatArray:
        """Return the weighted residuals of rows and prior at the best linear values."""
        values, matrix, target, _ = self.solve(unknowns)
        prior_terms = (unknowns[:SEARCHED] - _searched_prior(self.traces[0].rated_ah)) / self.searched_sd
        starts = (unknowns[SEARCHED:] - self.starts[self.free]) / INITIAL_SOC_SD
        return np.concatenate([matrix @ values - target, prior_terms, starts])

    def fit(
        self, unknowns: FloatArray, jacobian: FloatArray, capacity_sd_ah: float, cut_offs: tuple[CutOff, ...]
    ) -> Fit:
        """Return values, deviations and residuals at the solution."""
        values, matrix, target, socs = self.solve(unknowns)
        data = matrix[len(values) :]
        misfit = data @ values - target[len(values) :]
        # Where the circuit does not fit within its stated noise, all deviations grow with the misfit.
        excess = max(1.0, float(np.mean(misfit**2)))
        information = self.whitener.T @ self.whitener + data.T @ data / excess
        covariance = np.linalg.inv(information)
        searched = np.linalg.inv(jacobian.T @ jacobian / excess + 1e-12 * np.eye(len(unknowns)))
        searched_sd = np.minimum(np.sqrt(np.diag(searched)[:SEARCHED]), self.searched_sd)
        residuals, start = [], 0
        for trace, weight in zip(self.traces, self.weight, strict=True):
            stop = start + len(trace.rows)
            residuals.append(-misfit[start:stop] / weight)
            start = stop
        starts = self.starts.copy()
        starts[self.free] = unknowns[SEARCHED:]
        return Fit(
            values=values,
            covariance=np.asarray(covariance, dtype=np.float64),
            prior=self.prior,
            dynamics=Dynamics(*np.exp(unknowns[:SEARCHED]).tolist()),
            log_dynamics_sd=searched_sd,
            log_dynamics_prior_sd=np.array(self.searched_sd),
            initial_soc=starts,
            capacity_ah=self.capacity_ah,
            capacity_sd_ah=capacity_sd_ah,
            cut_offs=cut_offs,
            residual_v=tuple(residuals),
            soc=tuple(socs),
            traces=self.traces,
        )
