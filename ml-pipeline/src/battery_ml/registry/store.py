"""Versions and aliases in a folder or an object store, addressed through fsspec."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any, Final
from uuid import uuid4

import fsspec
from pydantic import AwareDatetime, BaseModel, ConfigDict, ValidationError

from battery_ml.registry.errors import AliasUnset, RegistryError, VersionExists, VersionNotFound, VersionUnusable
from battery_ml.registry.manifest import VERSION_PATTERN, ManifestInvalid, ModelManifest

CHAMPION: Final = "champion"
CHALLENGER: Final = "challenger"
MANIFEST_FILE: Final = "manifest.json"
_NAME: Final = re.compile(VERSION_PATTERN)


class Alias(BaseModel):
    """The version that an alias names, the one that it named before, and the time ``at`` which it changed."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    version: str
    previous: str | None
    at: AwareDatetime


@dataclass(frozen=True, slots=True)
class StoredModel:
    """A version whose files match its manifest."""

    manifest: ModelManifest
    files: Mapping[str, bytes]


class Registry:
    """Read and write models below one address, for example a folder or ``s3://bucket/models``."""

    def __init__(self, address: str, **options: Any) -> None:
        self._fs, root = fsspec.core.url_to_fs(address, use_listings_cache=False, **options)
        self._root = root.rstrip("/")

    def publish(self, manifest: ModelManifest, files: Mapping[str, bytes]) -> None:
        """Store a version permanently; the manifest is written last, so a version without one is incomplete.

        Raises
        ------
        VersionExists
            Versions never change.
        VersionUnusable
            The files do not match the manifest.
        """
        digests = {name: sha256(content).hexdigest() for name, content in files.items()}
        if digests != manifest.files:
            raise VersionUnusable(f"{manifest.version}: the files do not match the manifest")
        folder = self._folder(manifest.version)
        if self._fs.exists(folder):
            raise VersionExists(f"{manifest.version} exists; versions never change")
        self._fs.makedirs(folder, exist_ok=True)
        for name, content in files.items():
            self._fs.pipe_file(f"{folder}/{name}", content)
        self._replace(f"{folder}/{MANIFEST_FILE}", manifest.model_dump_json(indent=2).encode())

    def versions(self) -> list[str]:
        """List all versions, incomplete ones too, in no particular order."""
        folder = f"{self._root}/versions"
        try:
            paths = self._fs.ls(folder, detail=False)
        except FileNotFoundError:
            return []
        names = [str(path).rstrip("/").rpartition("/")[2] for path in paths]
        return [name for name in names if _NAME.match(name)]

    def manifest(self, version: str) -> ModelManifest:
        """Read the manifest of a version.

        Raises
        ------
        VersionNotFound
            No version has this name.
        VersionUnusable
            The manifest is absent, invalid, or that of another version.
        """
        folder = self._folder(version)
        try:
            manifest = ModelManifest.from_json(self._fs.cat_file(f"{folder}/{MANIFEST_FILE}"))
        except FileNotFoundError as missing:
            if self._fs.exists(folder):
                raise VersionUnusable(f"{version} is incomplete: it has no manifest") from missing
            raise VersionNotFound(f"no model has the version {version}") from missing
        except ManifestInvalid as invalid:
            raise VersionUnusable(f"the manifest of {version} cannot be read: {invalid}") from invalid
        if manifest.version != version:
            raise VersionUnusable(f"the manifest of {version} is that of {manifest.version}")
        return manifest

    def load(self, version: str) -> StoredModel:
        """Read a version and verify each file against its manifest.

        Raises
        ------
        VersionNotFound
            No version has this name.
        VersionUnusable
            A file is absent or was changed.
        """
        manifest = self.manifest(version)
        files = {}
        for name, expected in manifest.files.items():
            try:
                content = self._fs.cat_file(f"{self._folder(version)}/{name}")
            except FileNotFoundError as missing:
                raise VersionUnusable(f"{version} lacks its file {name}") from missing
            if sha256(content).hexdigest() != expected:
                raise VersionUnusable(f"{name} of {version} does not match its manifest")
            files[name] = content
        return StoredModel(manifest, files)

    def alias(self, name: str = CHAMPION) -> Alias:
        """Return the entry of an alias.

        Raises
        ------
        AliasUnset
            It names no version.
        RegistryError
            Its file is invalid.
        """
        path = self._alias_path(name)
        try:
            return Alias.model_validate_json(self._fs.cat_file(path))
        except FileNotFoundError as missing:
            raise AliasUnset(f"no version is {name}") from missing
        except ValidationError as invalid:
            raise RegistryError(f"the alias {name} cannot be read") from invalid

    def assign(self, version: str, name: str = CHAMPION) -> Alias:
        """Let an alias name a version, once that is verified; the history keeps the earlier entries."""
        self.load(version)
        try:
            previous: str | None = self.alias(name).version
        except AliasUnset:
            previous = None
        assigned = Alias(version=version, previous=previous, at=datetime.now(UTC))
        content = assigned.model_dump_json().encode()
        # One file per entry, as object stores cannot append. The record first: a change without one would be worse.
        stamp = assigned.at.strftime("%Y%m%dT%H%M%S%f")
        self._replace(f"{self._root}/history/{stamp}-{name}-{uuid4().hex[:8]}.json", content)
        self._replace(self._alias_path(name), content)
        return assigned

    def roll_back(self, name: str = CHAMPION) -> Alias:
        """Let an alias name the version before; raises `AliasUnset` if there is none."""
        previous = self.alias(name).previous
        if previous is None:
            raise AliasUnset(f"no version was {name} before")
        return self.assign(previous, name)

    def history(self, name: str = CHAMPION) -> list[Alias]:
        """List the entries of an alias, oldest first."""
        try:
            paths = sorted(str(path) for path in self._fs.ls(f"{self._root}/history", detail=False))
        except FileNotFoundError:
            return []
        entry = re.compile(rf"/\d{{8}}T\d{{12}}-{re.escape(name)}-[0-9a-f]{{8}}\.json$")
        return [Alias.model_validate_json(self._fs.cat_file(path)) for path in paths if entry.search(path)]

    def _folder(self, version: str) -> str:
        if not _NAME.match(version):
            raise VersionNotFound(f"no model has the version {version[:80]!r}")
        return f"{self._root}/versions/{version}"

    def _alias_path(self, name: str) -> str:
        assert name in {CHAMPION, CHALLENGER}, name
        return f"{self._root}/aliases/{name}.json"

    def _replace(self, path: str, content: bytes) -> None:
        """Write a temporary file, then rename it: a reader sees the old content or the new, never a part."""
        temporary = f"{path}.{uuid4().hex}.part"
        self._fs.makedirs(path.rpartition("/")[0], exist_ok=True)
        self._fs.pipe_file(temporary, content)
        self._fs.mv(temporary, path)
