"""The audit log: nothing changes it, and what changes it nevertheless is found."""

import asyncio
import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy.exc import IntegrityError

from battery_api.accounts.audit import record_audit
from battery_api.accounts.audit_chain import FIRST_PREVIOUS, ChainPoint, ChainReport, verify_chain
from battery_api.db import migrate
from battery_api.db.session import create_database_engine

from .world import World

BESIDE_THE_TRIGGERS = "set local session_replication_role = replica"


async def report(world: World, known: ChainPoint | None = None) -> ChainReport:
    async with world.database.begin() as connection:
        return await verify_chain(connection, known)


async def write(world: World, count: int) -> None:
    for number in range(count):
        async with world.database.begin() as connection:
            data = {"number": number, "huge": 1e300, "text": 'น้ำ "quoted" \\ \u2028', "none": None, "list": [0.1, True]}
            await record_audit(connection, actor="system", action="test.write", target=f"t{number}", data=data)


async def tamper(world: World, statement: str) -> None:
    async with world.database.begin() as connection:
        await connection.exec_driver_sql(BESIDE_THE_TRIGGERS)
        await connection.exec_driver_sql(statement)


@pytest.mark.parametrize(
    "statement",
    [
        "update audit_log set actor = 'nobody'",
        "delete from audit_log",
        "truncate audit_log",
        "truncate audit_log cascade",
    ],
)
async def test_the_log_only_grows(world: World, statement: str) -> None:
    await write(world, 1)
    with pytest.raises(IntegrityError, match="append-only"):
        await world.rows(statement)
    assert (await report(world)).broken is None


async def test_each_hash_covers_its_row_and_the_one_before(world: World) -> None:
    await write(world, 3)
    rows = await world.rows(
        "select *, to_char(at at time zone 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.US') || 'Z' as at_text, "
        "data::text as data_text from audit_log order by id"
    )
    previous = FIRST_PREVIOUS
    for row in rows:
        assert row["previous_hash"] == previous
        # Put together by hand from the description of the format.
        fields = {name: row[name] for name in ("id", "actor", "action", "target", "address", "actor_id", "request_id")}
        texts = {name: json.dumps(value, ensure_ascii=False) for name, value in fields.items()}
        texts |= {"at": json.dumps(row["at_text"]), "data": row["data_text"], "previous_hash": json.dumps(previous)}
        ordered = sorted(texts, key=lambda name: (len(name), name))
        canonical = "{" + ", ".join(f'"{name}": {texts[name]}' for name in ordered) + "}"
        assert row["hash"] == hashlib.sha256(canonical.encode()).hexdigest()
        previous = row["hash"]
    assert await report(world) == ChainReport(len(rows), ChainPoint(rows[-1]["id"], previous), None)


@pytest.mark.parametrize(
    ("statement", "broken_at", "reason"),
    [
        ("update audit_log set actor = 'nobody' where id = 3", 3, "content was changed"),
        ("update audit_log set data = data || '{\"number\": 7}' where id = 3", 3, "content was changed"),
        ("update audit_log set at = at + interval '1 microsecond' where id = 3", 3, "content was changed"),
        ("update audit_log set address = '192.0.2.9' where id = 3", 3, "content was changed"),
        ("update audit_log set hash = repeat('a', 64) where id = 3", 3, "content was changed"),
        ("delete from audit_log where id = 3", 4, "removed"),
        ("delete from audit_log where id = 1", 2, "removed"),
        ("update audit_log set id = 99 where id = 3", 4, "removed"),
        (
            "insert into audit_log (id, actor, action, previous_hash, hash) values (-5, 'x', 'y', 'bbbb', 'cccc')",
            -5,
            "does not follow",
        ),
    ],
)
async def test_a_change_is_found_and_its_row_named(world: World, statement: str, broken_at: int, reason: str) -> None:
    await write(world, 5)
    await tamper(world, statement)
    found = await report(world)
    assert found.broken is not None
    assert found.broken.audit_id == broken_at
    assert reason in found.broken.reason


async def test_a_log_that_lost_its_end_or_was_written_again_is_found_by_a_noted_row(world: World) -> None:
    await write(world, 4)
    noted = (await report(world)).last
    assert noted is not None
    assert (await report(world, noted)).broken is None
    await tamper(world, f"delete from audit_log where id = {noted.audit_id}")
    assert (await report(world)).broken is None
    cut = await report(world, noted)
    assert cut.broken is not None
    assert (cut.broken.audit_id, "cut off" in cut.broken.reason) == (noted.audit_id, True)
    await write(world, 2)
    again = await report(world, noted)
    assert again.broken is not None
    assert (again.broken.audit_id, "written again" in again.broken.reason) == (noted.audit_id, True)


async def test_writers_at_once_keep_one_chain(world: World) -> None:
    await asyncio.gather(*(write(world, 5) for _ in range(8)))
    found = await report(world)
    assert found.broken is None
    assert found.row_count >= 40


async def test_a_client_cannot_choose_position_time_or_hash(world: World) -> None:
    await world.rows(
        "insert into audit_log (id, at, actor, action, previous_hash, hash) "
        "values (5000, '2001-01-01', 'x', 'y', repeat('b', 64), repeat('c', 64))"
    )
    row = (await world.rows("select id, at from audit_log order by id desc"))[0]
    assert (row["id"] < 5000, row["at"].year > 2001) == (True, True)
    assert (await report(world)).broken is None


async def test_rows_of_before_are_chained_by_the_migration(fresh_database: str) -> None:
    engine = create_database_engine(fresh_database, pooling=False)
    try:
        await migrate.upgrade(engine, "0013_flat_lines")
        async with engine.begin() as connection:
            for number in (1, 2, 7):
                await connection.exec_driver_sql(
                    "insert into audit_log (id, actor, action, data) values ($1, 'a', 'b', '{\"x\": 1.50}')", (number,)
                )
        await migrate.upgrade(engine)
        async with engine.begin() as connection:
            await record_audit(connection, actor="system", action="later")
            found = await verify_chain(connection)
    finally:
        await engine.dispose()
    assert (found.row_count, found.last and found.last.audit_id, found.broken) == (4, 8, None)


def run_command(url: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [str(Path(sys.executable).with_name("battery")), "audit", "verify", *arguments]
    environment = {"DATABASE_URL": url, "PATH": os.environ["PATH"], "COLUMNS": "80"}
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)


async def test_the_command_names_the_first_break(world: World, accounts_url: str) -> None:
    await write(world, 3)
    whole: Any = await asyncio.to_thread(run_command, accounts_url)
    assert whole.returncode == 0, whole.stderr
    noted = whole.stdout.split("--known ")[1].strip()
    assert (await asyncio.to_thread(run_command, accounts_url, "--known", noted)).returncode == 0
    assert (await asyncio.to_thread(run_command, accounts_url, "--known", "3")).returncode == 2
    await tamper(world, "update audit_log set actor = 'nobody' where id = 2")
    broken = await asyncio.to_thread(run_command, accounts_url)
    assert (broken.returncode, "broken at row 2" in broken.stderr) == (1, True)
