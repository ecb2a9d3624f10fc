import asyncio
from datetime import timedelta
from typing import Any

import httpx
import pytest

from battery_api.accounts.errors import NotAuthenticated
from battery_api.accounts.sessions import CACHE_S

from .world import LOCATIONS, PASSWORD, World, bearer, opened_world, outcome

NEW: dict[str, Any] = {"username": "ploy", "password": "seven green kettles", "role": "engineer"}


async def create(world: World, headers: dict[str, str], **changed: Any) -> httpx.Response:
    return await world.client.post("auth/users", json={**NEW, **changed}, headers=headers)


async def patch(world: World, headers: dict[str, str], username: str, **changes: Any) -> httpx.Response:
    return await world.client.patch(f"auth/users/{await world.user_id(username)}", json=changes, headers=headers)


async def test_create_read_list(world: World) -> None:
    admin = await world.headers("admin")
    response = await create(world, admin, display_name="พลอย", location_ids=[LOCATIONS[1]])
    assert response.status_code == 201
    user = response.json()
    assert (user["username"], user["role"], user["display_name"]) == ("ploy", "engineer", "พลอย")
    assert (user["location_ids"], user["is_active"], user["created_at"]) == (
        [LOCATIONS[1]],
        True,
        "2026-11-20T12:00:00Z",
    )
    assert "password" not in response.text.replace("password_hash", "password")
    assert (await world.client.get(f"auth/users/{user['user_id']}", headers=admin)).json() == user
    page = (await world.client.get("auth/users", params={"skip": 1, "limit": 2}, headers=admin)).json()
    assert [item["username"] for item in page["items"]] == ["malee", "nok"]
    assert (page["total"], page["skip"], page["limit"]) == (5, 1, 2)
    assert (await world.session("ploy", NEW["password"]))["user"] == user
    (row,) = [row for row in await world.audit("user.create") if row["target"] == "ploy"]
    assert (row["actor"], row["actor_id"], row["address"]) == ("admin", await world.user_id("admin"), "192.0.2.1")
    assert row["data"] == {
        "username": "ploy",
        "role": "engineer",
        "display_name": "พลอย",
        "location_ids": [LOCATIONS[1]],
    }


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({"username": "MALEE"}, (409, "username_taken")),
        ({"username": "\uff4d\uff41\uff4c\uff45\uff45"}, (409, "username_taken")),
        ({"password": "short"}, (422, "weak_password")),
        ({"password": "it is Ploy's own"}, (422, "weak_password")),
        ({"location_ids": ["DC-ZZZ-09"]}, (422, "unknown_location")),
        ({"location_ids": ["not-a-location"]}, (422, "validation_failed")),
        ({"username": ""}, (422, "validation_failed")),
        ({"username": "   "}, (422, "validation_failed")),
        ({"username": "x" * 65}, (422, "validation_failed")),
        ({"username": "a\x00b"}, (422, "validation_failed")),
        ({"username": "ploy\u200b"}, (422, "validation_failed")),
        ({"username": "\u202eyolp"}, (422, "validation_failed")),
        ({"username": "key:simulator"}, (422, "validation_failed")),
        ({"username": "System"}, (422, "validation_failed")),
        ({"username": "<script>"}, (422, "validation_failed")),
        ({"display_name": "a\x00b"}, (422, "validation_failed")),
        ({"display_name": "x" * 121}, (422, "validation_failed")),
        ({"role": "root"}, (422, "validation_failed")),
        ({"role": None}, (422, "validation_failed")),
        ({"is_superuser": True}, (422, "validation_failed")),
    ],
)
async def test_what_cannot_be_created(world: World, changed: dict[str, Any], code: tuple[int, str]) -> None:
    assert outcome(await create(world, await world.headers("admin"), **changed)) == code
    assert len(await world.rows('select id from "user"')) == 4


@pytest.mark.parametrize("caller", ["malee", "somchai"])
async def test_only_administrators_administer(world: World, caller: str) -> None:
    headers = await world.headers(caller)
    target = f"auth/users/{await world.user_id(caller)}"
    responses = [
        await world.client.get("auth/users", headers=headers),
        await world.client.post("auth/users", json=NEW, headers=headers),
        await world.client.get(target, headers=headers),
        await world.client.patch(target, json={"role": "admin"}, headers=headers),
        await world.client.delete(target, headers=headers),
        await world.client.get("auth/api-keys", headers=headers),
        await world.client.post("auth/api-keys", json={"name": "k", "scopes": ["fleet:read"]}, headers=headers),
        await world.client.delete("auth/api-keys/1", headers=headers),
        await world.client.get("auth/audit", headers=headers),
    ]
    assert [outcome(response) for response in responses] == [(403, "forbidden")] * len(responses)
    strangers = [await world.client.get(path) for path in ("auth/users", target, "auth/api-keys", "auth/audit")]
    assert [outcome(response) for response in strangers] == [(401, "not_authenticated")] * 4


