"""First run: the administrator and the simulator's key, never with a default secret.

``bootstrap(connection, settings) -> Bootstrapped`` runs in the caller's transaction. It may run at every start: what
exists is not changed. The administrator ``admin`` is created if there is no user at all, with
``BATTERY_ADMIN_PASSWORD`` or a random password. ``SIMULATOR_API_KEY`` becomes the key named ``simulator`` with the
scope ``telemetry:write``; if it is not set, a random one is made with the administrator. What was drawn is returned
once and stored only as a hash.
"""

import json
from dataclasses import dataclass, field
from typing import Final

from pydantic import SecretStr
from sqlalchemy.ext.asyncio import AsyncConnection

from battery_api.accounts import key_repository, repository
from battery_api.accounts.audit import record_audit
from battery_api.accounts.errors import WeakPassword
from battery_api.accounts.passwords import check_strength, hash_password
from battery_api.accounts.principal import Scope
from battery_api.accounts.tokens import new_secret, secret_hash
from battery_api.settings import GatewaySettings

ADMIN: Final = "admin"
SIMULATOR_KEY: Final = "simulator"
_ACTOR: Final = "bootstrap"
_LOCK: Final = 7_204_861_954  # any fixed number: replicas that start at the same time queue on it


@dataclass(frozen=True, slots=True)
class Bootstrapped:
    """What was created; secrets are there only if they were drawn, and never again."""

    admin_created: bool
    simulator_key_replaced: bool = False
    generated_password: str | None = field(default=None, repr=False)
    generated_simulator_key: str | None = field(default=None, repr=False)

    def as_json(self) -> str:
        """Return it for programs."""
        return json.dumps(
            {
                "admin_created": self.admin_created,
                "password": self.generated_password,
                "simulator_api_key": self.generated_simulator_key,
                "simulator_key_replaced": self.simulator_key_replaced,
            }
        )

    def as_text(self) -> str:
        """Return it for people."""
        if not self.admin_created:
            changed = (
                "the simulator's key is now SIMULATOR_API_KEY" if self.simulator_key_replaced else "nothing changed"
            )
            return f"There are users already; {changed}."
        lines = [f"The administrator {ADMIN} was created."]
        if self.generated_password is not None:
            lines.append(
                f"Password: {self.generated_password}    It is shown only now; change it after the first login."
            )
        if self.generated_simulator_key is not None:
            lines.append(
                f"SIMULATOR_API_KEY={self.generated_simulator_key}    It is shown only now; the simulator needs it."
            )
        return "\n".join(lines)


async def bootstrap(connection: AsyncConnection, settings: GatewaySettings) -> Bootstrapped:
    """Create the administrator and the simulator's key where they are missing; running it again changes nothing.

    Raises
    ------
    WeakPassword
        ``BATTERY_ADMIN_PASSWORD`` is easy to guess, whether or not the administrator exists already.
    """
    chosen = _non_empty(settings.battery_admin_password)
    if chosen:
        await _require_strength(chosen)
    await repository.lock_bootstrap(connection, _LOCK)
    is_first = not await repository.has_users(connection)
    given_key = _non_empty(settings.simulator_api_key)
    has_key = given_key is not None or await key_repository.find_key_hash(connection, SIMULATOR_KEY) is not None
    drawn_key = new_secret() if is_first and not has_key else None
    is_replaced = await _ensure_simulator_key(connection, given_key or drawn_key)
    if not is_first:
        return Bootstrapped(admin_created=False, simulator_key_replaced=is_replaced)
    password = chosen or new_secret()[:20]
    values = {"username": ADMIN, "role": "admin", "password_hash": await hash_password(password)}
    await repository.add_user(connection, values)
    await record_audit(connection, actor=_ACTOR, action="user.create", target=ADMIN, data={"role": "admin"})
    return Bootstrapped(
        admin_created=True, generated_password=None if chosen else password, generated_simulator_key=drawn_key
    )


def _non_empty(secret: SecretStr | None) -> str | None:
    # A compose file passes a variable that nobody set as an empty one.
    return (secret.get_secret_value() or None) if secret else None


async def _require_strength(chosen: str) -> None:
    try:
        await check_strength(chosen, username=ADMIN)
    except WeakPassword as error:
        raise WeakPassword(f"BATTERY_ADMIN_PASSWORD: {error.detail} Unset, a random one is generated.") from error


async def _ensure_simulator_key(connection: AsyncConnection, secret: str | None) -> bool:
    """Return whether the secret is another one than before."""
    if secret is None:
        return False
    digest = secret_hash(secret)
    stored = await key_repository.find_key_hash(connection, SIMULATOR_KEY)
    if stored == digest:
        # Also if an administrator revoked it: a restart does not bring the same secret back.
        return False
    values = {
        "prefix": SIMULATOR_KEY,
        "key_hash": digest,
        "scopes": [Scope.TELEMETRY_WRITE.value],
        "location_ids": None,
        "expires_at": None,
        "revoked_at": None,
    }
    if stored is None:
        await key_repository.add_key(connection, {"name": SIMULATOR_KEY, **values})
    else:
        await key_repository.change_key(connection, SIMULATOR_KEY, values)
    await record_audit(connection, actor=_ACTOR, action="api_key.set", target=SIMULATOR_KEY)
    return stored is not None
