"""Manifests that are accepted, refused and read back, and the catalogue of versions."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from battery_ml.registry.catalogue import detail_of, list_summaries
from battery_ml.registry.errors import VersionNotFound, VersionUnusable
from battery_ml.registry.manifest import ManifestInvalid, ModelManifest
from battery_ml.registry.store import CHALLENGER, Registry
from tests.registry.test_store import manifest_of


def content_of(**change: Any) -> bytes:
    facts = json.loads(manifest_of("v1", b"model").model_dump_json())
    return json.dumps(facts | change).encode()


def test_a_manifest_is_read_back_as_it_was() -> None:
    manifest = manifest_of("v1", b"model", locations=["DC-AAA-01"])
    assert ModelManifest.from_json(manifest.model_dump_json().encode()) == manifest


def test_a_manifest_without_locations_is_read() -> None:
    facts = json.loads(content_of())
    del facts["locations"]
    assert ModelManifest.from_json(json.dumps(facts).encode()).locations == []


FEATURE = {"name": "age", "median": 1.0, "p5": 0.0, "p95": 2.0}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"version": "../v1"}, "version: "),
        ({"version": ""}, "version: "),
        ({"created_at": "2026-11-20T00:00:00"}, "created_at: .*timezone"),
        ({"kind": "oracle"}, "kind: "),
        ({"edges_days": [30.0, 90.0]}, "must begin with 0 and ascend"),
        ({"edges_days": [0.0, 90.0, 90.0]}, "must begin with 0 and ascend"),
        ({"edges_days": [0.0]}, "edges_days: "),
        ({"features": []}, "features: "),
        ({"features": [FEATURE, FEATURE]}, "a name appears twice"),
        ({"features": [FEATURE | {"known": 1.5}]}, "features.0.known: "),
        ({"levels": {"p10": 0.1, "p50": 0.5}}, "levels.p90: "),
        ({"levels": {"p10": 0.6, "p50": 0.5, "p90": 0.9}}, "must ascend"),
        ({"levels": {"p10": 0.0, "p50": 0.5, "p90": 0.9}}, "levels.p10: "),
        ({"colour": "red"}, "colour: "),
    ],
)
def test_an_invalid_manifest_is_refused_with_its_field(change: dict[str, Any], message: str) -> None:
    with pytest.raises(ManifestInvalid, match=message):
        ModelManifest.from_json(content_of(**change))


@pytest.mark.parametrize("field", ["median", "p5", "p95"])
def test_infinite_norms_are_refused(field: str) -> None:
    with pytest.raises(ManifestInvalid, match=field):
        ModelManifest.from_json(content_of(features=[FEATURE | {field: float("inf")}]))


@given(st.binary(max_size=60) | st.text(max_size=60).map(str.encode))
def test_any_other_content_is_refused(content: bytes) -> None:
    with pytest.raises(ManifestInvalid):
        ModelManifest.from_json(content)


def test_a_manifest_cannot_be_changed() -> None:
    manifest = manifest_of("v1", b"model")
    with pytest.raises(ValidationError):
        manifest.seed = 2  # type: ignore[misc]  # that it is refused is the point


@pytest.fixture
def registry(tmp_path: Path) -> Registry:
    registry = Registry(str(tmp_path))
    for day, version in ((3, "v3"), (9, "v9"), (5, "v5")):
        manifest = manifest_of(version, version.encode(), created_at=datetime(2026, 11, day, tzinfo=UTC))
        registry.publish(manifest, {"model.cbm": version.encode()})
    return registry


def test_versions_are_listed_newest_first_with_their_aliases(registry: Registry) -> None:
    registry.assign("v3")
    registry.assign("v5", CHALLENGER)
    summaries = list_summaries(registry)
    assert [(summary.version, summary.aliases) for summary in summaries] == [
        ("v9", []),
        ("v5", ["challenger"]),
        ("v3", ["champion"]),
    ]
    assert all(summary.fault is None for summary in summaries)


def test_unusable_versions_come_last_with_their_fault(registry: Registry, tmp_path: Path) -> None:
    (tmp_path / "versions" / "v9" / "manifest.json").write_text("{}")
    (tmp_path / "versions" / "v1").mkdir()
    (tmp_path / "versions" / ".hidden").mkdir()
    summaries = list_summaries(registry)
    assert [summary.version for summary in summaries] == ["v5", "v3", "v1", "v9"]
    assert ["incomplete" in (summary.fault or "") for summary in summaries] == [False, False, True, False]
    assert "cannot be read" in (summaries[3].fault or "")


def test_details_are_those_of_the_manifest(registry: Registry) -> None:
    registry.assign("v5")
    detail, manifest = detail_of(registry, "v5"), registry.manifest("v5")
    assert detail.aliases == ["champion"]
    shared = set(type(detail).model_fields) & set(ModelManifest.model_fields)
    assert {"features", "split", "seed", "files", "metrics", "data_sha256"} <= shared
    for name in shared:
        assert getattr(detail, name) == getattr(manifest, name)


def test_details_of_an_unknown_or_incomplete_version_are_refused(registry: Registry, tmp_path: Path) -> None:
    with pytest.raises(VersionNotFound):
        detail_of(registry, "v2")
    (tmp_path / "versions" / "v9" / "manifest.json").unlink()
    with pytest.raises(VersionUnusable):
        detail_of(registry, "v9")


def test_an_alias_that_cannot_be_read_hides_no_version(registry: Registry, tmp_path: Path) -> None:
    registry.assign("v5")
    (tmp_path / "aliases" / "champion.json").write_text("{")
    assert [summary.aliases for summary in list_summaries(registry)] == [[], [], []]


def test_an_empty_registry_has_no_versions_and_no_history(tmp_path: Path) -> None:
    registry = Registry(str(tmp_path / "absent"))
    assert (list_summaries(registry), registry.history()) == ([], [])
