from datetime import timedelta
from typing import Any

import httpx
import pytest

from battery_api.accounts.principal import Forbidden, Principal, Scope
from battery_api.accounts.sessions import CACHE_S
from battery_contracts.enums import Role
from tests.support.times import iso

from .world import LOCATIONS, NOW, World, opened_world, outcome, settings

UNKNOWN_BATTERY = {"readings": [{"battery_id": "BAT-DC-BKK-01-UPS-01-STR-01-001", "time": "2026-11-20T11:59:00Z"}]}


async def make_key(world: World, **changed: Any) -> httpx.Response:
    body = {"name": "edge", "scopes": ["fleet:read"], **changed}
    return await world.client.post("auth/api-keys", json=body, headers=await world.headers("admin"))


async def call(world: World, key: str, path: str = "locations") -> tuple[int, str]:
    return outcome(await world.client.get(path, headers={"X-API-Key": key}))


async def test_a_key_is_shown_once_and_stored_as_a_hash(world: World) -> None:
    response = await make_key(world, scopes=["fleet:read", "telemetry:write", "fleet:read"])
    assert response.status_code == 201
    made = response.json()
    kind, prefix, _ = made["key"].split("_", 2)
    assert (kind, made["prefix"], made["scopes"]) == ("bk", f"bk_{prefix}", ["fleet:read", "telemetry:write"])
    page = (await world.client.get("auth/api-keys", headers=await world.headers("admin"))).json()
    assert page["items"] == [{name: value for name, value in made.items() if name != "key"}]
    stored = str(await world.rows("select * from api_key")) + str(await world.audit())
    assert made["key"] not in stored
    assert made["key"].split("_", 2)[2] not in stored
    (row,) = await world.audit("api_key.create")
    assert (row["actor"], row["target"]) == ("admin", "edge")


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({"scopes": []}, (422, "validation_failed")),
        ({"scopes": ["everything"]}, (422, "validation_failed")),
        ({"scopes": ["admin"]}, (422, "validation_failed")),
        ({"name": " "}, (422, "validation_failed")),
        ({"name": "a\x00"}, (422, "validation_failed")),
        ({"location_ids": ["DC-ZZZ-09"]}, (422, "unknown_location")),
        ({"expires_at": "2026-11-20T12:00:00Z"}, (422, "expiry_in_the_past")),
        ({"expires_at": "2026-12-20T12:00:00"}, (422, "validation_failed")),
    ],
)
async def test_an_invalid_key_is_refused(world: World, changed: dict[str, Any], code: tuple[int, str]) -> None:
    assert outcome(await make_key(world, **changed)) == code


async def test_a_name_is_taken_even_by_a_revoked_key(world: World) -> None:
    made = (await make_key(world)).json()
    admin = await world.headers("admin")
    assert (await world.client.delete(f"auth/api-keys/{made['key_id']}", headers=admin)).status_code == 204
    assert outcome(await make_key(world)) == (409, "key_name_taken")


@pytest.mark.parametrize("scope", list(Scope))
async def test_a_scope_permits_its_endpoints_and_no_others(world: World, scope: Scope) -> None:
    key = (await make_key(world, scopes=[scope.value])).json()["key"]
    headers = {"X-API-Key": key}
    posted = outcome(await world.client.post("telemetry", json=UNKNOWN_BATTERY, headers=headers))[0]
    statuses = {
        Scope.FLEET_READ: (await call(world, key, "locations"))[0],
        Scope.TELEMETRY_READ: (await call(world, key, "telemetry/latest"))[0],
        Scope.ALERTS_READ: (await call(world, key, "alerts"))[0],
        Scope.TELEMETRY_WRITE: posted,
    }
    assert statuses == {name: 200 if name is scope else 403 for name in statuses}
    for path in ("auth/me", "auth/users", "auth/audit", "auth/api-keys"):
        assert await call(world, key, path) == (403, "forbidden")


