"""Stored days of installation move to the midnight in Asia/Bangkok; instants that were no days stay."""

from datetime import UTC, datetime

from sqlalchemy import text

from battery_api.db import migrate
from battery_api.db.session import create_database_engine
from tests.support.fleet import fleet_statements

SPANS = (
    ("2024-01-15T00:00Z", "2026-03-01T00:00Z"),
    ("2026-03-01T00:00Z", None),
    ("2026-03-01T02:30Z", None),
    ("2026-03-01T00:00:01Z", None),
)


async def test_days_move_and_other_instants_stay(fresh_database: str) -> None:
    engine = create_database_engine(fresh_database, pooling=False)
    try:
        await migrate.upgrade(engine, "0007_twin_record")
        async with engine.begin() as connection:
            for statement in fleet_statements(1):
                await connection.exec_driver_sql(statement)
            for key, (installed_at, removed_at) in enumerate(SPANS, 1):
                await connection.execute(
                    text(
                        "update battery set installed_at = cast(cast(:installed as text) as timestamptz), "
                        "removed_at = cast(cast(:removed as text) as timestamptz) where id = :key"
                    ),
                    {"installed": installed_at, "removed": removed_at, "key": key},
                )
        await migrate.upgrade(engine)
        async with engine.connect() as connection:
            rows = await connection.execute(text("select installed_at, removed_at from battery order by id limit 4"))
            spans = [tuple(row) for row in rows]
    finally:
        await engine.dispose()
    midnight = datetime(2026, 2, 28, 17, tzinfo=UTC)
    assert spans == [
        (datetime(2024, 1, 14, 17, tzinfo=UTC), midnight),
        (midnight, None),
        (datetime(2026, 3, 1, 2, 30, tzinfo=UTC), None),
        (datetime(2026, 3, 1, 0, 0, 1, tzinfo=UTC), None),
    ]
