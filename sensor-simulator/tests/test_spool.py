import sqlite3
from datetime import timedelta
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from battery_sim.spool import Spool, SpoolFull, SpoolUnavailable
from tests.conftest import START


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "simulator" / "spool.sqlite"


def spool_at(path: Path, *, limit_bytes: int = 2**20, refused_limit_bytes: int = 2**20) -> Spool:
    return Spool(path, limit_bytes=limit_bytes, refused_limit_bytes=refused_limit_bytes)


def fill(spool: Spool, count: int, *, size: int = 100) -> list[bytes]:
    bodies = [f"{number:06d}".encode().ljust(size, b".") for number in range(count)]
    for number, body in enumerate(bodies):
        spool.put(body, reading_count=10, made_at=START + timedelta(seconds=number))
    return bodies


def waiting(spool: Spool) -> list[bytes]:
    return [batch.body for batch in spool.peek(max_batches=10_000, max_readings=10**9)]


def test_batches_come_back_oldest_first_after_a_restart(path: Path) -> None:
    spool = spool_at(path)
    bodies = fill(spool, 20)
    spool.remove(spool.peek(max_batches=5, max_readings=10_000))
    spool.close()
    again = spool_at(path)
    assert waiting(again) == bodies[5:]
    assert (again.count, again.size_bytes) == (15, 1500)
    assert again.newest_at == START + timedelta(seconds=19)
    again.close()


def test_newest_instant_is_known_when_nothing_waits_any_more(path: Path) -> None:
    spool = spool_at(path)
    fill(spool, 3)
    spool.remove(spool.peek(max_batches=10, max_readings=10_000))
    spool.close()
    again = spool_at(path)
    assert again.count == 0
    assert again.newest_at == START + timedelta(seconds=2)
    again.close()


def test_new_batches_never_replace_older_ones(path: Path) -> None:
    spool = spool_at(path)
    fill(spool, 3)
    spool.remove(spool.peek(max_batches=10, max_readings=10_000))
    spool.put(b"a", reading_count=1, made_at=START)
    first = spool.peek(max_batches=1, max_readings=1)[0]
    assert first.id == 4
    spool.close()


def test_peek_takes_what_fits_but_always_one(path: Path) -> None:
    spool = spool_at(path)
    fill(spool, 10)
    assert len(spool.peek(max_batches=10, max_readings=35)) == 3
    assert len(spool.peek(max_batches=2, max_readings=1000)) == 2
    assert len(spool.peek(max_batches=10, max_readings=1)) == 1
    spool.close()


def test_full_spool_refuses_and_takes_again_after_a_drain(path: Path) -> None:
    spool = spool_at(path, limit_bytes=1000)
    fill(spool, 10)
    assert spool.is_full
    with pytest.raises(SpoolFull, match="limit"):
        spool.put(b"x", reading_count=1, made_at=START)
    assert spool.newest_at == START + timedelta(seconds=9)
    spool.remove(spool.peek(max_batches=1, max_readings=1))
    spool.put(b"x", reading_count=1, made_at=START + timedelta(seconds=20))
    spool.close()


def test_full_disk_keeps_what_waits_and_goes_on_when_there_is_room(path: Path) -> None:
    spool = spool_at(path)
    bodies = fill(spool, 3)
    database = spool._database
    (pages,) = database.execute("pragma page_count").fetchone()
    database.execute(f"pragma max_page_count = {pages}")
    with pytest.raises(SpoolUnavailable, match="full"):
        spool.put(b"y" * 50_000, reading_count=1, made_at=START + timedelta(seconds=9))
    assert waiting(spool) == bodies
    assert spool.newest_at == START + timedelta(seconds=2)
    database.execute("pragma max_page_count = 1000000")
    spool.put(b"z", reading_count=1, made_at=START + timedelta(seconds=10))
    assert waiting(spool) == [*bodies, b"z"]
    assert not list(path.parent.glob("*.broken-*"))
    spool.close()


