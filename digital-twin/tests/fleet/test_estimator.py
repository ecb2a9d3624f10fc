from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from battery_contracts.enums import Provenance, StringMode
from battery_contracts.twin import EstimateRequest, EstimateResponse
from battery_twin.circuit.data_sheet import data_sheet_parameters
from battery_twin.circuit.parameter_set import ParameterSet
from battery_twin.fleet import blob
from battery_twin.fleet.estimator import FleetEstimator
from battery_twin.fleet.models import BatteryModels
from battery_twin.kernel import constants, layout

MODEL = "CSB-HX12-120"
NAN = float("nan")


def request(count: int = 1, **columns: Any) -> EstimateRequest:
    defaults = {
        "battery_id": [f"BAT-{number}" for number in range(count)],
        "model_id": MODEL,
        "dt_s": None,
        "voltage_v": 13.65,
        "current_a": 0.1,
        "temperature_c": 25.0,
        "internal_resistance_mohm": None,
        "float_current_ma": 36.0,
        "mode": StringMode.FLOAT,
        "state": None,
        "age_days": 700.0,
    } | columns
    spread = {name: value if isinstance(value, list) else [value] * count for name, value in defaults.items()}
    return EstimateRequest(**spread)


def number(column: list[float | None], slot: int = 0) -> float:
    """Return an estimate that must be there."""
    value = column[slot]
    assert value is not None
    return value


def estimator() -> FleetEstimator:
    return FleetEstimator(BatteryModels())


def follow(rows: list[dict[str, Any]], dt_s: float, count: int = 1) -> list[EstimateResponse]:
    """Send rows one after another, each with the state of the previous one."""
    fleet, responses, state = estimator(), [], None
    for number, row in enumerate(rows):
        response = fleet.estimate(request(count, **({"dt_s": dt_s if number else None, "state": state} | row)))
        assert response.error == [None] * count
        responses.append(response)
        state = list(response.state)
    return responses


def outage(minutes: float, dt_s: float = 10.0, current_a: float = -72.0) -> list[dict[str, Any]]:
    """Return float, a discharge by the data sheet's circuit, and float again."""
    floating: list[dict[str, Any]] = [{}] * 5
    drawn = np.arange(int(minutes * 60 / dt_s)) * dt_s * -current_a / 3600 / 120
    voltages = np.interp(1 - drawn, layout.OCV_KNOTS, data_sheet_parameters(120).ocv_v) + 0.0055 * current_a
    falling = [
        {"voltage_v": float(voltage_v), "current_a": current_a, "mode": StringMode.DISCHARGE, "float_current_ma": None}
        for voltage_v in voltages
    ]
    charging = [{"voltage_v": 13.4, "current_a": 12.0, "mode": StringMode.RECHARGE, "float_current_ma": None}] * 30
    return floating + falling + charging


def test_float_is_an_assumption_and_capacity_its_prior() -> None:
    young, old, unknown = (estimator().estimate(request(age_days=age)) for age in ([300.0], [5 * 365.0], [None]))
    for response in (young, old, unknown):
        assert response.soc_provenance == response.soh_provenance == [Provenance.PRIOR_ONLY]
        assert number(response.soc_pct) == pytest.approx(98.0)
        assert number(response.soc_sd_pct) >= 2.0
        assert response.normalised_innovation_squared == [None]
    assert number(young.soh_pct) > number(unknown.soh_pct) - 5 > number(old.soh_pct)
    assert number(young.soh_sd_pct) < number(old.soh_sd_pct)


def test_a_year_of_float_does_not_make_capacity_more_certain() -> None:
    responses = follow([{"age_days": 700.0 + day} for day in range(366)], 86400.0)
    spread = [number(response.soh_sd_pct) for response in responses]
    assert (np.diff(spread) >= -1e-9).all()
    assert spread[-1] > spread[0]
    level = [number(response.soh_pct) for response in responses]
    assert level[-1] < level[0]


