"""Several readings of a battery in one call: the answer is that of as many calls with one reading each."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

from battery_contracts.twin import EstimateResponse
from battery_twin.fleet.estimator import STATE_OF_LATER_READING
from battery_twin.fleet.series import NO_READING, BatterySeries

from .test_estimator import estimator, outage, request

Reading = tuple[str, float, dict[str, Any]]
ESTIMATES = ("soc_pct", "soc_sd_pct", "soh_pct", "soh_sd_pct", "soc_provenance", "resistance_mohm", "error")


def readings_of(seed: int) -> list[Reading]:
    """Return readings of three batteries as id, time and columns; some are unusable."""
    rng = np.random.default_rng(seed)
    readings = []
    for number in range(3):
        rows = outage(minutes=8 + 4 * number)
        times = np.cumsum(rng.uniform(1.0, 15.0, len(rows)))
        for time_s, row in zip(times.tolist(), rows, strict=True):
            unusable = {"voltage_v": 99.0} if rng.random() < 0.05 else {}
            ohmic = {"internal_resistance_mohm": float(rng.uniform(4.0, 5.0))} if rng.random() < 0.1 else {}
            readings.append((f"BAT-{number}", time_s, row | unusable | ohmic))
    return sorted(readings, key=lambda reading: reading[1])


def sent_in(parts: Sequence[Sequence[Reading]]) -> list[dict[str, Any]]:
    """Send the readings in calls as the gateway does; return the estimates of each, and the states at the end."""
    fleet = estimator()
    states: dict[str, tuple[float, bytes]] = {}
    estimates: list[dict[str, Any]] = []
    for part in parts:
        columns: dict[str, list[Any]] = {"battery_id": [], "dt_s": [], "state": []}
        seen: dict[str, float] = {}
        for battery, time_s, _ in part:
            stored = None if battery in seen else states.get(battery)
            since_s = seen.get(battery, None if stored is None else stored[0])
            columns["battery_id"].append(battery)
            columns["dt_s"].append(None if since_s is None else time_s - since_s)
            columns["state"].append(None if stored is None else stored[1])
            seen[battery] = time_s
        names = {name for *_, row in part for name in row}
        defaults = request(1).model_dump()
        for name in names:
            columns[name] = [row.get(name, defaults[name][0]) for *_, row in part]
        answer: EstimateResponse = fleet.estimate(request(len(part), **columns))
        for slot, (battery, time_s, _) in enumerate(part):
            estimates.append({"battery": battery} | {name: getattr(answer, name)[slot] for name in ESTIMATES})
            state = answer.state[slot]
            if state:
                states[battery] = (time_s, state)
    return [*estimates, {"states": states}]


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_the_answer_does_not_depend_on_how_the_readings_are_cut(seed: int) -> None:
    readings = readings_of(seed)
    rng = np.random.default_rng(seed)
    cuts = np.sort(rng.choice(len(readings), 12, replace=False)).tolist()
    parts = [readings[begin:end] for begin, end in zip([0, *cuts], [*cuts, len(readings)], strict=True)]
    alone = sent_in([[reading] for reading in readings])
    assert any(estimate.get("error") for estimate in alone)
    assert sent_in([readings]) == alone
    assert sent_in([part for part in parts if part]) == alone


def test_the_last_usable_reading_has_the_state() -> None:
    voltages = [13.65, 13.64, 99.0]
    answer = estimator().estimate(request(3, battery_id=["A"] * 3, voltage_v=voltages, dt_s=[None, 60.0, 60.0]))
    assert [state is None for state in answer.state] == [True, False, True]


def test_an_unusable_state_ends_with_its_reading() -> None:
    columns = {"battery_id": ["A"] * 2, "state": [b"damaged", None], "dt_s": [60.0, 60.0]}
    answer = estimator().estimate(request(2, **columns))
    assert [error is None for error in answer.error] == [False, True]
    assert answer.state[1]
    fresh = estimator().estimate(request(1, battery_id=["A"]))
    assert answer.soc_pct[1] == fresh.soc_pct[0]


def test_a_later_reading_with_a_state_of_its_own_is_refused() -> None:
    fleet = estimator()
    (state,) = fleet.estimate(request(1, battery_id=["A"])).state
    answer = fleet.estimate(request(2, battery_id=["A"] * 2, state=[state] * 2, dt_s=[60.0, 60.0]))
    assert answer.error == [None, STATE_OF_LATER_READING]


def test_readings_out_of_order_within_a_call_are_refused() -> None:
    answer = estimator().estimate(request(2, battery_id=["A"] * 2, dt_s=[None, -5.0]))
    assert answer.error[0] is None
    assert "in order of time" in (answer.error[1] or "")


def test_rounds_hold_each_battery_once_and_in_order() -> None:
    ids = ["A", "B", "A", "C", "A", "B"]
    series = BatterySeries.of(ids)
    assert [[ids[slot] for slot in slots] for slots in series.rounds] == [["A", "B", "C"], ["A", "B"], ["A"]]
    assert series.previous.tolist() == [NO_READING, NO_READING, 0, NO_READING, 2, 1]
