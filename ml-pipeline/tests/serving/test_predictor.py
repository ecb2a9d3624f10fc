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
from battery_ml.registry.manifest import Levels, ModelKind
from battery_ml.registry.store import StoredModel
from battery_ml.serving.predictor import Predictor
from battery_ml.serving.requests import history_of_batch
from tests.support.tiny_model import EDGES_DAYS, batch_of, fleet, life_days, manifest_of, train

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


def test_effects_are_differences_of_medians_at_catboosts_shap_values(
    predictor: Predictor, history: DailyHistory
) -> None:
    features = FEATURES.compute(history)
    predictions, curves = predictor.predict(history), predictor.curves_of(features)
    edges = curves.days
    model = catboost.CatBoost().load_model(blob=CONTENT)
    for row, prediction in enumerate(predictions):
        # By hand: the curve's median, CatBoost's own values in its period, and the median of the shifted hazards.
        hazard = curves.cumulative_hazard[row]
        median = float(np.interp(np.log(2.0), hazard, edges))
        if hazard[-1] < 2.0 * np.log(2.0):
            continue
        period = int(np.searchsorted(edges, median) - 1)
        ahead = np.log(0.5 * (edges[period] + edges[period + 1]))
        pool = catboost.Pool(
            np.append(features[row], ahead)[None, :],
            feature_names=[*FEATURES.names, "log_days_ahead"],
            baseline=[np.log((edges[period + 1] - edges[period]) / 365.25)],
        )
        shap = model.get_feature_importance(pool, type="ShapValues")[0]
        for reason in prediction.reasons:
            without = np.log(2.0) * np.exp(shap[FEATURES.names.index(reason.feature)])
            if without < hazard[-1]:
                expected = median - float(np.interp(without, hazard, edges))
                assert reason.effect_days == pytest.approx(expected, abs=0.06 + 1e-3 * abs(expected))


def test_a_median_at_the_follow_up_is_marked_and_still_has_reasons() -> None:
    near = EDGES_DAYS[: int(np.searchsorted(EDGES_DAYS, 730.0)) + 1]
    manifest = manifest_of("v1", CONTENT, TRAINED_ON, edges_days=near.tolist())
    predictions = Predictor(StoredModel(manifest, FILES), FEATURES).predict(fleet(48, seed=3))
    beyond = [one for one in predictions if interval(one)[0] < 600.0 and interval(one)[1] == 730.0]
    assert beyond
    for prediction in beyond:
        assert prediction.follow_up_days == 730.0
        assert interval(prediction)[2] == 730.0
        assert prediction.reasons
    assert all(max(interval(prediction)) <= 730.0 for prediction in predictions)


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


def test_levels_further_out_widen_the_interval(history: DailyHistory) -> None:
    manifest = manifest_of("v1", CONTENT, TRAINED_ON, levels=Levels(p10=0.05, p50=0.5, p90=0.95))
    wide = Predictor(StoredModel(manifest, FILES), FEATURES)
    plain = manifest_of("v1", CONTENT, TRAINED_ON, levels=Levels(p10=0.2, p50=0.5, p90=0.8))
    narrow = Predictor(StoredModel(plain, FILES), FEATURES)
    for a, b in zip(wide.predict(history), narrow.predict(history), strict=True):
        (low, middle, high), (inner_low, inner_middle, inner_high) = interval(a), interval(b)
        assert middle == inner_middle
        assert low < inner_low
        assert high > inner_high or high == a.follow_up_days


def test_the_battery_that_leaves_its_string_is_named_with_the_quantity(
    predictor: Predictor, history: DailyHistory
) -> None:
    def odd(values: FloatArray) -> FloatArray:
        values[5] += 0.4
        return values

    before = predictor.predict(history)
    after = predictor.predict(changed(history, "voltage_deviation_v", odd))
    assert (after[5].peer_deviation or 0.0) > 10.0
    assert after[5].peer_deviation_of == "float_voltage"
    assert max(one.peer_deviation or 0.0 for one in before) < 10.0
    alone = predictor.predict(fleet(1, seed=3))[0]
    assert (alone.peer_deviation, alone.peer_deviation_of) == (None, None)


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
    foreign = ("temperature_mean_c", "temperature_max_c", "temperature_rise_k", "hours_above_30c", "voltage_mean_v")
    for name in (*foreign, "voltage_deviation_v", "string_spread_v", "float_current_ma", "resistance_25c_mohm"):
        strange = changed(strange, name, lambda values: 80.0 + 9.0 * values)
    prediction = predictor.predict(strange)[0]
    assert prediction.rul_days is None
    assert "unlike the training fleet" in (prediction.withheld_reason or "")


def test_missing_columns_stay_missing_and_widen(predictor: Predictor, history: DailyHistory) -> None:
    few = replace(history, days={n: v for n, v in history.days.items() if n != "float_current_ma"})
    prediction = predictor.predict(few)[0]
    assert any("7% of the model's inputs are unknown" in why for why in prediction.widened_because)
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
        (good.model_copy(update={"kind": ModelKind.QUANTILES}), FILES, "outputs; its kind has 3"),
        (good.model_copy(update={"kind": ModelKind.ACCELERATED}), FILES, "no readable scale.json"),
        (good.model_copy(update={"kind": ModelKind.PROPORTIONAL}), FILES, "no readable cox.json"),
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
        usual = known[:, 0] > np.quantile(known[:, 0], 0.2)
        assert (lacking[usual, 0] <= 1.03 * known[usual, 0]).all(), name
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