@pytest.mark.parametrize(
    "content", [b"no database at all", b"SQLite format 3\0" + b"\xff" * 5000], ids=["text", "head"]
)
def test_broken_file_is_moved_aside(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True)
    path.write_bytes(content)
    with capture_logs() as logs:
        spool = spool_at(path)
    assert [entry["log_level"] for entry in logs] == ["error"]
    assert [moved.read_bytes() for moved in path.parent.glob("*.broken-*")] == [content]
    assert waiting(spool) == []
    fill(spool, 2)
    assert spool.count == 2
    spool.close()


def test_damaged_pages_are_found_at_the_start(path: Path) -> None:
    spool = spool_at(path)
    fill(spool, 200, size=2000)
    spool.close()
    content = bytearray(path.read_bytes())
    content[4096 * 5 : 4096 * 60] = b"\xa5" * (4096 * 55)
    path.write_bytes(content)
    spool = spool_at(path)
    assert spool.count == 0
    assert len(list(path.parent.glob("*.broken-*"))) == 1
    spool.close()


def test_damage_found_while_running_does_not_stop_the_queue(path: Path) -> None:
    spool = spool_at(path, limit_bytes=2**30)
    fill(spool, 300, size=4000)
    spool._database.execute("pragma wal_checkpoint(truncate)").fetchall()
    spool._database.execute("pragma cache_size = 1")
    with path.open("r+b") as file:
        file.seek(4096 * 4)
        file.write(b"\xa5" * (path.stat().st_size - 4096 * 4))
    taken = spool.peek(max_batches=1000, max_readings=10**9)
    assert taken == []
    assert spool.count == 0
    spool.put(b"after", reading_count=1, made_at=START)
    assert waiting(spool) == [b"after"]
    assert len(list(path.parent.glob("*.broken-*"))) == 1
    spool.close()


def test_file_of_another_version_is_moved_aside(path: Path) -> None:
    path.parent.mkdir(parents=True)
    database = sqlite3.connect(path)
    database.execute("create table batch (id integer primary key, body blob)")
    database.commit()
    database.close()
    spool = spool_at(path)
    fill(spool, 1)
    assert spool.count == 1
    assert len(list(path.parent.glob("*.broken-*"))) == 1
    spool.close()


def test_second_owner_is_refused_and_harms_nothing(path: Path) -> None:
    spool = spool_at(path)
    bodies = fill(spool, 2)
    with pytest.raises(SpoolUnavailable, match="locked"):
        spool_at(path)
    assert waiting(spool) == bodies
    spool.close()


def test_refused_batch_is_out_of_the_way_and_survives(path: Path) -> None:
    spool = spool_at(path)
    bodies = fill(spool, 3)
    spool.set_aside(spool.peek(max_batches=1, max_readings=1)[0], "422 invalid")
    assert (spool.count, spool.refused_count) == (2, 1)
    spool.close()
    database = sqlite3.connect(path)
    assert database.execute("select reason, body from refused").fetchall() == [("422 invalid", bodies[0])]
    database.close()


def test_room_for_refused_batches_ends_with_the_oldest_gone(path: Path) -> None:
    spool = spool_at(path, refused_limit_bytes=250)
    bodies = fill(spool, 5)
    with capture_logs() as logs:
        for batch in spool.peek(max_batches=5, max_readings=1000):
            spool.set_aside(batch, "no")
    assert sum(entry["count"] for entry in logs) == 3
    kept = spool._database.execute("select body from refused order by id").fetchall()
    assert kept == [(body,) for body in bodies[3:]]
    assert spool.refused_count == 2
    spool.close()


def test_drained_backlog_gives_its_space_back(path: Path) -> None:
    spool = spool_at(path, limit_bytes=2**30)
    fill(spool, 300, size=100_000)
    spool._database.execute("pragma wal_checkpoint(truncate)").fetchall()
    full = path.stat().st_size
    spool.remove(spool.peek(max_batches=1000, max_readings=10**9))
    assert path.stat().st_size < full / 20
    spool.close()
