"""Settings of the launcher, from the environment and from ``.env``."""

import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from battery_launcher.errors import LaunchFailed
from battery_servicekit.disk import MIB, DiskWatch
from battery_servicekit.secret_files import SecretFileError, read_secret

DEFAULT_PORT = 8000
DEFAULT_HISTORY_DAYS = 90
SECRETS = (
    "BATTERY_ADMIN_PASSWORD",
    "DATABASE_OWNER_URL",
    "DATABASE_URL",
    "JWT_SECRET_KEY",
    "METRICS_TOKEN",
    "REDIS_URL",
    "SERVICE_TOKEN",
    "SIMULATOR_API_KEY",
)
"""Settings that a file may hold instead: NAME_FILE is its path."""


@dataclass(frozen=True, slots=True)
class LauncherSettings:
    """Settings of one launch; ``environment`` is what the services inherit."""

    data_dir: Path
    commands_dir: Path
    host: str
    port: int | None
    database_url: str | None
    history_days: int
    seed: int | None
    frontend_dist: Path | None
    environment: Mapping[str, str]
    disk_full_below_mb: int = 128
    disk_low_below_mb: int = 2048

    def disk_watch(self) -> DiskWatch:
        """Return what follows the free space of the data folder."""
        return DiskWatch(
            self.data_dir, full_below_bytes=self.disk_full_below_mb * MIB, low_below_bytes=self.disk_low_below_mb * MIB
        )

    @classmethod
    def from_environment(
        cls, environment: Mapping[str, str] | None = None, root: Path | None = None
    ) -> "LauncherSettings":
        """Read the settings; variables of the process override lines of ``.env``."""
        root = (root or Path.cwd()).resolve()
        values = {**read_env_file(root / ".env"), **(os.environ if environment is None else environment)}
        values = _with_secrets({name: value for name, value in values.items() if value != ""}, root)
        history_days = _number(values, "BATTERY_HISTORY_DAYS", lowest=0, highest=3650)
        full_mb = _number(values, "DISK_FULL_BELOW_MB", lowest=0, highest=2**20)
        low_mb = _number(values, "DISK_LOW_BELOW_MB", lowest=0, highest=2**20)
        dist = (root / values.get("FRONTEND_DIST", "frontend/dist")).resolve()
        return cls(
            data_dir=(root / values.get("DATA_DIR", ".data")).resolve(),
            commands_dir=Path(values.get("BATTERY_COMMANDS_DIR", Path(sys.executable).parent)),
            host=values.get("HOST", "127.0.0.1"),
            port=_number(values, "PORT", lowest=1, highest=65535),
            database_url=values.get("DATABASE_URL"),
            history_days=DEFAULT_HISTORY_DAYS if history_days is None else history_days,
            seed=_number(values, "BATTERY_SEED", lowest=0, highest=2**63 - 1),
            frontend_dist=dist if (dist / "index.html").is_file() else None,
            environment=values,
            **{} if full_mb is None else {"disk_full_below_mb": full_mb},
            **{} if low_mb is None else {"disk_low_below_mb": low_mb},
        )


def read_env_file(path: Path) -> dict[str, str]:
    """Return the ``NAME=value`` lines of a file; none when the file is missing."""
    if not path.is_file():
        return {}
    lines = (line.strip().removeprefix("export ") for line in path.read_text().splitlines())
    pairs = (line.partition("=") for line in lines if line and not line.startswith("#") and "=" in line)
    return {name.strip(): value.strip().strip("\"'") for name, _, value in pairs}


def _with_secrets(values: Mapping[str, str], root: Path) -> dict[str, str]:
    """Read the secrets that files hold (``NAME_FILE``), so that every program gets them in the same way."""
    read = {}
    for name in SECRETS:
        variable = f"{name}_FILE"
        if variable not in values:
            continue
        if name in values:
            raise LaunchFailed(f"{name} and {variable} are both set; keep one of them.")
        try:
            read[name] = read_secret(variable, root / values[variable])
        except SecretFileError as error:
            raise LaunchFailed(f"{error}.") from error
    files = {f"{name}_FILE" for name in read}
    return {name: value for name, value in {**values, **read}.items() if name not in files}


def _number(values: Mapping[str, str], name: str, *, lowest: int, highest: int) -> int | None:
    raw = values.get(name)
    if raw is None:
        return None
    try:
        number = int(raw)
    except ValueError:
        raise LaunchFailed(f"{name} must be a whole number, not {raw!r}.") from None
    if not lowest <= number <= highest:
        raise LaunchFailed(f"{name} must be between {lowest} and {highest}, not {number}.")
    return number
