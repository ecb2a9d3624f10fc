from collections.abc import Iterator
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any
from uuid import uuid4

import fsspec
import pytest

from battery_contracts.ml import FeatureNorm
from battery_ml.registry.champion import Champion
from battery_ml.registry.errors import AliasUnset, RegistryError, VersionExists, VersionNotFound, VersionUnusable
from battery_ml.registry.manifest import Levels, ModelManifest
from battery_ml.registry.store import CHALLENGER, Registry


def manifest_of(version: str, content: bytes, **change: Any) -> ModelManifest:
    facts: dict[str, Any] = {
        "version": version,
        "created_at": datetime(2026, 11, 20, tzinfo=UTC),
        "kind": "hazard",
        "edges_days": [0.0, 90.0, 365.0],
        "features": [FeatureNorm(name="age_days", median=1.0, p5=0.0, p95=2.0)],
        "levels": Levels(p10=0.1, p50=0.5, p90=0.9),
        "data_sha256": "d",
        "split": "by string",
        "seed": 1,
        "metrics": {"mae_days": 10.0},
        "library_versions": {"catboost": "1.2"},
        "files": {"model.cbm": sha256(content).hexdigest()},
    }
    return ModelManifest(**facts | change)


def publish(registry: Registry, version: str) -> None:
    content = f"model {version}".encode()
    registry.publish(manifest_of(version, content), {"model.cbm": content})


@pytest.fixture(params=["folder", "object store"])
def address(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    if request.param == "folder":
        yield str(tmp_path / "models")
        return
    # fsspec's in-memory store: flat keys as in a bucket, no renames of folders.
    name = f"memory://{uuid4().hex}/models"
    yield name
    fsspec.filesystem("memory").rm(name.removeprefix("memory:/"), recursive=True)


@pytest.fixture
def registry(address: str) -> Registry:
    registry = Registry(address)
    for version in ("v1", "v2"):
        publish(registry, version)
    return registry


def test_a_version_is_read_back_and_never_changes(registry: Registry) -> None:
    assert sorted(registry.versions()) == ["v1", "v2"]
    assert registry.load("v1").files == {"model.cbm": b"model v1"}
    with pytest.raises(VersionExists):
        registry.publish(manifest_of("v1", b"other"), {"model.cbm": b"other"})
    assert registry.load("v1").files == {"model.cbm": b"model v1"}


def test_a_manifest_of_other_files_is_not_published(registry: Registry) -> None:
    with pytest.raises(VersionUnusable):
        registry.publish(manifest_of("v3", b"one"), {"model.cbm": b"another"})
    assert "v3" not in registry.versions()


def test_promotion_and_rollback_are_recorded_in_the_history(registry: Registry) -> None:
    with pytest.raises(AliasUnset):
        registry.alias()
    registry.assign("v1")
    with pytest.raises(AliasUnset, match="before"):
        registry.roll_back()
    registry.assign("v2")
    registry.assign("v2", CHALLENGER)
    registry.roll_back()
    assert registry.alias().version == "v1"
    assert [entry.version for entry in registry.history()] == ["v1", "v2", "v1"]
    assert [entry.version for entry in registry.history(CHALLENGER)] == ["v2"]


@pytest.mark.parametrize("version", ["v9", "../aliases", "", "a/b"])
def test_unknown_versions_and_paths_are_not_found(registry: Registry, version: str) -> None:
    with pytest.raises(VersionNotFound):
        registry.assign(version)
    with pytest.raises(AliasUnset):
        registry.alias()


def corrupt(address: str, path: str, content: bytes | None) -> None:
    fs, root = fsspec.core.url_to_fs(address)
    if content is None:
        fs.rm_file(f"{root}/{path}")
    else:
        fs.pipe_file(f"{root}/{path}", content)


CORRUPTIONS = [
    ("versions/v2/model.cbm", b"swapped", "does not match its manifest"),
    ("versions/v2/model.cbm", None, "lacks its file"),
    ("versions/v2/manifest.json", None, "incomplete"),
    ("versions/v2/manifest.json", b"{", "cannot be read"),
    ("versions/v2/manifest.json", manifest_of("v1", b"x").model_dump_json().encode(), "is that of v1"),
]


@pytest.mark.parametrize(("path", "content", "message"), CORRUPTIONS)
def test_a_corrupt_version_is_not_promoted(
    registry: Registry, address: str, path: str, content: bytes | None, message: str
) -> None:
    registry.assign("v1")
    corrupt(address, path, content)
    with pytest.raises(VersionUnusable, match=message):
        registry.assign("v2")
    assert registry.alias().version == "v1"


class Clock:
    def __init__(self) -> None:
        self.now_s = 100.0

    def __call__(self) -> float:
        return self.now_s


def test_a_champion_follows_its_alias_within_a_second(registry: Registry) -> None:
    clock = Clock()
    champion = Champion(registry, lambda stored: stored.manifest.version, now_s=clock)
    assert (champion.current(), champion.fault) == (None, "no version is champion")
    registry.assign("v1")
    assert champion.current() is None
    clock.now_s += 1.0
    assert (champion.current(), champion.fault) == ("v1", None)
    registry.assign("v2")
    champion.refresh()
    assert champion.current() == "v2"
    registry.roll_back()
    clock.now_s += 1.0
    assert champion.current() == "v1"


@pytest.mark.parametrize(
    ("path", "content", "message"), [*CORRUPTIONS, ("aliases/champion.json", b"{", "cannot be read")]
)
def test_the_last_usable_champion_stays_in_service(
    registry: Registry, address: str, path: str, content: bytes | None, message: str
) -> None:
    clock = Clock()
    champion = Champion(registry, lambda stored: stored.manifest.version, now_s=clock)
    registry.assign("v1")
    assert champion.current() == "v1"
    registry.assign("v2")
    corrupt(address, path, content)
    clock.now_s += 1.0
    assert champion.current() == "v1"
    assert champion.fault is not None
    assert message in champion.fault


def test_a_model_that_cannot_be_read_does_not_replace_one_that_can(registry: Registry) -> None:
    def read(stored: Any) -> str:
        if stored.manifest.version == "v2":
            raise RegistryError("not a model")
        return str(stored.manifest.version)

    champion = Champion(registry, read, interval_s=0.0)
    registry.assign("v1")
    assert champion.current() == "v1"
    registry.assign("v2")
    assert (champion.current(), champion.version, champion.fault) == ("v1", "v1", "not a model")


def test_a_start_with_a_corrupt_champion_serves_the_previous_one(registry: Registry, address: str) -> None:
    registry.assign("v1")
    registry.assign("v2")
    corrupt(address, "versions/v2/model.cbm", b"swapped")
    champion = Champion(registry, lambda stored: stored.manifest.version)
    assert (champion.current(), champion.version) == ("v1", "v1")
    assert "does not match" in (champion.fault or "")
