"""The model that comes with the package, for a registry that has no champion yet."""

from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path

import structlog

from battery_ml.registry.errors import AliasUnset, VersionExists
from battery_ml.registry.manifest import ManifestInvalid, ModelManifest
from battery_ml.registry.store import MANIFEST_FILE, Registry, StoredModel

_log = structlog.get_logger(__name__)


def shipped_model(folder: Traversable | None = None) -> StoredModel | None:
    """Read the model of the package, or of another folder; None if there is none or its manifest cannot be read."""
    source = files("battery_ml.shipped") if folder is None else folder
    try:
        manifest = ModelManifest.from_json((source / MANIFEST_FILE).read_bytes())
        return StoredModel(manifest, {name: (source / name).read_bytes() for name in manifest.files})
    except FileNotFoundError:
        return None
    except ManifestInvalid as invalid:
        _log.warning("shipped model not used", fault=str(invalid))
        return None


def install_shipped_model(registry: Registry, model: StoredModel | None) -> str | None:
    """Make the shipped model the champion of a registry without one; return its version, None if nothing was done.

    A registry whose champion was ever set keeps it, whatever came with a newer release.

    Raises
    ------
    RegistryError
        The files do not match their manifest, or the registry cannot be written.
    """
    if model is None:
        return None
    try:
        registry.alias()
    except AliasUnset:
        pass
    else:
        return None
    try:
        registry.publish(model.manifest, model.files)
    except VersionExists:
        # Another replica, or an earlier start that ended before the alias was set.
        _log.info("shipped model was published already", version=model.manifest.version)
    registry.assign(model.manifest.version)
    return model.manifest.version


def write_model(model: StoredModel, folder: Path) -> None:
    """Write the files of a version to a folder, as `shipped_model` reads them."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in model.files.items():
        (folder / name).write_bytes(content)
    (folder / MANIFEST_FILE).write_text(model.manifest.model_dump_json(indent=2) + "\n")
