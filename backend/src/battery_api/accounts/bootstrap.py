"""First run: the administrator and the simulator's key, never with a default secret.

``bootstrap(connection, settings) -> Bootstrapped`` runs in the caller's transaction and may run at every start: what is
there stays as it is. The administrator ``admin`` is created while there is no user at all, with
``BATTERY_ADMIN_PASSWORD`` or a random password that is returned once and stored only as a hash. A given
``SIMULATOR_API_KEY`` becomes the key named ``simulator`` with the scope ``telemetry:write``.
"""

from dataclasses import dataclass, field
from typing import Final

from pydantic import SecretStr
from sqlalchemy import func, select, text, update
from sqlalchemy.ext.asyncio import AsyncConnection

from battery_api.accounts import repository
from battery_api.accounts.audit import record_audit
from battery_api.accounts.errors import WeakPassword
from battery_api.accounts.passwords import check_strength, hash_password
from battery_api.accounts.principal import Scope
from battery_api.accounts.tokens import new_secret, secret_hash
from battery_api.db.tables.access import ApiKey, User
from battery_api.settings import GatewaySettings
from battery_servicekit.settings import Environment

ADMIN: Final = "admin"
SIMULATOR_KEY: Final = "simulator"
_ACTOR: Final = "bootstrap"
_LOCK: Final = 7_204_861_954  # any fixed number: what two replicas that start at once queue on


@dataclass(frozen=True, slots=True)
class Bootstrapped:
    """What was created; ``generated_password`` is set once, when nobody chose one.

    ``password_advice`` says why a chosen password is weak; in production such a password is refused.
    """

    admin_created: bool
    generated_password: str | None = field(default=None, repr=False)
    password_advice: str | None = None


async def bootstrap(connection: AsyncConnection, settings: GatewaySettings) -> Bootstrapped:
    """Create the administrator and the simulator's key where they are missing; running it again changes nothing.

    Raises
    ------
    WeakPassword
        In production, when ``BATTERY_ADMIN_PASSWORD`` breaks the rule for passwords.
    """
    await connection.execute(text("select pg_advisory_xact_lock(:key)"), {"key": _LOCK})
    await _ensure_simulator_key(connection, _given(settings.simulator_api_key))
    if await connection.scalar(select(func.count()).select_from(User)):
        return Bootstrapped(admin_created=False)
    chosen = _given(settings.battery_admin_password)
    advice = _advice(chosen, settings) if chosen else None
    password = chosen or new_secret()[:20]
    values = {"username": ADMIN, "role": "admin", "password_hash": await hash_password(password)}
    await repository.add_user(connection, values)
    await record_audit(connection, actor=_ACTOR, action="user.create", target=ADMIN, data={"role": "admin"})
    return Bootstrapped(admin_created=True, generated_password=None if chosen else password, password_advice=advice)


def _given(secret: SecretStr | None) -> str | None:
    # A compose file passes a variable that nobody set as an empty one.
    return (secret.get_secret_value() or None) if secret else None


def _advice(chosen: str, settings: GatewaySettings) -> str | None:
    try:
        check_strength(chosen, username=ADMIN)
    except WeakPassword as error:
        if settings.environment is Environment.PRODUCTION:
            raise
        return error.detail
    return None


async def _ensure_simulator_key(connection: AsyncConnection, secret: str | None) -> None:
    if secret is None:
        return
    digest = secret_hash(secret)
    present = await connection.scalar(select(ApiKey.key_hash).where(ApiKey.name == SIMULATOR_KEY))
    if present == digest:
        # Also when an administrator revoked it: the same secret does not come back by a restart.
        return
    values = {
        "prefix": SIMULATOR_KEY,
        "key_hash": digest,
        "scopes": [Scope.TELEMETRY_WRITE.value],
        "location_ids": None,
        "expires_at": None,
        "revoked_at": None,
    }
    if present is None:
        await repository.add_key(connection, {"name": SIMULATOR_KEY, **values})
    else:
        await connection.execute(update(ApiKey).where(ApiKey.name == SIMULATOR_KEY).values(**values))
    await record_audit(connection, actor=_ACTOR, action="api_key.set", target=SIMULATOR_KEY)
