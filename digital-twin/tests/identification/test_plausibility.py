"""A fit outside physics is refused, one that describes its block badly is warned of."""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import pytest

from battery_twin.circuit.data_sheet import DEPLETION_H
from battery_twin.identification.fit import Fit, identify, table_slice
from battery_twin.identification.fitted_set import fitted_parameters
from battery_twin.identification.plausibility import FitImplausible, check_fit, warnings
from battery_twin.runs import RunInvalid
from tests.identification.simple_runs import scaled, thinned
from tests.reference.judge import Recording

RESISTANCES = slice(table_slice("r0").start, None)


@pytest.fixture
def good(calibrated: Mapping[str, Fit]) -> Fit:
    return calibrated["pulses"]


def with_full_v(fit: Fit, full_v: float) -> Fit:
    values = fit.values.copy()
    values[table_slice("ocv")] += full_v - values[table_slice("ocv")][-1]
    return replace(fit, values=values)


def with_resistance(fit: Fit, factor: float) -> Fit:
    """Return the fit with a multiple of the data sheet's resistances."""
    values = fit.values.copy()
    values[RESISTANCES] = factor * fit.prior.mean[RESISTANCES]
    return replace(fit, values=values)


def with_rmse(fit: Fit, rmse_v: float) -> Fit:
    return replace(fit, residual_v=tuple(np.full(len(part), rmse_v) for part in fit.residual_v))


def with_worst(fit: Fit, worst_v: float) -> Fit:
    first, *others = with_rmse(fit, 0.005).residual_v
    return replace(fit, residual_v=(np.append(first, -worst_v), *others))


def refusal(fit: Fit) -> FitImplausible:
    with pytest.raises(FitImplausible) as refused:
        fitted_parameters(fit, fit.traces[0].rated_ah)
    return refused.value


@pytest.mark.parametrize("name", ["slow", "fast", "pulses"])
def test_the_fits_of_a_real_block_pass(calibrated: Mapping[str, Fit], name: str) -> None:
    check_fit(calibrated[name])


def test_the_fits_of_the_real_recordings_pass(real_fits: Mapping[int, Fit]) -> None:
    for fit in real_fits.values():
        check_fit(fit)


@pytest.mark.parametrize("rmse_v", [0.09, 0.2])
def test_a_large_misfit_is_refused(good: Fit, rmse_v: float) -> None:
    refused = refusal(with_rmse(good, rmse_v))
    assert refused.column == "voltage_v"
    assert f"misses the voltage by {1000 * rmse_v:.0f} mV RMSE" in str(refused)
    assert "time, current and voltage do not belong together" in str(refused)


def test_a_large_miss_of_one_row_is_refused(good: Fit) -> None:
    refused = refusal(with_worst(good, 0.65))
    assert refused.column == "voltage_v"
    assert "650 mV at worst" in str(refused)
    check_fit(with_worst(good, 0.5))


@pytest.mark.parametrize(("share", "passes"), [(0.38, False), (0.42, True), (1.35, True), (1.45, False)])
def test_a_capacity_far_from_the_rated_one_is_refused(good: Fit, share: float, passes: bool) -> None:
    fit = replace(good, capacity_ah=share * 120.0)
    if passes:
        check_fit(fit)
        return
    refused = refusal(fit)
    assert refused.column == "current_a"
    assert f"{share * 120.0:.1f} Ah were counted of 120 Ah rated" in str(refused)


@pytest.mark.parametrize(("full_v", "passes"), [(12.25, False), (12.35, True), (13.15, True), (13.25, False)])
def test_a_full_block_at_no_rest_voltage_of_lead_acid_is_refused(good: Fit, full_v: float, passes: bool) -> None:
    fit = with_full_v(good, full_v)
    if passes:
        check_fit(fit)
        return
    refused = refusal(fit)
    assert refused.column == "voltage_v"
    assert f"rest voltage of the full block at {full_v:.2f} V" in str(refused)
    assert "give a run that starts full and rested" in str(refused)


@pytest.mark.parametrize(("factor", "passes"), [(0.15, False), (0.25, True), (5.5, True), (6.5, False)])
def test_a_resistance_far_from_that_of_the_rated_capacity_is_refused(good: Fit, factor: float, passes: bool) -> None:
    fit = with_resistance(good, factor)
    if passes:
        check_fit(fit)
        return
    refused = refusal(fit)
    assert refused.column == "current_a"
    assert "times that of a block of 120 Ah" in str(refused)
    assert "scale of the current" in str(refused)


def test_a_tenth_of_the_current_is_refused_by_the_resistance_it_shows(calibration: Mapping[str, Recording]) -> None:
    refused = refusal(identify((scaled(calibration["pulses"].run, current=0.1),), 120.0))
    assert refused.column == "current_a"
    assert "the fit puts the resistance at 1" in str(refused)
    assert "check the rated capacity and the scale of the current" in str(refused)


def test_runs_of_two_blocks_at_two_rates_are_refused(reference: Mapping[tuple[str, str], Recording]) -> None:
    new = thinned(reference["dev_new", "slow_discharge"].run, 4)
    aged = thinned(reference["dev_aged_far", "hour_discharge"].run, 2)
    with pytest.raises(RunInvalid, match="not of one block"):
        identify((new, aged), 120.0)


def test_a_good_fit_needs_no_warning(calibrated: Mapping[str, Fit]) -> None:
    assert warnings(calibrated["both"]) == []


def test_a_bad_fit_is_warned_of_before_it_is_refused(good: Fit) -> None:
    assert "40 mV RMSE" in warnings(with_rmse(good, 0.04))[0]
    assert "300 mV at worst" in warnings(with_worst(good, 0.3))[0]
    assert any("unusual for lead-acid" in sentence for sentence in warnings(with_full_v(good, 12.5)))
    assert any("unusual for lead-acid" in sentence for sentence in warnings(with_full_v(good, 13.2)))


def test_a_resistance_at_its_lower_bound_is_warned_of(good: Fit) -> None:
    values = good.values.copy()
    values[table_slice("r1")][:2] = good.lowest_ohm("r1")[:2]
    assert any(
        sentence.startswith("r1 is at its lower bound at 0%, 10% of charge")
        for sentence in warnings(replace(good, values=values))
    )


def test_an_extrapolated_capacity_and_a_single_rate_are_warned_of(calibrated: Mapping[str, Fit]) -> None:
    fast, both = (" ".join(warnings(calibrated[name])) for name in ("fast", "both"))
    for words in ("No discharge is slow", "All runs discharge at one rate"):
        assert words in fast
        assert words not in both


def test_a_capacity_far_from_the_rated_one_is_warned_of(good: Fit) -> None:
    assert any("60% of the rated one" in sentence for sentence in warnings(replace(good, capacity_ah=72.0)))


@pytest.mark.parametrize(("name", "rates"), [("slow", 1), ("fast", 1), ("both", 2)])
def test_the_warning_of_a_single_rate_is_of_what_the_fit_did(
    calibrated: Mapping[str, Fit], name: str, rates: int
) -> None:
    fit = calibrated[name]
    assert ("All runs discharge at one rate" in " ".join(warnings(fit))) == (rates == 1)
    if rates == 1:
        assert fit.dynamics.depletion_h == pytest.approx(DEPLETION_H, rel=0.25)
