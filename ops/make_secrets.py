"""Make the secrets of the compose file in ``secrets/``: random passwords, and the addresses composed of them.

Run ``python3 ops/make_secrets.py`` once before the first ``docker compose up``; it needs only the standard library. A
secret that exists is kept, so running it again adds what a newer version asks for and changes nothing else.
"""

import argparse
import os
import secrets
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType

FOLDER = Path(__file__).resolve().parent.parent / "secrets"

# Random, of so many bytes; 36 bytes are 48 characters of base64, which need no quoting in a URL.
RANDOM: Mapping[str, int] = MappingProxyType(
    {
        "admin_password": 15,
        "database_owner_password": 36,
        "database_runtime_password": 36,
        "database_superuser_password": 36,
        "grafana_admin_password": 15,
        "jwt_secret_key": 48,
        "metrics_token": 36,
        "redis_password": 36,
        "service_token": 36,
        "simulator_api_key": 36,
    }
)

# Addresses hold a password, which makes them secrets too. The hosts are services of docker-compose.yml.
COMPOSED: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "database_owner_url": (
            "postgresql://battery_owner:{}@database:5432/battery",
            "database_owner_password",
        ),
        "database_url": (
            "postgresql://battery_runtime:{}@database:5432/battery",
            "database_runtime_password",
        ),
        "redis_url": ("redis://:{}@valkey:6379/0", "redis_password"),
    }
)

NAMES = tuple(sorted((*RANDOM, *COMPOSED)))


class SecretsRefused(Exception):
    """The folder cannot be used; the message says why and what to do."""


def make_secrets(folder: Path, token: Callable[[int], str] = secrets.token_urlsafe) -> list[str]:
    """Write the secrets that are missing below ``folder`` and return their names.

    Raises
    ------
    SecretsRefused
        A file is empty, or an address does not hold the password that it is composed of.
    """
    # The folder is closed to other users of this machine; the files in it are not, because compose mounts each one by
    # itself and the user of a container (10001, or that of the image) must be able to read it.
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    folder.chmod(0o700)
    made = [name for name, size in RANDOM.items() if _write_missing(folder / name, lambda size=size: token(size))]
    for name, (address, password_name) in COMPOSED.items():
        value = address.format((folder / password_name).read_text().strip())
        if _write_missing(folder / name, lambda value=value: value):
            made.append(name)
        elif password_name in made:
            raise SecretsRefused(
                f"{folder / name} is older than {password_name}, which was missing and has been made anew: the address "
                f"holds another password. Put the old password back into {folder / password_name}, or, if it is lost, "
                f"remove {folder / name} and set the new password in the database."
            )
    return sorted(made)


def _write_missing(path: Path, value: Callable[[], str]) -> bool:
    if path.exists():
        if not path.read_text().strip():
            raise SecretsRefused(f"{path} is empty. Remove it to have it made, or write the secret into it.")
        return False
    # Complete or absent: a file is never left half written. No newline: some images take the file as it is.
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    draft.write_text(value())
    draft.chmod(0o644)
    draft.replace(path)
    return True


def main(arguments: list[str] | None = None) -> int:
    """Run the command; print what was made, never a value."""
    parser = argparse.ArgumentParser(description="Make the secrets that docker-compose.yml mounts.")
    parser.add_argument("--folder", type=Path, default=FOLDER, help="where to write them (default: %(default)s)")
    folder: Path = parser.parse_args(arguments).folder
    try:
        made = make_secrets(folder)
    except (SecretsRefused, OSError) as error:
        sys.stderr.write(f"{error}\n")
        return 1
    for name in made:
        sys.stdout.write(f"made {folder / name}\n")
    kept = len(NAMES) - len(made)
    sys.stdout.write(f"{len(made)} secrets made, {kept} kept.\n")
    if "admin_password" in made:
        sys.stdout.write(f"The first administrator is `admin`; the password is in {folder / 'admin_password'}.\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
