"""The whole gateway with an administrator and three more users, for the tests of accounts."""

import base64
import hashlib
import hmac
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import httpx
from fastapi import FastAPI
from passlib.hash import argon2

from battery_api.accounts.bootstrap import bootstrap
from battery_api.app.main import create_app
from battery_api.app.parts import PartOverrides
from battery_api.db.session import Database
from battery_api.settings import GatewaySettings
from battery_servicekit.clock import Clock, FixedClock
from battery_servicekit.testing.asgi import asgi_client

NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
SECRET = "a signing secret that only this suite knows"
TOKEN = "a token between services that only this suite knows"
ADMIN_PASSWORD = "correct horse battery"
PASSWORD = "staple under the lamp"
LOCATIONS = ("DC-BKK-01", "DC-CNX-01")
# Cheap parameters: what is tested here is not the cost of the hash.
CHEAP = argon2.using(rounds=1, memory_cost=64, parallelism=1)
PASSWORD_HASH = CHEAP.hash(PASSWORD)
USERS = {"malee": "viewer", "somchai": "engineer", "nok": "admin"}


@dataclass
class World:
    """The gateway and its clock."""

    app: FastAPI
    client: httpx.AsyncClient
    clock: FixedClock

    @property
    def database(self) -> Database:
        database: Database = self.app.state.parts.context.database
        return database

    async def login(self, username: str, password: str = PASSWORD, **body: Any) -> httpx.Response:
        return await self.client.post("auth/login", json={"username": username, "password": password, **body})

    async def session(self, username: str, password: str | None = None) -> dict[str, Any]:
        secret = password or (ADMIN_PASSWORD if username == "admin" else PASSWORD)
        response = await self.login(username, secret)
        assert response.status_code == 200, response.text
        opened: dict[str, Any] = response.json()
        return opened

    async def headers(self, username: str) -> dict[str, str]:
        return bearer(await self.session(username))

    async def refresh(self, token: str) -> httpx.Response:
        return await self.client.post("auth/refresh", json={"refresh_token": token})

    async def me(self, session: Mapping[str, Any]) -> httpx.Response:
        return await self.client.get("auth/me", headers=bearer(session))

    async def user_id(self, username: str) -> int:
        (row,) = await self.rows('select id from "user" where username = $1', username)
        user_id: int = row["id"]
        return user_id

    async def audit(self, action: str | None = None) -> list[dict[str, Any]]:
        rows = await self.rows("select actor, actor_id, action, target, address, data from audit_log order by id")
        return [row for row in rows if action is None or row["action"] == action]

    async def rows(self, statement: str, *parameters: Any) -> list[dict[str, Any]]:
        async with self.database.begin() as connection:
            result = await connection.exec_driver_sql(statement, parameters)
            return [dict(row) for row in result.mappings()] if result.returns_rows else []


def bearer(session: Mapping[str, Any]) -> dict[str, str]:
    return {"Authorization": f"Bearer {session['access_token']}"}


def outcome(response: httpx.Response) -> tuple[int, str]:
    """Status and problem code of a response; a problem must have all its fields."""
    if response.is_success:
        return response.status_code, ""
    assert response.headers["content-type"] == "application/problem+json"
    problem = response.json()
    assert {"type", "title", "status", "detail", "code", "instance", "request_id"} <= set(problem)
    assert problem["request_id"] == response.headers["x-request-id"]
    return response.status_code, problem["code"]


def forged(
    claims: Mapping[str, Any], *, secret: str = SECRET, alg: str = "HS256", digest: str = "sha256", signed: bool = True
) -> str:
    """Build a token by hand, independently of the code under test."""
    signing = f"{_packed({'alg': alg, 'typ': 'JWT'})}.{_packed(claims)}"
    signature = hmac.new(secret.encode(), signing.encode(), getattr(hashlib, digest)).digest() if signed else b""
    return f"{signing}.{_base64(signature)}"


def claims_of(token: str) -> dict[str, Any]:
    part = token.split(".")[1]
    claims: dict[str, Any] = json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
    return claims


def _packed(value: Mapping[str, Any]) -> str:
    return _base64(json.dumps(value).encode())


def _base64(value: bytes) -> str:
    return base64.urlsafe_b64encode(value).rstrip(b"=").decode()


def settings(url: str, **changed: Any) -> GatewaySettings:
    values = {"jwt_secret_key": SECRET, "battery_admin_password": ADMIN_PASSWORD, "run_jobs": False, **changed}
    return GatewaySettings(_env_file=None, database_url=url, **values)


async def plant(url: str) -> None:
    """Insert two locations, the administrator and the users."""
    database = Database.from_settings(settings(url, database_pooling=False))
    async with database.begin() as connection:
        await bootstrap(connection, settings(url))
        # The simulator's; the tests of keys count those that they make.
        await connection.exec_driver_sql("truncate api_key restart identity cascade")
        await connection.exec_driver_sql('update "user" set password_hash = $1', (CHEAP.hash(ADMIN_PASSWORD),))
        for code in LOCATIONS:
            await connection.exec_driver_sql(
                "insert into location (code, name, region, latitude, longitude, altitude_m, commissioned_on, utility, "
                "climate_zone) values ($1, $1, 'N', 18, 98, 300, '2015-01-01', 'PEA', 'N')",
                (code,),
            )
        await connection.exec_driver_sql("insert into location_state (location_id) select id from location")
        for username, role in USERS.items():
            await connection.exec_driver_sql(
                'insert into "user" (username, role, password_hash) values ($1, $2, $3)',
                (username, role, PASSWORD_HASH),
            )
    await database.close()


@asynccontextmanager
async def opened_world(url: str, *, clock: Clock | None = None, **changed: Any) -> AsyncIterator[World]:
    """Run the whole gateway on a database for the length of the block."""
    fixed = FixedClock(NOW)
    app = create_app(settings(url, **changed), PartOverrides(clock=clock or fixed))
    async with asgi_client(app, client=("192.0.2.1", 40000), raise_app_exceptions=False) as client:
        client.base_url = client.base_url.join("/api/v1/")
        yield World(app, client, fixed)
