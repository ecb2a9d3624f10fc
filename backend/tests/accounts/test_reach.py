"""An administrator who is restricted to locations reaches nothing and nobody beyond them."""

from typing import Any

import httpx
import pytest

from battery_api.fleet.catalogue_file.text import Record, read_records
from battery_contracts.ids import battery_id_at
from tests.fleet.test_importer import line, workbook

from .world import LOCATIONS, World, outcome

BKK, CNX = LOCATIONS
NEW: dict[str, Any] = {"username": "ploy", "password": "seven green kettles", "role": "viewer"}


async def call(world: World, method: str, path: str, who: str = "nok", body: Any = None) -> httpx.Response:
    return await world.client.request(method, path, json=body, headers=await world.headers(who))


@pytest.fixture
async def restricted(world: World) -> World:
    """The administrator nok sees Bangkok alone, and so does malee."""
    for name in ("nok", "malee"):
        path = f"auth/users/{await world.user_id(name)}"
        answer = await call(world, "PATCH", path, "admin", {"location_ids": [BKK]})
        assert answer.status_code == 200, answer.text
    return world


@pytest.mark.parametrize("location_ids", [None, [BKK, CNX], [CNX], []])
async def test_nobody_changes_their_own_locations(restricted: World, location_ids: list[str] | None) -> None:
    path = f"auth/users/{await restricted.user_id('nok')}"
    answer = await call(restricted, "PATCH", path, body={"location_ids": location_ids})
    assert outcome(answer) == (409, "not_on_yourself")
    (row,) = await restricted.rows("select all_locations from \"user\" where username = 'nok'")
    assert row["all_locations"] is False


async def test_users_beyond_the_locations_are_not_there(restricted: World) -> None:
    page = (await call(restricted, "GET", "auth/users")).json()
    assert ([user["username"] for user in page["items"]], page["total"]) == (["malee", "nok"], 2)
    hidden = f"auth/users/{await restricted.user_id('somchai')}"
    for method, body in (("GET", None), ("PATCH", {"role": "viewer"}), ("PATCH", {"password": "x"}), ("DELETE", None)):
        assert outcome(await call(restricted, method, hidden, body=body)) == (404, "user_not_found"), method
    assert outcome(await call(restricted, "GET", "auth/audit")) == (403, "forbidden")
    assert len((await call(restricted, "GET", "auth/users", "admin")).json()["items"]) == 4


@pytest.mark.parametrize("location_ids", [None, [CNX], [BKK, CNX]])
async def test_rights_beyond_ones_own_are_not_given(restricted: World, location_ids: list[str] | None) -> None:
    answers = [
        await call(restricted, "POST", "auth/users", body=NEW | {"role": "admin", "location_ids": location_ids}),
        await call(
            restricted,
            "PATCH",
            f"auth/users/{await restricted.user_id('malee')}",
            body={"location_ids": location_ids},
        ),
        await call(
            restricted,
            "POST",
            "auth/api-keys",
            body={"name": "edge", "scopes": ["fleet:read"], "location_ids": location_ids},
        ),
    ]
    assert [outcome(answer) for answer in answers] == [(403, "forbidden")] * 3
    assert "location_ids" in answers[0].json()["detail"]
    assert await restricted.rows("select id from api_key") == []


async def test_within_the_locations_an_administrator_works_as_ever(restricted: World) -> None:
    made = await call(restricted, "POST", "auth/users", body=NEW | {"location_ids": [BKK]})
    assert made.status_code == 201
    path = f"auth/users/{made.json()['user_id']}"
    assert (await call(restricted, "PATCH", path, body={"role": "engineer"})).status_code == 200
    assert (await call(restricted, "DELETE", path)).status_code == 204
    body = {"name": "edge", "scopes": ["fleet:read"], "location_ids": [BKK]}
    assert (await call(restricted, "POST", "auth/api-keys", body=body)).status_code == 201


async def test_keys_beyond_the_locations_are_not_there(restricted: World) -> None:
    keys = {}
    for name, codes in (("all", None), ("bkk", [BKK]), ("cnx", [CNX])):
        body = {"name": name, "scopes": ["fleet:read"], "location_ids": codes}
        keys[name] = (await call(restricted, "POST", "auth/api-keys", "admin", body)).json()["key_id"]
    page = (await call(restricted, "GET", "auth/api-keys")).json()
    assert ([key["name"] for key in page["items"]], page["total"]) == (["bkk"], 1)
    for name in ("all", "cnx"):
        path = f"auth/api-keys/{keys[name]}"
        assert outcome(await call(restricted, "DELETE", path)) == (404, "api_key_not_found")
        assert outcome(await call(restricted, "POST", f"{path}/hand-over")) == (404, "api_key_not_found")
    assert (await call(restricted, "DELETE", f"auth/api-keys/{keys['bkk']}")).status_code == 204


