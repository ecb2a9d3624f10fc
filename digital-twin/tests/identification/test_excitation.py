"""What runs show before they are fitted: rows without charge of a moment ago, rates, cut-offs."""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import pytest

from battery_twin.identification.excitation import (
    RunTooShort,
    charge_left_ah,
    check_excitation,
    current_steps,
    discharge_rates,
    find_cut_offs,
    usable_rows,
)
from battery_twin.identification.fit import identify
from battery_twin.identification.fitted_set import fitted_parameters
from battery_twin.runs import RecordedRun, RunInvalid
from tests.identification.simple_runs import RATED_AH, simple_run
from tests.reference.judge import Recording


def test_a_run_without_charge_is_usable_throughout() -> None:
    assert usable_rows(simple_run((1.0, 0.0), (5.0, -10.0), (1.0, 0.0)), RATED_AH).all()


def test_a_pulse_of_charge_bars_what_follows_until_it_is_drawn_again() -> None:
    before, pulse, rest, drawing = 60, 30, 180, 60
    run = simple_run((10 / 60, 0.0), (5 / 60, 20.0), (0.5, 0.0), (1.0, -10.0), start_soc=0.5, every_s=10.0)
    left_ah, usable = charge_left_ah(run, RATED_AH), usable_rows(run, RATED_AH)
    assert usable[:before].all()
    assert not usable[before : before + pulse + rest].any()
    # 20 A for 5 minutes stay, but for what is lost at rest, and take ten minutes at 10 A.
    assert left_ah[before + pulse] == pytest.approx(20 * 5 / 60, rel=0.05)
    drawn = before + pulse + rest + drawing
    assert not usable[before + pulse + rest : drawn - 15].any()
    assert usable[drawn:].all()


def test_charge_is_lost_at_rest_over_hours() -> None:
    run = simple_run((0.5, 0.0), (5 / 60, 10.0), (40.0, 0.0), start_soc=0.5)
    left_ah, usable = charge_left_ah(run, RATED_AH), usable_rows(run, RATED_AH)
    hours = run.time_s / 3600 - 0.5 - 5 / 60
    after = hours > 0.1
    assert left_ah[after] == pytest.approx(left_ah[after][0] * np.exp(-(hours[after] - hours[after][0]) / 4), rel=0.02)
    assert not usable[(hours > 0) & (hours < 8)].any()
    assert usable[-1]


def test_more_than_a_few_percent_of_a_charge_never_remain() -> None:
    run = simple_run((0.5, 0.0), (6.0, 10.0), (4.0, -10.0), start_soc=0.2)
    assert charge_left_ah(run, RATED_AH).max() == pytest.approx(4.0)
    discharged_ah, usable = run.charge_ah.max() - run.charge_ah, usable_rows(run, RATED_AH)
    after = run.time_s > 6.5 * 3600
    assert usable[after & (discharged_ah > 4.2)].all()
    assert not usable[after & (discharged_ah < 3.8)].any()


def test_after_float_the_first_percents_are_not_usable(reference: Mapping[tuple[str, str], Recording]) -> None:
    run = reference["dev_new", "slow_discharge"].run
    usable = usable_rows(run, 120.0)
    discharging = np.arange(len(run)) <= int(np.argmin(run.charge_ah))
    discharged_ah = run.charge_ah.max() - run.charge_ah
    assert not usable[discharging & (discharged_ah < 3.0)].any()
    assert usable[discharging & (discharged_ah > 6.0)].all()
    assert not usable[run.current_a > 1.0].any()


@pytest.mark.parametrize(
    ("plan", "rates"),
    [
        (((5.0, -10.0),), 1),
        (((2.0, -10.0), (2.0, -11.0)), 1),
        (((2.0, -10.0), (1.0, -50.0)), 2),
        (((2.0, -10.0), (1.0, -25.0), (0.5, -60.0)), 3),
        (((2.0, -10.0), (20 / 3600, -50.0)), 1),
        (((5.0, -1.0),), 0),
        (((5.0, 0.0),), 0),
    ],
    ids=["one", "alike", "two", "three", "too brief", "too slow", "rest"],
)
def test_rates_that_move_charge_are_counted(plan: tuple[tuple[float, float], ...], rates: int) -> None:
    assert len(discharge_rates([simple_run((0.5, 0.0), *plan, every_s=10.0)], RATED_AH)) == rates


