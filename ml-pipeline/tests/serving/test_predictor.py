from collections.abc import Callable
from dataclasses import replace
from hashlib import sha256

import catboost
import numpy as np
import pytest

from battery_contracts.ml import FeatureNorm, RulPrediction
from battery_ml.arrays import FloatArray
from battery_ml.features.definition import FEATURES
from battery_ml.features.history import DailyHistory, TruthRefused
from battery_ml.registry.errors import VersionUnusable
from battery_ml.registry.manifest import Conformal
from battery_ml.registry.store import StoredModel
from battery_ml.serving.predictor import Predictor
from battery_ml.serving.requests import history_of_batch
from tests.support.tiny_model import batch_of, fleet, life_days, manifest_of, train

TRAINED_ON = fleet(480, seed=1)
CONTENT = train(TRAINED_ON, life_days(TRAINED_ON, seed=2))
FILES = {"model.cbm": CONTENT}


@pytest.fixture(scope="module")
def predictor() -> Predictor:
    return Predictor(StoredModel(manifest_of("v1", CONTENT, TRAINED_ON), FILES), FEATURES)


@pytest.fixture
def history() -> DailyHistory:
    return fleet(48, seed=3)


def interval(prediction: RulPrediction) -> tuple[float, float, float]:
    assert prediction.rul_days is not None, prediction.withheld_reason
    return prediction.rul_days.p10, prediction.rul_days.p50, prediction.rul_days.p90


def changed(history: DailyHistory, column: str, change: Callable[[FloatArray], FloatArray]) -> DailyHistory:
    return replace(history, days=dict(history.days) | {column: change(history.days[column].copy())})


def without_last(history: DailyHistory, days: int) -> DailyHistory:
    cut = {name: values.copy() for name, values in history.days.items()}
    for values in cut.values():
        values[:, -days:] = np.nan
    return replace(history, days=cut)


def test_it_predicts_an_unseen_fleet(predictor: Predictor) -> None:
    unseen = fleet(480, seed=4)
    truth = life_days(unseen, seed=5)
    days = np.array([interval(prediction) for prediction in predictor.predict(unseen)])
    assert (days[:, 0] <= days[:, 1]).all()
    assert (days[:, 1] <= days[:, 2]).all()
    assert np.abs(days[:, 1] - truth).mean() < 0.5 * np.abs(np.median(truth) - truth).mean()


def test_a_prediction_does_not_depend_on_other_strings(predictor: Predictor, history: DailyHistory) -> None:
    first = DailyHistory(
        history.battery_ids[:24],
        history.string_ids[:24],
        {name: values[:24] for name, values in history.days.items()},
        history.age_days[:24],
        history.rated_ah[:24],
        history.design_life_years[:24],
        history.baseline_resistance_mohm[:24],
    )
    together = predictor.predict(history)[:24]
    for alone, with_others in zip(predictor.predict(first), together, strict=True):
        assert interval(alone) == pytest.approx(interval(with_others))