def test_a_user_passes_by_role_and_a_key_by_scope() -> None:
    for held in Role:
        user = Principal("u", 1, held, frozenset(), None)
        for needed in Role:
            if held.rank >= needed.rank:
                user.require(needed, Scope.ALERTS_WRITE)
            else:
                with pytest.raises(Forbidden, match=needed.value):
                    user.require(needed, Scope.ALERTS_WRITE)
    key = Principal("key:k", None, None, frozenset({Scope.ALERTS_READ}), None)
    key.require(Role.ADMIN, Scope.ALERTS_READ)
    for scope in (None, Scope.ALERTS_WRITE):
        with pytest.raises(Forbidden):
            key.require(Role.VIEWER, scope)


async def test_a_key_of_one_location_sees_one(world: World) -> None:
    key = (await make_key(world, location_ids=[LOCATIONS[0]])).json()["key"]
    response = await world.client.get("locations", headers={"X-API-Key": key})
    assert [item["location_id"] for item in response.json()["items"]] == [LOCATIONS[0]]


async def test_a_revoked_key_is_refused_here_at_once_and_elsewhere_within_seconds(
    world: World, accounts_url: str
) -> None:
    made = (await make_key(world)).json()
    async with opened_world(accounts_url) as replica:
        assert await call(world, made["key"]) == await call(replica, made["key"]) == (200, "")
        admin = await world.headers("admin")
        for _ in range(2):
            assert (await world.client.delete(f"auth/api-keys/{made['key_id']}", headers=admin)).status_code == 204
        assert await call(world, made["key"]) == (401, "not_authenticated")
        replica.clock.advance(timedelta(seconds=CACHE_S))
        assert await call(replica, made["key"]) == (401, "not_authenticated")
    (row,) = await world.rows("select revoked_at from api_key")
    assert row["revoked_at"] == NOW
    assert outcome(await world.client.delete("auth/api-keys/999", headers=admin)) == (404, "api_key_not_found")


async def test_a_key_expires(world: World) -> None:
    key = (await make_key(world, expires_at="2026-11-20T12:00:01Z")).json()["key"]
    assert await call(world, key) == (200, "")
    world.clock.advance(timedelta(seconds=1))
    assert await call(world, key) == (401, "not_authenticated")


async def test_every_key_expires_within_the_settings(world: World) -> None:
    made = (await make_key(world)).json()
    assert made["expires_at"] == iso(NOW + timedelta(days=365))
    assert (await make_key(world, name="null", expires_at=None)).json()["expires_at"] == made["expires_at"]
    longest = NOW + timedelta(days=730)
    assert (await make_key(world, name="long", expires_at=iso(longest))).status_code == 201
    late = await make_key(world, name="late", expires_at=iso(longest + timedelta(seconds=1)))
    assert outcome(late) == (422, "expiry_too_late")
    assert "730 days" in late.json()["detail"]


async def test_the_settings_choose_how_long_a_key_lives(accounts_url: str) -> None:
    async with opened_world(accounts_url, api_key_default_days=7, api_key_max_days=30) as world:
        assert (await make_key(world)).json()["expires_at"] == iso(NOW + timedelta(days=7))
        late = await make_key(world, name="late", expires_at=iso(NOW + timedelta(days=31)))
        assert outcome(late) == (422, "expiry_too_late")
    with pytest.raises(ValueError, match="API_KEY_DEFAULT_DAYS"):
        settings(accounts_url, api_key_default_days=8, api_key_max_days=7)


async def made_by_nok(world: World) -> dict[str, Any]:
    body = {"name": "noks", "scopes": ["fleet:read"]}
    made = await world.client.post("auth/api-keys", json=body, headers=await world.headers("nok"))
    assert made.json()["owner"] == "nok"
    key: dict[str, Any] = made.json()
    return key