def test_the_real_recordings_are_of_one_rate_each_and_of_two_together(real: Mapping[int, RecordedRun]) -> None:
    rates = [discharge_rates([run], 17.0) for run in real.values()]
    assert [len(found) for found in rates] == [1, 1]
    assert len(discharge_rates(list(real.values()), 17.0)) == 2


def test_the_calibration_recordings_show_the_rates_of_their_profiles(calibration: Mapping[str, Recording]) -> None:
    counted = {name: len(discharge_rates([recording.run], 120.0)) for name, recording in calibration.items()}
    # Pulses move too little charge to be a rate of their own.
    assert counted == {"slow": 1, "fast": 1, "pulses": 1}
    assert len(discharge_rates([calibration["slow"].run, calibration["fast"].run], 120.0)) == 2


def test_steps_count_only_where_rows_are_usable() -> None:
    pulses = ((0.1, -50.0), (0.1, 0.0)) * 4
    assert current_steps(simple_run((0.5, 0.0), *pulses, (1.0, -10.0)), RATED_AH) >= 8
    charged = simple_run((0.5, 0.0), *((0.02, 30.0), (0.1, 0.0)) * 4, (0.2, 0.0), start_soc=0.5)
    assert current_steps(charged, RATED_AH) == 0


@pytest.mark.parametrize(("name", "slow"), [("slow_discharge", True), ("fast_discharge", False)])
def test_a_cut_off_tells_what_was_delivered_and_how_fast(
    reference: Mapping[tuple[str, str], Recording], name: str, slow: bool
) -> None:
    recording = reference["dev_new", name]
    (cut,) = find_cut_offs((recording.run,), np.ones(1), recording.rated_ah)
    assert cut.delivered_ah == pytest.approx(-recording.run.charge_ah.min(), rel=0.02)
    assert cut.mean_current_a == pytest.approx(12.0 if slow else 72.0, rel=0.02)
    assert cut.is_slow == slow


def test_a_discharge_from_half_charge_shows_no_capacity(reference: Mapping[tuple[str, str], Recording]) -> None:
    run = reference["dev_new", "slow_discharge"].run
    assert find_cut_offs((run,), np.array([0.5]), 120.0) == ()


@pytest.mark.parametrize(
    ("run", "column", "words"),
    [
        (simple_run((0.4, -20.0)), "time_s", "24 rows over 1380 s are too short"),
        (simple_run((0.1, -50.0), every_s=5.0), "time_s", "72 rows over 355 s are too short"),
        (simple_run((2.0, -2.0)), "current_a", "3.97 Ah, 4.0% of 100 Ah rated"),
    ],
    ids=["rows", "seconds", "charge"],
)
def test_too_short_a_run_is_refused(run: RecordedRun, column: str, words: str) -> None:
    with pytest.raises(RunTooShort) as refused:
        check_excitation((run,), RATED_AH)
    assert refused.value.column == column
    assert words in str(refused.value)


def test_short_runs_add_up_but_one_must_discharge() -> None:
    part = simple_run((0.4, -20.0))
    check_excitation((part, part), RATED_AH)
    idle = replace(part, current_a=np.zeros(len(part)))
    check_excitation((part, idle), RATED_AH)
    with pytest.raises(RunTooShort):
        check_excitation((idle, idle), RATED_AH)


def test_noise_makes_no_second_rate_of_one() -> None:
    run = simple_run((0.5, 0.0), (8.0, -8.84))
    noisy = replace(run, current_a=run.current_a + 0.02 * np.random.default_rng(0).standard_normal(len(run)))
    assert len(discharge_rates([noisy], RATED_AH)) == 1


def test_a_run_of_which_no_row_is_usable_is_refused(reference: Mapping[tuple[str, str], Recording]) -> None:
    recording = reference["dev_new", "generator_tests"]
    assert not usable_rows(recording.run, recording.rated_ah).any()
    with pytest.raises(RunInvalid):
        fitted_parameters(identify((recording.run,), recording.rated_ah), recording.rated_ah)