def shap_of_median(features: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return CatBoost's own SHAP values (n, features), expected value (n,) and quantiles (n, 3); SHAP of the median."""
    model = catboost.CatBoost().load_model(blob=CONTENT)
    values = model.get_feature_importance(catboost.Pool(features), type="ShapValues")[:, 1, :]
    return values[:, :-1], values[:, -1], model.predict(features)


def uncrossed(quantiles: FloatArray) -> list[int]:
    # Where the quantiles cross, P50 is the middle one of the three, not the one that SHAP explains.
    rows = np.flatnonzero((np.diff(quantiles, axis=1) >= 0.0).all(axis=1))
    assert len(rows) > 0.7 * len(quantiles)
    return rows.tolist()


def test_reasons_are_catboosts_shap_values_of_the_median(predictor: Predictor, history: DailyHistory) -> None:
    features = FEATURES.compute(history)
    shap, expected, quantiles = shap_of_median(features)
    np.testing.assert_allclose(shap.sum(axis=1), quantiles[:, 1] - expected, atol=1e-6)
    predictions = predictor.predict(history)
    for row in uncrossed(quantiles):
        prediction, p50 = predictions[row], interval(predictions[row])[1]
        assert np.log1p(p50) == pytest.approx(quantiles[row, 1], abs=1e-6)
        for reason in prediction.reasons:
            # Back from days to the model's scale: the prediction with the feature minus that without it.
            in_log = np.log1p(p50) - np.log1p(p50 - reason.effect_days)
            slack = 0.06 / (1.0 + p50 - reason.effect_days)
            assert in_log == pytest.approx(shap[row, FEATURES.names.index(reason.feature)], abs=slack)


def test_all_effects_and_the_expected_value_sum_to_the_median(
    predictor: Predictor, history: DailyHistory, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("battery_ml.serving.predictor.REASONS", len(FEATURES.names))
    monkeypatch.setattr("battery_ml.serving.predictor._MIN_EFFECT_DAYS", 0.0)
    _, expected, quantiles = shap_of_median(FEATURES.compute(history))
    predictions = predictor.predict(history)
    for row in uncrossed(quantiles):
        prediction = predictions[row]
        assert {reason.feature for reason in prediction.reasons} == set(FEATURES.names)
        p50 = interval(prediction)[1]
        # Effects multiply 1 + days, as the model predicts its logarithm: they are additive in that scale.
        effects = np.array([reason.effect_days for reason in prediction.reasons])
        factors = (1.0 + p50) / (1.0 + p50 - effects)
        base = np.exp(expected[row])
        rounding = 0.06 * np.sum(1.0 / (1.0 + p50 - effects))
        assert np.log(base * np.prod(factors)) == pytest.approx(np.log1p(p50), abs=rounding)


def test_reasons_are_the_strongest_and_name_value_and_norm(predictor: Predictor) -> None:
    norms = {norm.name: norm.median for norm in predictor.manifest.features}
    hot = fleet(240, seed=6)
    features = FEATURES.compute(hot)
    hottest = int(np.argmax(features[:, FEATURES.names.index("temperature_90d_c")]))
    prediction = predictor.predict(hot)[hottest]
    assert 1 <= len(prediction.reasons) <= 4
    effects = [abs(reason.effect_days) for reason in prediction.reasons]
    assert effects == sorted(effects, reverse=True)
    for reason in prediction.reasons:
        value = features[hottest, FEATURES.names.index(reason.feature)]
        assert reason.value == pytest.approx(value)
        assert reason.fleet_norm == norms[reason.feature]
    heat = next(r for r in prediction.reasons if r.feature.startswith(("temperature", "hours_above")))
    assert heat.effect_days < 0
    assert heat.sentence.endswith("days less")
    assert ("hotter than the fleet" in heat.sentence) or ("more above 30 °C" in heat.sentence)


def test_a_cooler_fleet_lasts_longer(predictor: Predictor, history: DailyHistory) -> None:
    cooler = changed(history, "temperature_mean_c", lambda t: t - 4.0)
    cooler = changed(cooler, "hours_above_30c", lambda h: np.clip(h - 8.0, 0.0, None))
    warm = np.array([interval(prediction)[1] for prediction in predictor.predict(history)])
    cool = np.array([interval(prediction)[1] for prediction in predictor.predict(cooler)])
    assert np.median(cool - warm) > 100.0


def test_conformal_offsets_widen_the_interval(history: DailyHistory) -> None:
    manifest = manifest_of("v1", CONTENT, TRAINED_ON, conformal=Conformal(below=0.5, above=0.5))
    wide = Predictor(StoredModel(manifest, FILES), FEATURES)
    plain = manifest_of("v1", CONTENT, TRAINED_ON, conformal=Conformal(below=0.0, above=0.0))
    narrow = Predictor(StoredModel(plain, FILES), FEATURES)
    for a, b in zip(wide.predict(history), narrow.predict(history), strict=True):
        (low, middle, high), (inner_low, inner_middle, inner_high) = interval(a), interval(b)
        assert middle == inner_middle
        assert low < inner_low
        assert high > inner_high


def test_stale_readings_widen_then_withhold(predictor: Predictor, history: DailyHistory) -> None:
    fresh, stale = predictor.predict(history)[0], predictor.predict(without_last(history, 20))[0]
    assert fresh.widened_because == []
    assert any("20 days old" in why for why in stale.widened_because)
    assert (fresh.confidence or 0.0) > (stale.confidence or 0.0)
    withheld = predictor.predict(without_last(history, 31))[0]
    assert withheld.rul_days is None
    assert withheld.confidence is None
    assert withheld.reasons == []
    assert "31 days old" in (withheld.withheld_reason or "")


def test_too_little_history_is_withheld(predictor: Predictor) -> None:
    short = predictor.predict(fleet(24, seed=3, days=29))[0]
    assert (short.rul_days, short.withheld_reason) == (None, "only 29 days have readings; 30 are needed")
    nothing = predictor.predict(without_last(fleet(24, seed=3, days=40), 40))[0]
    assert (nothing.rul_days, nothing.withheld_reason) == (None, "the history holds no reading of the battery")


def test_unfamiliar_values_widen_then_withhold(predictor: Predictor, history: DailyHistory) -> None:
    old = replace(history, age_days=np.full(48, 20_000.0))
    for before, after in zip(predictor.predict(history), predictor.predict(old), strict=True):
        assert not any("age_of_design_life" in why for why in before.widened_because)
        assert any("age_of_design_life is 5.476" in why for why in after.widened_because)
    strange = old
    for name in ("temperature_mean_c", "voltage_mean_v", "voltage_deviation_v", "string_spread_v", "float_current_ma"):
        strange = changed(strange, name, lambda values: 80.0 + 9.0 * values)
    prediction = predictor.predict(strange)[0]
    assert prediction.rul_days is None
    assert "unlike the training fleet" in (prediction.withheld_reason or "")


def test_missing_columns_stay_missing_and_widen(predictor: Predictor, history: DailyHistory) -> None:
    few = replace(history, days={n: v for n, v in history.days.items() if n != "float_current_ma"})
    prediction = predictor.predict(few)[0]
    assert any("8% of the model's inputs are unknown" in why for why in prediction.widened_because)
    only_heat = replace(history, days={"temperature_mean_c": history.days["temperature_mean_c"]})
    withheld = predictor.predict(replace(only_heat, age_days=np.full(48, np.nan)))[0]
    assert withheld.rul_days is None
    assert "are unknown" in (withheld.withheld_reason or "")


def test_a_battery_alone_is_not_compared_with_itself() -> None:
    alone = FEATURES.compute(fleet(1, seed=3))
    assert np.isnan(alone[0, FEATURES.names.index("resistance_over_string_pct")])
    string = FEATURES.compute(fleet(24, seed=3))
    assert np.isfinite(string).all()


def test_a_version_that_does_not_fit_is_refused() -> None:
    good = manifest_of("v1", CONTENT, TRAINED_ON)
    foreign = good.model_copy(update={"features": [*good.features[:-1], FeatureNorm(name="x", median=0, p5=0, p95=1)]})
    turned = good.model_copy(update={"features": good.features[::-1]})
    broken = manifest_of("v1", b"no model", TRAINED_ON, files={"model.cbm": sha256(b"no model").hexdigest()})
    for manifest, files, message in (
        (foreign, FILES, "does not have: x"),
        (turned, FILES, "not those of its manifest"),
        (broken, {"model.cbm": b"no model"}, "cannot be read"),
    ):
        with pytest.raises(VersionUnusable, match=message):
            Predictor(StoredModel(manifest, files), FEATURES)


def test_a_packed_batch_unpacks_to_its_days_without_infinity(history: DailyHistory) -> None:
    infinite = changed(history, "temperature_mean_c", lambda t: np.where(np.arange(t.shape[1]) == 2, np.inf, t))
    unpacked = history_of_batch(batch_of(infinite))
    assert np.isnan(unpacked.days["temperature_mean_c"][:, 2]).all()
    assert unpacked.days["resistance_25c_mohm"] == pytest.approx(history.days["resistance_25c_mohm"], rel=1e-6)
    assert unpacked.battery_ids == history.battery_ids
    truth = batch_of(history).model_copy(update={"daily": {"soh_pct": batch_of(history).daily["hours_above_30c"]}})
    with pytest.raises(TruthRefused):
        history_of_batch(truth)


def test_days_on_which_nothing_moves_are_withheld_in_words(predictor: Predictor, history: DailyHistory) -> None:
    last = history.days["voltage_mean_v"].shape[1] - 1
    still = {name: np.repeat(values[:, [last]], last + 1, axis=1) for name, values in history.days.items()}
    for prediction in predictor.predict(replace(history, days=still)):
        assert prediction.rul_days is None
        assert "repeat the one before" in (prediction.withheld_reason or "")


def test_a_new_battery_does_not_live_on_the_days_of_the_old_one(predictor: Predictor, history: DailyHistory) -> None:
    fresh = predictor.predict(replace(history, age_days=np.full(len(history.battery_ids), 10.0)))
    assert {prediction.rul_days for prediction in fresh} == {None}
    assert all("days have readings" in (prediction.withheld_reason or "") for prediction in fresh)


def test_a_missing_input_never_lengthens(predictor: Predictor, history: DailyHistory) -> None:
    known = np.array([interval(prediction) for prediction in predictor.predict(history)])
    for name in history.days:
        without = {column: values for column, values in history.days.items() if column != name}
        lacking = np.array([interval(one) for one in predictor.predict(replace(history, days=without))])
        # What is lost of an extreme value cannot be made good: those whose end is near by that very input.
        usual = known[:, 0] > np.quantile(known[:, 0], 0.1)
        assert (lacking[usual, 0] <= 1.02 * known[usual, 0]).all(), name
        assert lacking[:, 0].mean() <= known[:, 0].mean(), name


def test_what_most_of_the_fleet_lacks_shortens_nothing(history: DailyHistory) -> None:
    rare = manifest_of("v1", CONTENT, TRAINED_ON)
    features = [norm.model_copy(update={"known": 0.2}) for norm in rare.features]
    lenient = Predictor(StoredModel(rare.model_copy(update={"features": features}), FILES), FEATURES)
    strict = Predictor(StoredModel(rare, FILES), FEATURES)
    lacking = replace(history, days={name: one for name, one in history.days.items() if name != "float_current_ma"})
    first = [interval(prediction)[0] for prediction in lenient.predict(lacking)]
    second = [interval(prediction)[0] for prediction in strict.predict(lacking)]
    assert sum(first) > sum(second)