def test_after_a_deep_discharge_capacity_is_inferred_and_its_interval_widens_again() -> None:
    responses = follow([*outage(30), *([{"age_days": 700.0}] * 40)], 10.0)
    before, after = responses[4], responses[-1]
    assert after.soh_provenance == [Provenance.DISCHARGE_INFERRED]
    relative = [number(response.soh_sd_pct) / number(response.soh_pct) for response in (before, after)]
    assert relative[1] < relative[0]
    later = follow([*outage(30), *({"dt_s": 86400.0, "age_days": 700.0 + day} for day in range(365))], 10.0)
    assert later[-1].soh_provenance == [Provenance.DISCHARGE_INFERRED]
    assert number(later[-1].soh_sd_pct) > number(after.soh_sd_pct)


def test_a_short_discharge_is_no_evidence_of_capacity() -> None:
    responses = follow([*outage(8), *([{}] * 5)], 10.0)
    assert {response.soh_provenance[0] for response in responses} == {Provenance.PRIOR_ONLY}
    assert number(responses[-1].soh_pct) == pytest.approx(number(responses[0].soh_pct), abs=0.01)
    assert number(responses[-1].soh_sd_pct) >= number(responses[0].soh_sd_pct)
    provenances = {response.soc_provenance[0] for response in responses[20:50]}
    assert provenances == {Provenance.DISCHARGE_INFERRED}


def test_after_recharge_and_a_while_of_float_the_charge_is_an_assumption_again() -> None:
    responses = follow([*outage(8), *([{}] * 80)], 10.0)
    assert number(responses[60].soc_pct) < 97
    assert responses[-1].soc_provenance == [Provenance.PRIOR_ONLY]
    assert number(responses[-1].soc_pct) == pytest.approx(98.0, abs=2.0)


def test_a_risen_resistance_lowers_capacity_and_a_low_one_raises_nothing() -> None:
    columns = {"internal_resistance_mohm": [3.5, 5.25, 2.8, None], "baseline_resistance_mohm": [3.5, 3.5, 3.5, 3.5]}
    response = estimator().estimate(request(4, **columns))
    same, risen, fallen, none = (number(response.soh_pct, slot) for slot in range(4))
    assert same == fallen == none
    assert risen < same - 3
    assert number(response.soh_sd_pct, 1) < number(response.soh_sd_pct)
    assert response.soh_provenance == [
        Provenance.PRIOR_ONLY, Provenance.OHMIC_INFERRED, Provenance.PRIOR_ONLY, Provenance.PRIOR_ONLY,
    ]  # fmt: skip
    assert response.resistance_mohm == [3.5, 5.25, 2.8, None]
    assert number(response.resistance_sd_mohm) > 0.02 * 3.5


def test_ohmic_readings_are_referred_to_25_degrees_and_start_three_days_after_a_discharge() -> None:
    warm = estimator().estimate(request(internal_resistance_mohm=3.5, temperature_c=35.0))
    assert number(warm.resistance_mohm) == pytest.approx(3.5 * np.exp(0.08))
    rows = [*outage(8), {"internal_resistance_mohm": 4.0}, {"dt_s": 73 * 3600.0, "internal_resistance_mohm": 4.4}]
    responses = follow(rows, 10.0)
    assert responses[-2].resistance_mohm == [None]
    assert number(responses[-1].resistance_mohm) == pytest.approx(4.4)


def test_a_sensor_offset_on_float_is_neither_charge_nor_discharge() -> None:
    responses = follow([{"current_a": [0.9, -0.9]}] * 500, 60.0, count=2)
    assert responses[-1].soc_pct == pytest.approx([100.0, 100.0], abs=1.0)
    falling = {"voltage_v": 12.5, "current_a": [-72.0 + 0.9, -72.0 - 0.9], "mode": StringMode.DISCHARGE}
    drawn = follow([*([{"current_a": [0.9, -0.9]}] * 500), *([falling] * 10)], 60.0, count=2)
    assert drawn[-1].soc_pct[0] == pytest.approx(drawn[-1].soc_pct[1], abs=0.3)


