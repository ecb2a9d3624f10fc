"""Secrets of one installation: generated once, kept in files that only their owner may read."""

import hashlib
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from battery_launcher.data_folder import DataFolder, write_private
from battery_launcher.database_roles import DatabasePasswords


@dataclass(frozen=True, slots=True)
class Credentials:
    """The secrets; ``admin_password_is_new`` is true on the launch that generated the password."""

    jwt_secret: str
    service_token: str
    simulator_api_key: str
    database_passwords: DatabasePasswords
    admin_password: str
    admin_password_is_new: bool
    admin_password_file: Path | None

    @property
    def fingerprint(self) -> str:
        """Hash that changes with the secrets of the accounts and does not reveal them."""
        return hashlib.sha256(f"{self.admin_password}\n{self.simulator_api_key}".encode()).hexdigest()[:16]


def ensure_credentials(folder: DataFolder, environment: Mapping[str, str]) -> Credentials:
    """Read the secrets and generate the missing ones; those of the environment take precedence."""
    file = folder.root / "admin-password"
    configured = environment.get("BATTERY_ADMIN_PASSWORD")
    is_new = configured is None and not file.exists()
    return Credentials(
        jwt_secret=environment.get("JWT_SECRET_KEY") or _stored_secret(folder.root / "jwt-secret"),
        service_token=environment.get("SERVICE_TOKEN") or _stored_secret(folder.root / "service-token"),
        simulator_api_key=environment.get("SIMULATOR_API_KEY") or _stored_secret(folder.root / "simulator-api-key"),
        database_passwords=DatabasePasswords(
            superuser=_stored_secret(folder.root / "database-password"),
            owner=_stored_secret(folder.root / "database-owner-password"),
            runtime=_stored_secret(folder.root / "database-runtime-password"),
        ),
        admin_password=configured or _stored_secret(file, byte_count=12),
        admin_password_is_new=is_new,
        admin_password_file=None if configured else file,
    )


def _stored_secret(path: Path, *, byte_count: int = 36) -> str:
    if path.exists():
        stored = path.read_text().strip()
        if stored:
            path.chmod(0o600)
            return stored
    generated = secrets.token_urlsafe(byte_count)
    write_private(path, generated + "\n")
    return generated
