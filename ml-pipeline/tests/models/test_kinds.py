"""Every kind of model: read back as it was, ordered curves, effects with the right sign."""

from collections.abc import Callable
from functools import partial

import numpy as np
import pytest

from battery_ml.features.definition import FEATURES
from battery_ml.models.kinds import LifeModel
from battery_ml.models.proportional import CoxCoefficients, ProportionalModel
from battery_ml.models.read import read_life_model
from battery_ml.registry.manifest import ModelKind
from battery_ml.training.run import FITS
from tests.support.tiny_model import EDGES_DAYS, fleet, life_days, manifest_of, snapshots_of

FLEET = fleet(480, seed=1)
LIVES = snapshots_of(FLEET, life_days(FLEET, seed=2), follow_up_days=2500.0)
UNSEEN = fleet(240, seed=4)
HEAT = FEATURES.names.index("temperature_365d_c")


def boosted(kind: ModelKind) -> LifeModel:
    return FITS[kind](LIVES, LIVES, FEATURES.names, EDGES_DAYS, seed=1, trees=80, progress=lambda _share: None)


def cox() -> LifeModel:
    count = len(FEATURES.names)
    weights = [0.0] * count
    weights[HEAT] = 0.4
    return ProportionalModel(
        CoxCoefficients(
            feature_names=list(FEATURES.names),
            centre=[27.0 if index == HEAT else 0.0 for index in range(count)],
            scale=[2.0] * count,
            known=weights,
            unknown=[0.1 if index == HEAT else 0.0 for index in range(count)],
            edges_days=EDGES_DAYS.tolist(),
            baseline_hazard=(EDGES_DAYS / 1500.0).tolist(),
        )
    )


KINDS: dict[ModelKind, Callable[[], LifeModel]] = {
    ModelKind.PROPORTIONAL: cox,
    **{kind: partial(boosted, kind) for kind in FITS},
}


@pytest.fixture(scope="module", params=list(KINDS), ids=str)
def model(request: pytest.FixtureRequest) -> tuple[ModelKind, LifeModel]:
    return request.param, KINDS[request.param]()


def test_every_kind_has_a_test() -> None:
    assert set(KINDS) == set(ModelKind)


def test_it_is_read_back_as_it_was(model: tuple[ModelKind, LifeModel]) -> None:
    kind, life_model = model
    files = life_model.files()
    again = read_life_model(manifest_of("v1", b"", FLEET, kind=kind, files=dict.fromkeys(files, "")), files)
    features = FEATURES.compute(UNSEEN)
    assert again.feature_names == FEATURES.names
    np.testing.assert_allclose(
        again.curves(features).cumulative_hazard, life_model.curves(features).cumulative_hazard, rtol=1e-9
    )


def test_its_curves_rise_and_order_batteries_as_their_lives_do(model: tuple[ModelKind, LifeModel]) -> None:
    curves = model[1].curves(FEATURES.compute(UNSEEN))
    assert (np.diff(curves.cumulative_hazard, axis=1) >= 0.0).all()
    median, truth = curves.quantile_days(0.5), life_days(UNSEEN, seed=5)
    assert np.corrcoef(np.argsort(np.argsort(median)), np.argsort(np.argsort(truth)))[0, 1] > 0.5


def test_heat_shortens_by_its_effect(model: tuple[ModelKind, LifeModel]) -> None:
    features = FEATURES.compute(UNSEEN)
    curves = model[1].curves(features)
    effects = model[1].effects_days(features, curves)
    assert effects.shape == features.shape
    assert np.isfinite(effects).all()
    columns = [index for index, name in enumerate(FEATURES.names) if "temperature" in name or "heat" in name]
    hot = features[:, HEAT] > np.quantile(features[:, HEAT], 0.8)
    cool = features[:, HEAT] < np.quantile(features[:, HEAT], 0.2)
    total = effects[:, columns].sum(axis=1)
    assert np.median(total[hot]) < 0.0 < np.median(total[cool])


def test_an_unknown_input_of_a_linear_model_counts_as_the_usual_one_with_its_own_weight() -> None:
    features = np.full((2, len(FEATURES.names)), np.nan)
    features[1, HEAT] = 27.0
    unknown, usual = cox().curves(features).cumulative_hazard[:, -1]
    assert unknown / usual == pytest.approx(np.exp(0.1))
