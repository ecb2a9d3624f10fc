"""The role that serves owns nothing and cannot get at the audit log; the gateway works under it all the same."""

import asyncio
import os
import subprocess
import sys
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import pytest_asyncio
from sqlalchemy import text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DBAPIError, ProgrammingError

from battery_api.accounts.audit import record_audit
from battery_api.accounts.audit_chain import verify_chain
from battery_api.app.main import create_app
from battery_api.db.session import Database, create_database_engine
from battery_api.db.timescale import maintain_partitions
from battery_api.settings import GatewaySettings
from battery_servicekit.testing.asgi import asgi_client
from battery_servicekit.testing.postgres import database_name, new_database

OWNER, RUNTIME = "suite_owner", "suite_runtime"


def as_role(url: str, role: str) -> str:
    return make_url(url).set(username=role, drivername="postgresql").render_as_string(hide_password=False)


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def served_url(postgres_url: str, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[str]:
    """URL, of the role that serves, of a database that the owner has migrated."""
    async with new_database(postgres_url) as url:
        engine = create_database_engine(url, pooling=False)
        async with engine.begin() as connection:
            for role in (OWNER, RUNTIME):
                await connection.exec_driver_sql(
                    f"do $$ begin create role {role} login; exception when duplicate_object then null; end $$"
                )
            await connection.exec_driver_sql(f'alter database "{database_name(url)}" owner to {OWNER}')
            await connection.exec_driver_sql(f"alter schema public owner to {OWNER}")
        await engine.dispose()
        environment = {
            "DATABASE_URL": as_role(url, RUNTIME),
            "DATABASE_OWNER_URL": as_role(url, OWNER),
            "DATA_DIR": str(tmp_path_factory.mktemp("data")),
            "PATH": os.environ["PATH"],
        }
        command = [str(Path(sys.executable).with_name("battery-api")), "migrate"]
        for _ in range(2):
            done = await asyncio.to_thread(
                subprocess.run, command, env=environment, capture_output=True, text=True, check=False
            )
            assert done.returncode == 0, done.stderr
        yield as_role(url, RUNTIME)


@pytest_asyncio.fixture(loop_scope="session")
async def served(served_url: str) -> AsyncIterator[Database]:
    """A pool of the role that serves."""
    database = Database(create_database_engine(served_url, pooling=False))
    yield database
    await database.close()


async def test_it_owns_nothing_and_has_no_power(served: Database) -> None:
    async with served.begin() as connection:
        role = (await connection.exec_driver_sql("select * from pg_roles where rolname = current_user")).mappings()
        (powers,) = role.all()
        owned = await connection.exec_driver_sql("select relname from pg_class where relowner = $1", (powers["oid"],))
        assert owned.all() == []
    for power in ("rolsuper", "rolcreaterole", "rolcreatedb", "rolreplication", "rolbypassrls"):
        assert powers[power] is False, power


@pytest.mark.parametrize(
    "statement",
    [
        "truncate audit_log",
        "update audit_log set actor = 'nobody'",
        "delete from audit_log",
        "alter table audit_log disable trigger all",
        "set session_replication_role = replica",
        "create or replace function chain_audit_entry() returns trigger language plpgsql as 'begin return new; end'",
        "drop trigger audit_log_chain on audit_log",
        "copy audit_log to program 'true'",
        "create table mine (id int)",
        "drop table telemetry",
        "update alembic_version set version_num = 'x'",
        "select drop_month_partition('audit_log')",
        "select drop_month_partition('audit_log_p202601')",
        "select create_month_partition('audit_log', now())",
    ],
)
async def test_what_it_must_not_do_is_refused(served: Database, statement: str) -> None:
    async with served.begin() as connection:
        await record_audit(connection, actor="system", action="test")
    with pytest.raises(
        (ProgrammingError, DBAPIError), match=r"permission denied|must be owner|no partition|no time series"
    ):
        async with served.begin() as connection:
            await connection.exec_driver_sql(statement)
    async with served.begin() as connection:
        report = await verify_chain(connection)
    assert report.row_count > 0
    assert report.broken is None


async def test_it_keeps_the_partitions(served: Database) -> None:
    async def partitions() -> set[str]:
        async with served.begin() as connection:
            return set(
                await connection.scalars(text("select relname from pg_class where relname ~ '^telemetry_p[0-9]+$'"))
            )

    later = datetime.now(UTC) + timedelta(days=400)
    before = await partitions()
    async with served.begin() as connection:
        await maintain_partitions(connection, now=later, retention_days=30)
    after = await partitions()
    assert f"telemetry_p{later:%Y%m}" in after - before
    assert f"telemetry_p{datetime.now(UTC):%Y%m}" in before - after
    async with served.begin() as connection:
        await connection.exec_driver_sql(f"select count(*) from telemetry_p{later:%Y%m}")


async def test_the_gateway_serves_under_it(served_url: str) -> None:
    settings = GatewaySettings(_env_file=None, database_url=served_url, jwt_secret_key="x" * 40)
    async with asgi_client(create_app(settings)) as client:
        assert (await client.get("/health/ready")).json()["status"] in {"up", "degraded"}
        wrong = {"username": "somchai", "password": "wrong"}
        assert (await client.post("/api/v1/auth/login", json=wrong)).status_code == 401
