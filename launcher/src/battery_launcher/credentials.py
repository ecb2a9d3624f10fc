"""Secrets of one installation: drawn once, kept in files that only their owner may read."""

import hashlib
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from battery_launcher.data_folder import DataFolder, write_private


@dataclass(frozen=True, slots=True)
class Credentials:
    """The secrets; ``admin_password_is_new`` is true on the launch that drew the password."""

    jwt_secret: str
    service_token: str
    simulator_api_key: str
    database_password: str
    admin_password: str
    admin_password_is_new: bool
    admin_password_file: Path | None

    @property
    def fingerprint(self) -> str:
        """Tells whether the accounts were made from these secrets, without giving them away."""
        return hashlib.sha256(f"{self.admin_password}\n{self.simulator_api_key}".encode()).hexdigest()[:16]


def ensure_credentials(folder: DataFolder, environment: Mapping[str, str]) -> Credentials:
    """Read the secrets, drawing the missing ones; those of the environment win."""
    file = folder.root / "admin-password"
    given = environment.get("BATTERY_ADMIN_PASSWORD")
    is_new = given is None and not file.exists()
    return Credentials(
        jwt_secret=environment.get("JWT_SECRET_KEY") or _kept(folder.root / "jwt-secret"),
        service_token=environment.get("SERVICE_TOKEN") or _kept(folder.root / "service-token"),
        simulator_api_key=environment.get("SIMULATOR_API_KEY") or _kept(folder.root / "simulator-api-key"),
        database_password=_kept(folder.root / "database-password"),
        admin_password=given or _kept(file, byte_count=12),
        admin_password_is_new=is_new,
        admin_password_file=None if given else file,
    )


def _kept(path: Path, *, byte_count: int = 36) -> str:
    if path.exists():
        kept = path.read_text().strip()
        if kept:
            path.chmod(0o600)
            return kept
    drawn = secrets.token_urlsafe(byte_count)
    write_private(path, drawn + "\n")
    return drawn
