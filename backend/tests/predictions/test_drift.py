"""Drift of a model's inputs: what a run keeps of it, and who sees what."""

import httpx
import pytest

from battery_api.predictions.answers import AnswerState, MlAnswer
from battery_api.predictions.drift import RunDrift
from battery_contracts.drift import population_stability_index
from battery_contracts.ml import FeatureDrift, RulPrediction

from .world import LOCATIONS, NOW, VERSION, World

EVEN = [10.0] * 10
FIRST_TENTH = [100.0, *[0.0] * 9]


def feature(counts: list[float] | None, *, name: str = "age_days", known: float = 1.0) -> FeatureDrift:
    psi = None if counts is None else population_stability_index(counts)
    return FeatureDrift(feature=name, psi=psi, share_known=known, counts=counts or [])


def drifted(counts: list[float] | None, *, count: int = 1, known: float = 1.0, version: str = "v1") -> MlAnswer:
    codes = [f"B{number}" for number in range(count)]
    predictions = {
        code: RulPrediction(
            battery_id=code,
            rul_days=None,
            withheld_reason="x",
            confidence=None,
            reasons=[],
            model_version=version,
            predicted_at=NOW,
        )
        for code in codes
    }
    return MlAnswer(AnswerState.ANSWERED, predictions, version, [feature(counts, known=known)])


def test_the_counts_of_locations_add_up_and_the_worst_is_named() -> None:
    run = RunDrift()
    run.add("A", drifted(EVEN, count=3, known=0.5))
    run.add("B", drifted(FIRST_TENTH, count=1, known=0.9))
    run.add("C", drifted(None, count=4, known=0.0))
    kept = run.summary()
    assert kept is not None
    assert (kept["model_version"], kept["battery_count"]) == ("v1", 8)
    (found,) = kept["features"]
    assert found["psi"] == pytest.approx(population_stability_index([110.0, *[10.0] * 9]))
    assert (found["worst_psi"], found["worst_location_id"]) == (population_stability_index(FIRST_TENTH), "B")
    assert found["share_known"] == pytest.approx((3 * 0.5 + 1 * 0.9) / 8)


def test_locations_that_differ_can_be_a_fleet_that_does_not() -> None:
    run = RunDrift()
    for number in range(10):
        run.add(f"L{number}", drifted([100.0 * (tenth == number) for tenth in range(10)]))
    kept = run.summary()
    assert kept is not None
    assert kept["features"][0]["psi"] == pytest.approx(0.0, abs=1e-9)
    assert kept["features"][0]["worst_psi"] > 1.0


def test_what_is_known_of_too_few_everywhere_has_no_index() -> None:
    run = RunDrift()
    run.add("A", drifted(None, known=0.1))
    kept = run.summary()
    assert kept is not None
    assert kept["features"] == [
        {"feature": "age_days", "psi": None, "worst_psi": None, "worst_location_id": None, "share_known": 0.1}
    ]


def test_versions_are_not_mixed_and_failures_count_for_none() -> None:
    run = RunDrift()
    assert run.summary() is None
    run.add("A", drifted(FIRST_TENTH, version="v1"))
    run.add("B", drifted(EVEN, version="v2"))
    run.add("C", MlAnswer(AnswerState.UNAVAILABLE))
    kept = run.summary()
    assert kept is not None
    assert (kept["model_version"], kept["battery_count"]) == ("v2", 1)
    assert kept["features"][0]["worst_psi"] == pytest.approx(0.0, abs=1e-9)


async def test_the_drift_of_the_newest_run_is_shown(world: World) -> None:
    path = f"models/{VERSION}/accuracy"
    before = await world.get(path)
    assert (before["drift"], before["drift_missing_reason"]) == (None, "no_run")
    await world.job().run_once()
    few = await world.get(path)
    assert (few["drift"], few["drift_missing_reason"]) == (None, "too_few_batteries")
    world.ml.drift = [
        feature(None, name="a", known=0.25),
        feature(EVEN, name="b"),
        feature(FIRST_TENTH, name="c"),
    ]
    world.forward(days=1)
    await world.job().run_once()
    found = await world.get(path)
    assert found["drift_missing_reason"] is None
    assert found["drift"]["battery_count"] == 8
    assert [one["feature"] for one in found["drift"]["features"]] == ["c", "b", "a"]
    worst = found["drift"]["features"][0]
    alone, twice = population_stability_index(FIRST_TENTH), population_stability_index([200.0, *[0.0] * 9])
    assert worst["psi"] == pytest.approx(twice, abs=5e-4)
    assert (worst["worst_psi"], worst["worst_location_id"]) == (pytest.approx(alone, abs=5e-4), LOCATIONS[0])
    # Nok sees the second location alone.
    hidden = (await world.get(path, who="nok"))["drift"]["features"][0]
    assert (hidden["psi"], hidden["worst_psi"], hidden["worst_location_id"]) == (
        pytest.approx(twice, abs=5e-4),
        None,
        None,
    )
    assert (await world.get("models/other/accuracy"))["drift_missing_reason"] == "no_run"


async def test_a_run_without_a_model_leaves_the_drift_of_the_last_one(world: World) -> None:
    world.ml.drift = [feature(FIRST_TENTH, name="a")]
    await world.job().run_once()
    world.ml.failure = httpx.Response(503, json={"code": "unavailable"})
    world.forward(days=1)
    await world.job().run_once()
    assert [run["drift"] is None for run in await world.runs()] == [False, True]
    assert (await world.get(f"models/{VERSION}/accuracy"))["drift"]["features"][0]["psi"] > 1.0
