"""Two copies of one small world: in the second there is also a location that the callers may not see."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

from battery_api.accounts.bootstrap import bootstrap
from battery_api.accounts.principal import Scope
from battery_api.db.session import Database
from battery_api.db.timescale import create_partitions
from battery_contracts.enums import Role
from battery_servicekit.clock import Clock
from battery_servicekit.testing.postgres import new_database
from tests.accounts.world import ADMIN_PASSWORD, CHEAP, World, bearer, opened_world, settings
from tests.alerts.world import reading
from tests.support.fleet import NOW, battery_codes
from tests.support.times import iso

OWN: Final = "DC-CNX-01"
FOREIGN: Final = "DC-BKK-01"
PER_STRING: Final = 3
EXAMPLE_PASSWORD: Final = "seven quiet ponds at noon"
"""Password of the examples of the description."""
_PASSWORD_HASH: Final = CHEAP.hash(EXAMPLE_PASSWORD)
RULE: Final = "temperature_high.high"
_RUN: Final = 1
"""A run of the whole fleet, the same in both worlds."""
_ADD_RUN: Final = (
    "insert into prediction_run (id, trigger, as_of, started_at, finished_at, state, done) "
    "values ($1, 'schedule', $2, $2, $2, 'succeeded', 0) on conflict do nothing"
)
_UP_TO_HERE: Final = 1_000_000
"""Where the numbers of new rows begin in both worlds, so that they show nothing of what there was before."""
_RESTART: Final = f"select setval(format('%I.%I', schemaname, sequencename)::regclass, {_UP_TO_HERE}) from pg_sequences"


@dataclass
class Callers:
    """Headers of each caller, and the ids of a location's subjects."""

    own: dict[str, dict[str, str]] = field(default_factory=dict)
    """Callers who see the own location alone: users by role, keys by scope."""
    everywhere: dict[str, dict[str, str]] = field(default_factory=dict)
    """Callers who see every location."""
    ids: dict[str, dict[str, Any]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _Admin:
    """The administrator who makes a world."""

    world: World
    headers: dict[str, str]
    now: datetime

    async def ask(self, method: str, path: str, body: Any) -> dict[str, Any]:
        answer = await self.world.client.request(method, path, json=body, headers=self.headers)
        assert answer.is_success, answer.text
        made: dict[str, Any] = answer.json()
        return made


async def _populate(admin: _Admin, location: str) -> dict[str, Any]:
    """Give a location readings, alerts, an override, a user and a key; return their ids."""
    codes = [code for code in battery_codes(PER_STRING) if location in code]
    hot, others = codes[0], codes[1:]
    rows = [reading(hot, admin.now, temperature_c=70.0), *(reading(code, admin.now) for code in others)]
    string = hot.removeprefix("BAT-")[:-4]
    batch = {
        "readings": rows,
        "string_readings": [{"string_id": string, "time": iso(admin.now), "current_a": 0.1}],
        "site_readings": [{"location_id": location, "time": iso(admin.now), "ambient_c": 24.0, "mains": True}],
    }
    await admin.ask("POST", "telemetry", batch)
    override = {"scope": "string", "scope_id": string, "raise_value": 44.0, "clear_value": 42.0}
    made = await admin.ask("PUT", f"alert-rules/{RULE}/overrides", override)
    user = {"username": f"guest-{location.lower()}", "password": EXAMPLE_PASSWORD, "role": "viewer"}
    user_id = (await admin.ask("POST", "auth/users", user | {"location_ids": [location]}))["user_id"]
    key: dict[str, Any] = {
        "name": f"edge-{location.lower()}",
        "scopes": ["telemetry:write"],
        "location_ids": [location],
    }
    key_id = (await admin.ask("POST", "auth/api-keys", key))["key_id"]
    # To come, so that it hides nothing of what the other tests look at.
    silence = {
        "scope": "string",
        "scope_id": string,
        "starts_at": iso(admin.now + timedelta(hours=1)),
        "ends_at": iso(admin.now + timedelta(hours=9)),
        "reason": "Replacement of a block.",
        "covers_safety": True,
    }
    silence_id = (await admin.ask("POST", "silences", silence))["silence_id"]
    window = {name: value for name, value in silence.items() if name != "covers_safety"} | {"kind": "maintenance"}
    window_id = (await admin.ask("POST", "maintenance-windows", window))["window_id"]
    await admin.world.rows(_ADD_RUN, _RUN, admin.now)
    (alert,) = await admin.world.rows("select id, incident_id from alert where subject = $1", hot)
    return {
        "location_id": location,
        "system_id": f"{location}-UPS-01",
        "string_id": string,
        "battery_id": hot,
        "alert_id": alert["id"],
        "incident_id": alert["incident_id"],
        "silence_id": silence_id,
        "window_id": window_id,
        "rule_id": RULE,
        "override_id": made["override_id"],
        "user_id": user_id,
        "key_id": key_id,
        "run_id": _RUN,
        "version": "v1",
        "job": "j1",
        "owner_id": await admin.world.user_id("admin"),
    }


async def _introduce(admin: _Admin, callers: Callers) -> None:
    for name, codes, group in (("own", [OWN], callers.own), ("all", None, callers.everywhere)):
        for role in Role:
            username = f"{name}-{role.value}"
            body: dict[str, Any] = {"username": username, "password": EXAMPLE_PASSWORD, "role": role.value}
            await admin.ask("POST", "auth/users", body | {"location_ids": codes})
            await admin.world.rows('update "user" set password_hash = $1 where username = $2', _PASSWORD_HASH, username)
            group[role.value] = bearer(await admin.world.session(username, EXAMPLE_PASSWORD))
        for scope in Scope:
            body = {"name": f"{name}-{scope.value}", "scopes": [scope.value], "location_ids": codes}
            group[scope.value] = {"X-API-Key": (await admin.ask("POST", "auth/api-keys", body))["key"]}


@asynccontextmanager
async def populated(
    postgres_url: str, template: str, *, foreign: bool, clock: Clock | None = None, **changed: Any
) -> AsyncIterator[tuple[World, Callers]]:
    """Run the gateway on a world of its own, at the time of a clock or, without one, at the fleet's."""
    now = NOW if clock is None else clock.now()
    async with new_database(postgres_url, template=template) as url:
        database = Database.from_settings(settings(url, database_pooling=False))
        async with database.begin() as connection:
            await bootstrap(connection, settings(url, battery_admin_password=ADMIN_PASSWORD))
            await connection.exec_driver_sql("truncate api_key restart identity cascade")
            if not foreign:
                await _remove(connection, FOREIGN)
            await create_partitions(connection, start=now, end=now)
        await database.close()
        async with opened_world(url, clock=clock, **changed) as world:
            admin, callers = _Admin(world, await world.headers("admin"), now), Callers()
            callers.ids[OWN] = await _populate(admin, OWN)
            await _introduce(admin, callers)
            if foreign:
                callers.ids[FOREIGN] = await _populate(admin, FOREIGN)
            await world.rows(_RESTART)
            yield world, callers


async def _remove(connection: Any, location: str) -> None:
    below = f"(select id from location where code = '{location}')"
    for kind in ("battery", "string"):
        await connection.exec_driver_sql(
            f"delete from {kind}_state where {kind}_id in (select id from {kind} where location_id = {below})"
        )
        await connection.exec_driver_sql(f"delete from {kind} where location_id = {below}")
    await connection.exec_driver_sql(f"delete from battery_system where location_id = {below}")
    await connection.exec_driver_sql(f"delete from location_state where location_id = {below}")
    await connection.exec_driver_sql(f"delete from location where code = '{location}'")


def without_chance(value: Any) -> Any:
    """Return an answer without what differs from request to request."""
    if isinstance(value, Mapping):
        return {name: without_chance(item) for name, item in value.items() if name not in _CHANCE}
    if isinstance(value, list):
        return [without_chance(item) for item in value]
    return value


_CHANCE: Final = frozenset({"request_id", "access_token", "refresh_token", "key", "prefix", "recorded_at", "disk"})