@pytest.mark.parametrize(
    "changes",
    [
        {"role": "viewer"},
        {"role": "engineer"},
        {"is_active": False},
        {"location_ids": [LOCATIONS[0]]},
        {"location_ids": []},
        {"password": "seven green kettles"},
    ],
)
async def test_nobody_weakens_himself(world: World, changes: dict[str, Any]) -> None:
    session = await world.session("nok")
    before = await world.rows("select * from \"user\" where username = 'nok'")
    assert outcome(await patch(world, bearer(session), "nok", **changes)) == (409, "not_on_yourself")
    own = f"auth/users/{await world.user_id('nok')}"
    assert outcome(await world.client.delete(own, headers=bearer(session))) == (409, "not_on_yourself")
    assert await world.rows("select * from \"user\" where username = 'nok'") == before
    assert await world.audit("user.update") == []


async def test_a_form_that_sends_everything_changes_only_what_differs(world: World) -> None:
    session = await world.session("nok")
    same = {"role": "admin", "is_active": True, "location_ids": None, "display_name": "Nok"}
    assert outcome(await patch(world, bearer(session), "nok", **same)) == (200, "")
    assert outcome(await world.me(session)) == (200, "")
    (row,) = await world.audit("user.update")
    assert row["data"] == {"display_name": "Nok"}
    assert (await patch(world, bearer(session), "nok")).json()["display_name"] == "Nok"
    assert len(await world.audit("user.update")) == 1


@pytest.mark.parametrize("name", ["role", "is_active", "password"])
async def test_null_is_no_change(world: World, name: str) -> None:
    response = await patch(world, await world.headers("admin"), "malee", **{name: None})
    assert outcome(response) == (422, "validation_failed")
    assert response.json()["errors"][0]["field"] == name


@pytest.mark.parametrize("user_id", ["0", "-1", "999999", "2147483648", "9" * 30, "x"])
async def test_no_such_user(world: World, user_id: str) -> None:
    headers = await world.headers("admin")
    expected = (404, "user_not_found") if user_id == "999999" else (422, "validation_failed")
    for method, body in (("GET", None), ("PATCH", {}), ("DELETE", None)):
        response = await world.client.request(method, f"auth/users/{user_id}", json=body, headers=headers)
        assert outcome(response) == expected


async def test_a_new_role_applies_at_once_and_the_session_continues(world: World) -> None:
    admin, session = await world.headers("admin"), await world.session("somchai")
    assert outcome(await patch(world, admin, "somchai", role="admin")) == (200, "")
    assert outcome(await world.me(session)) == (401, "not_authenticated")
    renewed = (await world.refresh(session["refresh_token"])).json()
    assert renewed["user"]["role"] == "admin"
    assert outcome(await world.client.get("auth/audit", headers=bearer(renewed))) == (200, "")


async def test_another_replica_notices_within_seconds(world: World, accounts_url: str) -> None:
    admin, session = await world.headers("admin"), await world.session("somchai")
    async with opened_world(accounts_url) as replica:
        assert outcome(await replica.me(session)) == (200, "")
        await patch(world, admin, "somchai", is_active=False)
        assert outcome(await world.me(session)) == (401, "not_authenticated")
        replica.clock.advance(timedelta(seconds=CACHE_S))
        assert outcome(await replica.me(session)) == (401, "not_authenticated")


@pytest.mark.parametrize("changes", [{"is_active": False}, {"password": "seven green kettles"}])
async def test_deactivation_and_a_new_password_end_the_sessions(world: World, changes: dict[str, Any]) -> None:
    admin, session = await world.headers("admin"), await world.session("somchai")
    response = await patch(world, admin, "somchai", **changes)
    assert response.json()["is_active"] is changes.get("is_active", True)
    await patch(world, admin, "somchai", is_active=True)
    # Old sessions stay ended even when the user is active again.
    assert outcome(await world.me(session)) == (401, "not_authenticated")
    assert outcome(await world.refresh(session["refresh_token"])) == (401, "refresh_refused")
    assert outcome(await world.login("somchai", changes.get("password", PASSWORD))) == (200, "")
    shown = {"password": "changed"} if "password" in changes else changes
    assert (await world.audit("user.update"))[0]["data"] == shown


