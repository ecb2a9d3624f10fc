"""The model that comes with the package: it serves an empty registry and disturbs no other."""

import json
from pathlib import Path

import pytest

from battery_ml.features.definition import FEATURES
from battery_ml.registry.errors import VersionUnusable
from battery_ml.registry.shipped import install_shipped_model, shipped_model, write_model
from battery_ml.registry.store import Registry, StoredModel
from battery_ml.serving.predictor import Predictor
from battery_ml.serving.probe import fault_of, probe_history
from tests.registry.test_store import manifest_of, publish

MOST_BYTES = 2_000_000


def stored(version: str = "v9") -> StoredModel:
    return StoredModel(manifest_of(version, b"shipped"), {"model.cbm": b"shipped"})


def test_the_shipped_model_is_small_fits_this_service_and_predicts() -> None:
    model = shipped_model()
    assert model is not None
    assert sum(len(content) for content in model.files.values()) < MOST_BYTES
    assert fault_of(Predictor(model, FEATURES), probe_history()) is None
    assert len(model.manifest.locations) == 9
    assert model.manifest.edges_days[-1] > 3650.0


def test_an_empty_registry_gets_it_as_champion_once(tmp_path: Path) -> None:
    registry = Registry(str(tmp_path / "models"))
    assert install_shipped_model(registry, stored()) == "v9"
    assert registry.alias().version == "v9"
    assert install_shipped_model(registry, stored()) is None
    assert len(registry.history()) == 1


def test_a_registry_with_a_champion_keeps_it(tmp_path: Path) -> None:
    registry = Registry(str(tmp_path / "models"))
    publish(registry, "v1")
    registry.assign("v1")
    assert install_shipped_model(registry, stored()) is None
    assert (registry.alias().version, registry.versions()) == ("v1", ["v1"])


def test_a_start_that_ended_before_the_alias_is_completed(tmp_path: Path) -> None:
    registry = Registry(str(tmp_path / "models"))
    registry.publish(stored().manifest, stored().files)
    assert install_shipped_model(registry, stored()) == "v9"


def test_a_package_without_a_model_or_with_a_broken_one_installs_nothing(tmp_path: Path) -> None:
    registry = Registry(str(tmp_path / "models"))
    assert install_shipped_model(registry, shipped_model(tmp_path)) is None
    write_model(stored(), tmp_path / "shipped")
    again = shipped_model(tmp_path / "shipped")
    assert again == stored()
    (tmp_path / "shipped" / "model.cbm").write_bytes(b"changed")
    with pytest.raises(VersionUnusable, match="do not match"):
        install_shipped_model(registry, shipped_model(tmp_path / "shipped"))
    (tmp_path / "shipped" / "manifest.json").write_text(json.dumps({"version": "v9"}))
    assert shipped_model(tmp_path / "shipped") is None
    assert registry.versions() == []
