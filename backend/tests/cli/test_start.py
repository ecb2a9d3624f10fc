"""The commands on a database that is not there, not ready, not ours or not named: one line, and nothing is changed."""

import asyncio
import os
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest
from sqlalchemy import text

from battery_api.db.session import asyncpg_url, create_database_engine
from battery_servicekit.testing.postgres import embedded_server, new_database

PASSWORD = "topsecretpassword"
GOOD = "0123456789abcdef" * 3


async def battery_api(folder: Path, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    command = [str(Path(sys.executable).with_name("battery-api")), *arguments]
    environment = {"PATH": os.environ["PATH"], "DATA_DIR": str(folder), **variables}
    return await asyncio.to_thread(
        subprocess.run, command, env=environment, capture_output=True, text=True, check=False, cwd=folder
    )


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@pytest.fixture
def empty_port() -> int:
    return free_port()


@pytest.mark.parametrize("command", [("migrate",), ("bootstrap",), ("serve",), ("audit", "verify")])
async def test_a_database_that_is_not_there_is_waited_for_and_named(
    tmp_path: Path, empty_port: int, command: tuple[str, ...]
) -> None:
    url = f"postgresql://u:{PASSWORD}@127.0.0.1:{empty_port}/battery"
    program = "battery" if command[0] == "audit" else "battery-api"
    environment = {"PATH": os.environ["PATH"], "DATABASE_URL": url, "DATABASE_WAIT_S": "1.5"}
    done = await asyncio.to_thread(
        subprocess.run,
        [str(Path(sys.executable).with_name(program)), *command],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        cwd=tmp_path,
    )
    waiting, refusal = done.stderr.splitlines()
    assert done.returncode == 2
    assert waiting.startswith(f"Waiting for the database at 127.0.0.1:{empty_port} (")
    assert refusal.startswith(f"Not started: DATABASE_URL: no database answers at 127.0.0.1:{empty_port} after 2 s")
    assert PASSWORD not in done.stderr


async def test_the_owners_address_is_named_where_it_is_the_one(tmp_path: Path, empty_port: int) -> None:
    owner = f"postgresql://owner:{PASSWORD}@127.0.0.1:{empty_port}/battery"
    variables = {"DATABASE_URL": owner, "DATABASE_OWNER_URL": owner, "DATABASE_WAIT_S": "0"}
    done = await battery_api(tmp_path, "migrate", **variables)
    assert done.stderr.splitlines()[-1].startswith("Not started: DATABASE_OWNER_URL: no database answers")


async def test_a_database_that_comes_later_is_used(tmp_path: Path) -> None:
    with embedded_server() as server:
        server.stop()
        running = await asyncio.create_subprocess_exec(
            Path(sys.executable).with_name("battery-api"),
            "migrate",
            env={"PATH": os.environ["PATH"], "DATABASE_URL": server.url, "DATABASE_WAIT_S": "120"},
            cwd=tmp_path,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        assert running.stderr is not None
        waits = await asyncio.wait_for(running.stderr.readline(), 60)
        await asyncio.to_thread(server.start)
        printed, failed = await running.communicate()
    assert waits.startswith(b"Waiting for the database at ")
    assert running.returncode == 0, failed
    assert b"The schema is at" in printed
    assert b"no TimescaleDB extension: readings are kept in monthly partitions" in b" ".join(printed.split())


async def test_a_role_that_owns_nothing_cannot_migrate_and_the_refusal_names_the_remedy(
    tmp_path: Path, postgres_url: str
) -> None:
    async with new_database(postgres_url) as url:
        engine = create_database_engine(url, pooling=False)
        async with engine.begin() as connection:
            await connection.exec_driver_sql("revoke create on schema public from public")
            await connection.exec_driver_sql("drop role if exists visitor")
            await connection.exec_driver_sql(f"create role visitor login password '{PASSWORD}'")
        visitor = asyncpg_url(url).set(username="visitor", password=PASSWORD, drivername="postgresql")
        done = await battery_api(tmp_path, "migrate", DATABASE_URL=visitor.render_as_string(hide_password=False))
        (line,) = done.stderr.splitlines()
        async with engine.begin() as connection:
            await connection.exec_driver_sql("drop role visitor")
        await engine.dispose()
    assert done.returncode == 2
    assert line.startswith("Not started: The role that migrates lacks a right (permission denied for schema public)")
    assert "alter schema public owner to ROLE" in line


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("mysql://u:{password}@db/x", "DATABASE_URL must be a PostgreSQL URL, not mysql"),
        ("db.example:5432", "DATABASE_URL is no URL; it looks like postgresql://USER:PASSWORD@HOST:5432/DATABASE"),
        ("", "DATABASE_URL is not set: postgresql://USER:PASSWORD@HOST:5432/DATABASE"),
    ],
)
async def test_what_is_no_address_of_a_database_is_refused_at_once(tmp_path: Path, url: str, expected: str) -> None:
    done = await battery_api(tmp_path, "migrate", DATABASE_URL=url.format(password=PASSWORD))
    (line,) = done.stderr.splitlines()
    assert (done.returncode, line.startswith(f"Not started: {expected}")) == (2, True), line
    assert PASSWORD not in line