async def test_the_catalogue_of_the_whole_fleet_is_out_of_reach(restricted: World) -> None:
    answer = await restricted.client.post(
        "fleet/import?dry_run=true", content=b"x", headers=await restricted.headers("nok")
    )
    assert outcome(answer) == (403, "forbidden")


@pytest.mark.parametrize("file_format", ["csv", "xlsx"])
async def test_the_export_holds_the_locations_that_may_be_seen(restricted: World, file_format: str) -> None:
    strings = [f"{code}-UPS-01-STR-01" for code in LOCATIONS]
    lines = [
        line(
            location_id=code,
            system_id=f"{code}-UPS-01",
            string_id=string,
            battery_id=battery_id_at(string, 1),
            serial_number=f"00{code}",
        )
        for code, string in zip(LOCATIONS, strings, strict=True)
    ]
    admin = await restricted.headers("admin")
    imported = await restricted.client.post("fleet/import", content=workbook(*lines), headers=admin)
    assert (imported.status_code, imported.json()["created"]) == (200, 2), imported.text

    path = f"fleet/export?format={file_format}"
    for who, seen in (("admin", [BKK, CNX]), ("nok", [BKK]), ("malee", [BKK])):
        answer = await call(restricted, "GET", path, who)
        assert answer.status_code == 200
        assert answer.headers["content-disposition"].endswith(f'.{file_format}"')
        records = [record for record in read_records(answer.content) if isinstance(record, Record)]
        assert [record.cells["location_id"] for record in records] == seen
        assert [record.cells["serial_number"] for record in records] == [f"00{code}" for code in seen]
    again = await restricted.client.post(
        "fleet/import", content=(await call(restricted, "GET", path, "admin")).content, headers=admin
    )
    assert {key: again.json()[key] for key in ("unchanged", "updated", "error_count")} == {
        "unchanged": 2,
        "updated": 0,
        "error_count": 0,
    }
    assert outcome(await call(restricted, "GET", "fleet/export?format=ods"))[0] == 422
    assert (await restricted.client.get(path)).status_code == 401


async def test_a_restricted_administrator_is_not_the_last_one_who_must_remain(restricted: World) -> None:
    path = f"auth/users/{await restricted.user_id('admin')}"
    assert outcome(await call(restricted, "PATCH", path, "admin", {"is_active": False})) == (409, "not_on_yourself")
    (somchai,) = [await restricted.user_id("somchai")]
    await call(restricted, "PATCH", f"auth/users/{somchai}", "admin", {"role": "admin"})
    demoted = await call(restricted, "PATCH", path, "somchai", {"role": "viewer"})
    assert demoted.status_code == 200
    refused = await call(restricted, "PATCH", f"auth/users/{somchai}", "nok", {"role": "viewer"})
    assert outcome(refused) == (404, "user_not_found")


async def test_a_refused_administrative_call_leaves_an_entry_with_its_address(world: World) -> None:
    engineer = await world.headers("somchai")
    for _ in range(3):
        assert (await world.client.get("auth/users", headers=engineer)).status_code == 403
        assert (await world.client.get("auth/users/1")).status_code == 401
        assert (await world.client.get("auth/audit", headers={"X-API-Key": "guess"})).status_code == 401
    entries = [
        (row["actor"], row["target"], row["address"], row["data"]["status"], row["data"]["path"])
        for row in await world.audit("access.refused")
    ]
    # The same refusal again within a minute adds nothing.
    assert entries == [
        ("somchai", "GET /auth/users", "192.0.2.1", 403, "/api/v1/auth/users"),
        ("anonymous", "GET /auth/users/{user_id}", "192.0.2.1", 401, "/api/v1/auth/users/1"),
        ("anonymous", "GET /auth/audit", "192.0.2.1", 401, "/api/v1/auth/audit"),
    ]
    await world.client.get("locations")
    assert len(await world.audit("access.refused")) == 3


async def test_a_refusal_by_the_endpoint_itself_is_recorded_too(restricted: World) -> None:
    await call(restricted, "POST", "auth/users", body=NEW)
    (entry,) = await restricted.audit("access.refused")
    assert (entry["actor"], entry["target"]) == ("nok", "POST /auth/users")