@pytest.mark.parametrize("ending", ["deactivate", "delete"])
async def test_a_key_ends_with_its_owner_and_works_again_when_taken_over(world: World, ending: str) -> None:
    made = await made_by_nok(world)
    assert await call(world, made["key"]) == (200, "")
    admin, nok = await world.headers("admin"), f"auth/users/{await world.user_id('nok')}"
    if ending == "delete":
        assert (await world.client.delete(nok, headers=admin)).status_code == 204
    else:
        assert (await world.client.patch(nok, json={"is_active": False}, headers=admin)).status_code == 200
    assert await call(world, made["key"]) == (401, "not_authenticated")
    (listed,) = (await world.client.get("auth/api-keys", headers=admin)).json()["items"]
    assert listed["owner_is_active"] is False
    handed = await world.client.post(f"auth/api-keys/{made['key_id']}/hand-over", headers=admin)
    assert (handed.status_code, handed.json()["owner"], handed.json()["owner_is_active"]) == (200, "admin", True)
    assert await call(world, made["key"]) == (200, "")
    (row,) = await world.audit("api_key.hand_over")
    assert (row["actor"], row["target"], row["data"]["to"]) == ("admin", "noks", "admin")


async def test_a_key_that_was_handed_over_survives_its_maker(world: World) -> None:
    made, admin = await made_by_nok(world), await world.headers("admin")
    path, receiver = f"auth/api-keys/{made['key_id']}/hand-over", {"user_id": await world.user_id("admin")}
    assert (await world.client.post(path, json=receiver, headers=await world.headers("nok"))).status_code == 200
    await world.client.delete(f"auth/users/{await world.user_id('nok')}", headers=admin)
    assert await call(world, made["key"]) == (200, "")


async def test_only_an_active_administrator_takes_a_key_over(world: World) -> None:
    made, admin = await made_by_nok(world), await world.headers("admin")
    path = f"auth/api-keys/{made['key_id']}/hand-over"
    for user_id in (await world.user_id("somchai"), 9999):
        answer = await world.client.post(path, json={"user_id": user_id}, headers=admin)
        assert outcome(answer) == (422, "owner_unsuitable")
    assert outcome(await world.client.post("auth/api-keys/999/hand-over", headers=admin)) == (404, "api_key_not_found")
    assert outcome(await world.client.post(path, headers=await world.headers("somchai"))) == (403, "forbidden")


async def test_last_use_is_recorded_once_per_minute(world: World) -> None:
    key = (await make_key(world)).json()["key"]

    async def last_used() -> Any:
        await call(world, key)
        (row,) = await world.rows("select last_used_at from api_key")
        return row["last_used_at"]

    assert await last_used() == NOW
    world.clock.advance(timedelta(seconds=59))
    assert await last_used() == NOW
    world.clock.advance(timedelta(seconds=5))
    assert await last_used() == NOW + timedelta(seconds=64)


async def test_a_key_is_not_a_bearer_token_nor_the_reverse(world: World) -> None:
    key = (await make_key(world)).json()["key"]
    session = await world.session("malee")
    assert outcome(await world.client.get("locations", headers={"Authorization": f"Bearer {key}"}))[0] == 401
    assert await call(world, session["access_token"]) == (401, "not_authenticated")


async def test_every_endpoint_needs_credentials_and_the_description_names_both_kinds(world: World) -> None:
    description = (await world.client.get("http://test/api/openapi.json")).json()
    assert {scheme["type"] for scheme in description["components"]["securitySchemes"].values()} == {"http", "apiKey"}
    open_to_all = {"/health", "/health/ready", *(f"/api/v1/auth/{name}" for name in ("login", "refresh", "logout"))}
    for path, operations in description["paths"].items():
        for method, operation in operations.items():
            ways = operation["security"]
            response = await world.client.request(method, f"http://test{path}")
            if path in open_to_all:
                assert ways == [] or {} in ways, path
            else:
                assert (response.status_code, "401" in operation["responses"]) == (401, True), path
                assert ways[0] == {"HTTPBearer": []}, path
                assert ("scope `" in operation["description"]) == ({"APIKeyHeader": []} in ways), path
    assert open_to_all < set(description["paths"])
    assert "telemetry_update" in description["webhooks"]