async def test_a_deleted_user_is_gone_but_on_record(world: World) -> None:
    admin, session = await world.headers("admin"), await world.session("somchai")
    user_id = await world.user_id("somchai")
    assert (await world.client.delete(f"auth/users/{user_id}", headers=admin)).status_code == 204
    assert outcome(await world.me(session)) == (401, "not_authenticated")
    assert outcome(await world.refresh(session["refresh_token"])) == (401, "refresh_refused")
    assert outcome(await world.login("somchai")) == (401, "bad_credentials")
    again = await world.client.delete(f"auth/users/{user_id}", headers=admin)
    assert outcome(again) == (404, "user_not_found")
    assert (await world.client.get("auth/users", headers=admin)).json()["total"] == 3
    assert (await create(world, admin, username="somchai")).status_code == 201
    assert len(await world.rows('select id from "user"')) == 5
    (row,) = await world.audit("user.delete")
    assert (row["actor"], row["target"]) == ("admin", "somchai")


async def test_two_administrators_who_demote_each_other_leave_one(world: World) -> None:
    for _ in range(3):
        sessions = {name: await world.headers(name) for name in ("admin", "nok")}
        responses = await asyncio.gather(
            patch(world, sessions["admin"], "nok", role="viewer"), patch(world, sessions["nok"], "admin", role="viewer")
        )
        done, refused = sorted(outcome(response) for response in responses)
        assert done == (200, "")
        # The second waits, then finds its target to be the last, or itself demoted before it began.
        assert refused in {(409, "last_admin"), (401, "not_authenticated")}
        (left,) = await world.rows("select username from \"user\" where role = 'admin'")
        assert left["username"] in {"admin", "nok"}
        await world.rows("update \"user\" set role = 'admin' where username in ('admin', 'nok')")
        world.app.state.parts.authenticator.forget()


async def test_rights_of_locations_reach_the_principal(world: World) -> None:
    admin = await world.headers("admin")

    async def visible() -> frozenset[str] | None:
        token = (await world.session("malee"))["access_token"]
        principal = await world.app.state.parts.authenticator.authenticate_token(token)
        codes: frozenset[str] | None = principal.location_codes
        assert principal.may_see(LOCATIONS[0]) is (codes is None or LOCATIONS[0] in codes)
        return codes

    assert await visible() is None
    await patch(world, admin, "malee", location_ids=[LOCATIONS[0], LOCATIONS[0]])
    assert await visible() == frozenset({LOCATIONS[0]})
    await patch(world, admin, "malee", location_ids=[])
    assert await visible() == frozenset()
    await patch(world, admin, "malee", location_ids=None)
    assert await visible() is None
    updates = [row["data"]["location_ids"] for row in await world.audit("user.update")]
    assert updates == [[LOCATIONS[0]], [], None]


async def test_a_restricted_user_sees_only_their_locations(world: World) -> None:
    await patch(world, await world.headers("admin"), "malee", location_ids=[LOCATIONS[0]])
    headers = await world.headers("malee")
    page = (await world.client.get("locations", headers=headers)).json()
    assert [item["location_id"] for item in page["items"]] == [LOCATIONS[0]]
    assert outcome(await world.client.get(f"locations/{LOCATIONS[1]}", headers=headers))[0] == 404


async def test_the_audit_log_is_paged_and_cannot_be_rewritten(world: World) -> None:
    admin = await world.headers("admin")
    await world.login("malee", "wrong")
    page = (await world.client.get("auth/audit", params={"limit": 2}, headers=admin)).json()
    assert page["total"] == len(await world.audit())
    assert [item["action"] for item in page["items"]] == ["auth.login_failed", "auth.login"]
    assert page["items"][0]["at"].endswith("Z")
    assert page["items"][0]["request_id"]
    for statement in ("update audit_log set actor = 'nobody'", "delete from audit_log"):
        with pytest.raises(Exception, match="append-only"):
            await world.rows(statement)


async def test_an_open_connection_outlives_its_token_but_not_its_session(world: World) -> None:
    session = await world.session("malee")
    authenticator = world.app.state.parts.authenticator
    world.clock.advance(timedelta(hours=5))
    principal = await authenticator.authenticate_token(session["access_token"], ignore_expiry=True)
    assert principal.name == "malee"
    world.clock.advance(timedelta(days=7))
    with pytest.raises(NotAuthenticated, match="has ended"):
        await authenticator.authenticate_token(session["access_token"], ignore_expiry=True)
