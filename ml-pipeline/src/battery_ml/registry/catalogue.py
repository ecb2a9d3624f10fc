"""Summaries and details of the versions in the registry."""

from battery_contracts.ml import ModelDetail, ModelSummary
from battery_ml.registry.errors import RegistryError, VersionUnusable
from battery_ml.registry.store import CHALLENGER, CHAMPION, Registry


def list_summaries(registry: Registry) -> list[ModelSummary]:
    """List all versions, newest first; those whose manifest cannot be read come last, with their fault."""
    aliases = _aliases(registry)
    usable: list[ModelDetail] = []
    faulty: list[ModelSummary] = []
    for version in sorted(registry.versions()):
        version_aliases = aliases.get(version, [])
        try:
            usable.append(_detail(registry, version, version_aliases))
        except VersionUnusable as fault:
            summary = ModelSummary(
                version=version, aliases=version_aliases, created_at=None, metrics={}, fault=str(fault)
            )
            faulty.append(summary)
    usable.sort(key=lambda model: (model.created_at is not None and model.created_at.timestamp(), model.version))
    newest_first = [
        ModelSummary(version=m.version, aliases=m.aliases, created_at=m.created_at, metrics=m.metrics)
        for m in reversed(usable)
    ]
    return newest_first + faulty


def detail_of(registry: Registry, version: str) -> ModelDetail:
    """Return the details of a version; raises `VersionNotFound` or `VersionUnusable`."""
    return _detail(registry, version, _aliases(registry).get(version, []))


def _detail(registry: Registry, version: str, aliases: list[str]) -> ModelDetail:
    manifest = registry.manifest(version)
    return ModelDetail(
        version=version,
        aliases=aliases,
        created_at=manifest.created_at,
        metrics=manifest.metrics,
        features=manifest.features,
        data_sha256=manifest.data_sha256,
        split=manifest.split,
        seed=manifest.seed,
        library_versions=manifest.library_versions,
        files=manifest.files,
    )


def _aliases(registry: Registry) -> dict[str, list[str]]:
    aliases: dict[str, list[str]] = {}
    for name in (CHAMPION, CHALLENGER):
        try:
            aliases.setdefault(registry.alias(name).version, []).append(name)
        except RegistryError:
            continue
    return aliases
