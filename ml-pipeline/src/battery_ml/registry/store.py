"""Versions and aliases in a folder or an object store, by an fsspec address."""

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
from battery_ml.registry.manifest import VERSION_PATTERN, Manifest, ManifestInvalid

CHAMPION: Final = "champion"
CHALLENGER: Final = "challenger"
_MANIFEST: Final = "manifest.json"
_NAME: Final = re.compile(VERSION_PATTERN)


class Alias(BaseModel):
    """Which version an alias names, since when, and which one it named before."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    version: str
    previous: str | None
    at: AwareDatetime


@dataclass(frozen=True, slots=True)
class StoredModel:
    """A version whose files are those of its manifest."""

    manifest: Manifest
    files: Mapping[str, bytes]


class Registry:
    """Read and write models below one address, for example a folder or ``s3://bucket/models``."""

    def __init__(self, address: str, **options: Any) -> None:
        self._fs, root = fsspec.core.url_to_fs(address, use_listings_cache=False, **options)
        self._root = root.rstrip("/")

    def publish(self, manifest: Manifest, files: Mapping[str, bytes]) -> None:
        """Store a version for good; the manifest comes last, so that what lacks it is known to be half written.

        Raises
        ------
        VersionExists
            Versions never change.
        """
        given = {name: sha256(content).hexdigest() for name, content in files.items()}
        if given != manifest.files:
            raise VersionUnusable(f"{manifest.version}: the manifest does not name the files that were given")
        folder = self._folder(manifest.version)
        if self._fs.exists(folder):
            raise VersionExists(f"{manifest.version} exists; versions never change")
        self._fs.makedirs(folder, exist_ok=True)
        for name, content in files.items():
            self._fs.pipe_file(f"{folder}/{name}", content)
        self._replace(f"{folder}/{_MANIFEST}", manifest.model_dump_json(indent=2).encode())

    def versions(self) -> list[str]:
        """List all versions, half-written ones too, in no special order."""
        folder = f"{self._root}/versions"
        try:
            found = self._fs.ls(folder, detail=False)
        except FileNotFoundError:
            return []
        names = [str(path).rstrip("/").rpartition("/")[2] for path in found]
        return [name for name in names if _NAME.match(name)]

    def manifest(self, version: str) -> Manifest:
        """Read what is known of a version.

        Raises
        ------
        VersionNotFound, VersionUnusable
        """
        folder = self._folder(version)
        try:
            manifest = Manifest.from_json(self._fs.cat_file(f"{folder}/{_MANIFEST}"))
        except FileNotFoundError as missing:
            if self._fs.exists(folder):
                raise VersionUnusable(f"{version} is half written: it has no manifest") from missing
            raise VersionNotFound(f"no model has the version {version}") from missing
        except ManifestInvalid as invalid:
            raise VersionUnusable(f"the manifest of {version} cannot be read: {invalid}") from invalid
        if manifest.version != version:
            raise VersionUnusable(f"the manifest in the folder of {version} is that of {manifest.version}")
        return manifest

    def load(self, version: str) -> StoredModel:
        """Read a version whole and check each file against its manifest."""
        manifest = self.manifest(version)
        files = {}
        for name, expected in manifest.files.items():
            try:
                content = self._fs.cat_file(f"{self._folder(version)}/{name}")
            except FileNotFoundError as missing:
                raise VersionUnusable(f"{version} lacks its file {name}") from missing
            if sha256(content).hexdigest() != expected:
                raise VersionUnusable(f"{name} of {version} is not the file that its manifest describes")
            files[name] = content
        return StoredModel(manifest, files)

    def alias(self, name: str = CHAMPION) -> Alias:
        """Return what an alias names; raises `AliasUnset` when it names nothing."""
        path = self._alias_path(name)
        try:
            return Alias.model_validate_json(self._fs.cat_file(path))
        except FileNotFoundError as missing:
            raise AliasUnset(f"no version is {name}") from missing
        except ValidationError as invalid:
            raise RegistryError(f"the alias {name} cannot be read") from invalid

    def assign(self, version: str, name: str = CHAMPION) -> Alias:
        """Let an alias name a version that is whole; what it named stays in the history."""
        self.load(version)
        try:
            previous: str | None = self.alias(name).version
        except AliasUnset:
            previous = None
        assigned = Alias(version=version, previous=previous, at=datetime.now(UTC))
        content = assigned.model_dump_json().encode()
        # A file an entry, as object stores cannot append. First the record: a change without one would be worse.
        stamp = assigned.at.strftime("%Y%m%dT%H%M%S%f")
        self._replace(f"{self._root}/history/{stamp}-{name}-{uuid4().hex[:8]}.json", content)
        self._replace(self._alias_path(name), content)
        return assigned

    def roll_back(self, name: str = CHAMPION) -> Alias:
        """Let an alias name again what it named before."""
        previous = self.alias(name).previous
        if previous is None:
            raise AliasUnset(f"no version was {name} before")
        return self.assign(previous, name)

    def history(self, name: str = CHAMPION) -> list[Alias]:
        """List what an alias has named, oldest first."""
        try:
            found = sorted(str(path) for path in self._fs.ls(f"{self._root}/history", detail=False))
        except FileNotFoundError:
            return []
        entry = re.compile(rf"/\d{{8}}T\d{{12}}-{re.escape(name)}-[0-9a-f]{{8}}\.json$")
        return [Alias.model_validate_json(self._fs.cat_file(path)) for path in found if entry.search(path)]

    def _folder(self, version: str) -> str:
        if not _NAME.match(version):
            raise VersionNotFound(f"no model has the version {version[:80]!r}")
        return f"{self._root}/versions/{version}"

    def _alias_path(self, name: str) -> str:
        assert name in {CHAMPION, CHALLENGER}, name
        return f"{self._root}/aliases/{name}.json"

    def _replace(self, path: str, content: bytes) -> None:
        """Write aside, then rename: a reader sees the old file or the new one, never half of one."""
        aside = f"{path}.{uuid4().hex}.part"
        self._fs.makedirs(path.rpartition("/")[0], exist_ok=True)
        self._fs.pipe_file(aside, content)
        self._fs.mv(aside, path)