def test_the_present_current_is_not_counted_through_a_long_gap() -> None:
    falling = {"voltage_v": 12.4, "current_a": -72.0, "mode": StringMode.DISCHARGE, "float_current_ma": None}
    responses = follow([{}, {**falling, "dt_s": 3 * 86400.0}], 60.0)
    assert number(responses[-1].soc_pct) > 40
    assert number(responses[-1].soc_sd_pct) > 8


def test_a_block_that_does_not_float_in_a_floating_string_gets_no_estimate() -> None:
    response = estimator().estimate(request(2, voltage_v=[11.5, 13.7]))
    assert response.soc_pct[0] is response.soh_pct[0] is None
    assert "shorted" in (response.error[0] or "")
    assert response.state[0]
    assert response.error[1] is None


FAULTS = {
    "voltage_v": NAN,
    "current_a": 3001.0,
    "temperature_c": float("inf"),
    "internal_resistance_mohm": -3.5,
    "float_current_ma": NAN,
    "dt_s": 0.0,
    "age_days": -1.0,
    "baseline_resistance_mohm": 0.0,
}


@pytest.mark.parametrize("field", FAULTS)
def test_one_bad_reading_is_named_and_affects_no_other(field: str) -> None:
    first = estimator().estimate(request(3))
    good: dict[str, Any] = {
        "dt_s": 60.0, "voltage_v": 13.65, "current_a": 0.1, "temperature_c": 25.0, "internal_resistance_mohm": 3.5,
        "float_current_ma": 36.0, "age_days": 700.0, "baseline_resistance_mohm": 3.5,
    }  # fmt: skip
    columns = {name: [value, FAULTS[name] if name == field else value, value] for name, value in good.items()}
    response = estimator().estimate(request(3, state=list(first.state), **columns))
    assert (response.error[1] or "").startswith(f"{field}: ")
    assert response.soc_pct[1] is None
    assert response.state[1] is None
    assert response.error[0] is response.error[2] is None
    alone = estimator().estimate(request(1, state=[first.state[0]], **{name: [value] for name, value in good.items()}))
    assert number(response.soh_pct) == number(alone.soh_pct)
    assert response.state[0] == alone.state[0]


def test_a_missing_time_or_current_is_named() -> None:
    first = estimator().estimate(request(2))
    response = estimator().estimate(request(2, state=list(first.state), dt_s=[None, 60.0]))
    assert (response.error[0] or "").startswith("dt_s: missing")
    resting = {"mode": StringMode.DISCHARGE, "voltage_v": 12.5, "current_a": [None, -70.0]}
    response = estimator().estimate(request(2, **resting))
    assert (response.error[0] or "").startswith("current_a: missing")
    assert response.error[1] is None
    assert estimator().estimate(request(current_a=[None])).error == [None]


def test_a_state_of_another_battery_is_discarded_with_a_reason() -> None:
    first = estimator().estimate(request(2))
    response = estimator().estimate(request(2, dt_s=60.0, state=[first.state[1], first.state[1]]))
    assert response.error[0] == f"state: {blob.OTHER_BATTERY}; send no state to start from the prior"
    assert response.state[0] == b""
    assert response.error[1] is None


def test_an_unknown_model_needs_its_rated_capacity() -> None:
    response = estimator().estimate(request(3, model_id=["other", "other", "../secret"], rated_ah=[None, 17.0, None]))
    assert (response.error[0] or "").startswith("model_id: 'other' has no parameter set")
    assert response.error[1] is None
    assert response.error[2] is not None