async def test_a_missing_database_is_not_waited_for(tmp_path: Path, postgres_url: str) -> None:
    url = asyncpg_url(postgres_url).set(database="nowhere", drivername="postgresql")
    began = time.monotonic()
    done = await battery_api(
        tmp_path, "migrate", DATABASE_URL=url.render_as_string(hide_password=False), DATABASE_WAIT_S="300"
    )
    assert time.monotonic() - began < 150
    (line,) = done.stderr.splitlines()
    assert "has no database nowhere. Create it (createdb nowhere)" in line


async def test_a_database_of_another_application_is_refused_and_left_as_it_is(
    tmp_path: Path, postgres_url: str
) -> None:
    async with new_database(postgres_url) as url:
        engine = create_database_engine(url, pooling=False)
        async with engine.begin() as connection:
            await connection.exec_driver_sql("create table invoice (id int)")
            await connection.exec_driver_sql("create view overdue as select 1 as one")
        done = await battery_api(tmp_path, "migrate", DATABASE_URL=url)
        assert done.returncode == 2
        (line,) = done.stderr.splitlines()
        assert line.startswith("Not started: The database holds tables of another application (invoice, overdue).")
        async with engine.connect() as connection:
            tables = (
                await connection.scalars(text("select tablename from pg_tables where schemaname = 'public'"))
            ).all()
        await engine.dispose()
    assert tables == ["invoice"]


async def test_a_revision_that_this_version_does_not_know_is_refused(tmp_path: Path, postgres_url: str) -> None:
    async with new_database(postgres_url) as url:
        engine = create_database_engine(url, pooling=False)
        async with engine.begin() as connection:
            await connection.exec_driver_sql("create table alembic_version (version_num varchar(32) not null)")
            await connection.exec_driver_sql("insert into alembic_version values ('deadbeef')")
        await engine.dispose()
        done = await battery_api(tmp_path, "migrate", DATABASE_URL=url)
    (line,) = done.stderr.splitlines()
    assert line.startswith("Not started: The database is at revision deadbeef, which this version does not know")


async def test_the_gateway_does_not_start_on_an_empty_database(tmp_path: Path, postgres_url: str) -> None:
    async with new_database(postgres_url) as url:
        done = await battery_api(tmp_path, "serve", DATABASE_URL=url)
    (line,) = done.stderr.splitlines()
    assert done.returncode == 2
    assert line.startswith("Not started: The database has no tables of the platform yet, and this version needs ")
    assert line.endswith("run `battery-api migrate`.")


async def test_production_says_everything_that_is_missing_and_no_secret(tmp_path: Path) -> None:
    short = "supersecret99"
    done = await battery_api(
        tmp_path,
        "serve",
        ENVIRONMENT="production",
        JWT_SECRET_KEY=short,
        SERVICE_TOKEN=GOOD,
        CORS_ORIGINS='["*"]',
    )
    assert done.returncode == 2
    assert [line.split()[2] for line in done.stderr.splitlines()] == ["JWT_SECRET_KEY", "CORS_ORIGINS", "DATABASE_URL"]
    assert short not in done.stderr
    assert GOOD not in done.stderr


async def test_commands_on_the_database_need_no_secrets_of_requests(tmp_path: Path, postgres_url: str) -> None:
    async with new_database(postgres_url) as url:
        for command in ("migrate", "bootstrap"):
            done = await battery_api(tmp_path, command, ENVIRONMENT="production", DATABASE_URL=url)
            assert done.returncode == 0, done.stderr
    assert "The administrator admin was created." in done.stdout
    assert "SIMULATOR_API_KEY=" in done.stdout


@pytest.mark.parametrize("mode", ["disable", "prefer"])
def test_the_ssl_mode_of_other_clients_becomes_the_drivers(mode: str) -> None:
    url = asyncpg_url(f"postgres://u:p@db/x?sslmode={mode}&channel_binding=require")
    assert (url.drivername, dict(url.query)) == ("postgresql+asyncpg", {"ssl": mode})
