"""First run: the administrator and the simulator's key, never with a default secret."""

from dataclasses import dataclass

from sqlalchemy import func, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from battery_api.accounts import repository
from battery_api.accounts.administration import key_values
from battery_api.accounts.audit import record_audit
from battery_api.accounts.passwords import hash_password
from battery_api.accounts.principal import Scope
from battery_api.accounts.tokens import new_secret, secret_hash
from battery_api.db.tables.access import ApiKey, User
from battery_api.settings import GatewaySettings

ADMIN = "admin"
SIMULATOR_KEY = "simulator"


@dataclass(frozen=True, slots=True)
class Bootstrapped:
    """What was created; ``generated_password`` is set once, when nobody chose one."""

    admin_created: bool
    generated_password: str | None


async def bootstrap(connection: AsyncConnection, settings: GatewaySettings) -> Bootstrapped:
    """Create the administrator and the simulator's key where they are missing; running it again changes nothing."""
    await _ensure_simulator_key(connection, settings)
    if await connection.scalar(select(func.count()).select_from(User)):
        return Bootstrapped(admin_created=False, generated_password=None)
    chosen = settings.battery_admin_password.get_secret_value() if settings.battery_admin_password else None
    password = chosen or new_secret()[:20]
    values = {"username": ADMIN, "role": "admin", "password_hash": await hash_password(password)}
    await repository.add_user(connection, values)
    await record_audit(connection, actor="bootstrap", action="user.create", target=ADMIN)
    return Bootstrapped(admin_created=True, generated_password=None if chosen else password)


async def _ensure_simulator_key(connection: AsyncConnection, settings: GatewaySettings) -> None:
    if settings.simulator_api_key is None:
        return
    secret = settings.simulator_api_key.get_secret_value()
    present = await connection.scalar(select(ApiKey.key_hash).where(ApiKey.name == SIMULATOR_KEY))
    if present == secret_hash(secret):
        return
    values = key_values(SIMULATOR_KEY, secret, [Scope.TELEMETRY_WRITE.value])
    if present is None:
        await repository.add_key(connection, values)
    else:
        await connection.execute(update(ApiKey).where(ApiKey.name == SIMULATOR_KEY).values(**values))
    await record_audit(connection, actor="bootstrap", action="api_key.set", target=SIMULATOR_KEY)