def test_a_calibrated_model_is_read_from_its_file_and_an_invalid_file_is_ignored(tmp_path: Path) -> None:
    calibrated = ParameterSet.from_mapping(
        data_sheet_parameters(120.0).to_mapping() | {"calibrated": True, "capacity_ah": 126.0}
    )
    (tmp_path / f"{MODEL}.json").write_text(calibrated.to_json())
    of_sheet = number(estimator().estimate(request()).soh_pct)
    assert number(FleetEstimator(BatteryModels(tmp_path)).estimate(request()).soh_pct) > of_sheet + 2
    (tmp_path / f"{MODEL}.json").write_text("{}")
    assert (
        FleetEstimator(BatteryModels(tmp_path)).estimate(request()).soh_pct == estimator().estimate(request()).soh_pct
    )


READING = st.fixed_dictionaries(
    {
        "voltage_v": st.floats(-5, 20),
        "current_a": st.floats(-400, 100),
        "temperature_c": st.floats(-20, 70),
        "dt_s": st.sampled_from([0.5, 2.0, 60.0, 3600.0, 1e6]),
        "mode": st.sampled_from([None, *StringMode]),
        "internal_resistance_mohm": st.sampled_from([None, 3.5, 9.0]),
    }
)


RESTING = {"voltage_v": 0.0, "current_a": 0.0, "temperature_c": 0.0, "dt_s": 0.5, "mode": None}
# The offset of the current sensor, learned on float, moves the charge as well: beyond full before it was bounded.
OFFSET_LEARNED_ON_FLOAT = [
    *[RESTING | {"internal_resistance_mohm": None}] * 3,
    RESTING | {"voltage_v": 14.0, "internal_resistance_mohm": None},
    RESTING | {"dt_s": 3600.0, "internal_resistance_mohm": None},
    RESTING | {"voltage_v": 14.0, "mode": StringMode.FLOAT, "internal_resistance_mohm": None},
]


@settings(max_examples=60, deadline=None)
@example(OFFSET_LEARNED_ON_FLOAT)
@given(st.lists(READING, min_size=1, max_size=25))
def test_any_readings_leave_a_valid_state(readings: list[dict[str, Any]]) -> None:
    state: list[bytes | None] = [None]
    chosen = BatteryModels().choose(request())
    for number, reading in enumerate(readings):
        columns = reading | ({} if number and state[0] else {"dt_s": None})
        response = estimator().estimate(request(state=state, float_current_ma=None, **columns))
        if not response.state[0]:
            continue
        state = list(response.state)
        states, faults = blob.unpack(state, [blob.fingerprint("BAT-0")], chosen.fingerprint)
        assert faults == [None]
        assert np.linalg.eigvalsh(states.covariance[0]).min() >= 0
        assert constants.MIN_SOC - 1e-9 <= states.mean[0, layout.SOC] <= 1 + 1e-9
        for name in ("soc_pct", "soc_sd_pct", "soh_pct", "soh_sd_pct"):
            value = getattr(response, name)[0]
            assert value is None or np.isfinite(value)
        assert response.soc_pct[0] is None or 0 <= response.soc_pct[0] <= 100


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(st.floats(13.2, 14.0), st.floats(-1, 1), st.floats(15, 35), st.floats(1, 1e6)), min_size=2))
def test_no_reading_of_float_narrows_the_capacity(readings: list[tuple[float, float, float, float]]) -> None:
    deep = follow(outage(30), 10.0)[-1]
    for state in (None, deep.state[0]):
        first = estimator().estimate(request(state=[state], dt_s=[None if state is None else 60.0]))
        for voltage_v, current_a, temperature_c, dt_s in readings:
            following = request(
                state=list(first.state),
                voltage_v=voltage_v,
                current_a=current_a,
                temperature_c=temperature_c,
                dt_s=dt_s,
            )
            after = estimator().estimate(following)
            assert number(after.soh_sd_pct) >= number(first.soh_sd_pct) - 1e-4
            first = after
