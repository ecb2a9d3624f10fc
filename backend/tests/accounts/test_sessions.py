import asyncio
from datetime import timedelta
from http.cookies import SimpleCookie
from typing import Any

import httpx
import pytest

from battery_api.accounts.sessions import CACHE_S

from .world import ADMIN_PASSWORD, PASSWORD, TOKEN, World, bearer, opened_world, outcome

CACHED_FOR = timedelta(seconds=CACHE_S)


async def test_login_returns_a_session(world: World) -> None:
    session = await world.session("malee")
    assert set(session) == {"access_token", "token_type", "expires_in", "refresh_token", "user"}
    assert (session["token_type"], session["user"]["role"], session["user"]["location_ids"]) == (
        "bearer",
        "viewer",
        None,
    )
    me = await world.me(session)
    assert outcome(me) == (200, ""), me.text
    assert me.json()["last_login_at"] == "2026-11-20T12:00:00Z"
    (row,) = await world.audit("auth.login")
    assert (row["actor"], row["actor_id"], row["address"]) == ("malee", await world.user_id("malee"), "192.0.2.1")


async def test_no_secret_is_stored_or_audited(world: World) -> None:
    session = await world.session("malee")
    await world.refresh(session["refresh_token"])
    await world.login("malee", "wrong password here")
    dump = str([await world.rows(f'select * from "{table}"') for table in ("user", "refresh_token", "audit_log")])
    for secret in (PASSWORD, session["refresh_token"], session["access_token"], "wrong password here"):
        assert secret not in dump


async def test_the_wrong_half_is_not_named(world: World) -> None:
    wrong = await world.login("malee", "wrong")
    unknown = await world.login("nobody", "wrong")
    await world.rows("update \"user\" set is_active = false where username = 'somchai'")
    disabled = await world.login("somchai")
    assert [outcome(response) for response in (wrong, unknown, disabled)] == [(401, "bad_credentials")] * 3
    assert len({response.json()["detail"] for response in (wrong, unknown, disabled)}) == 1
    assert [row["target"] for row in await world.audit("auth.login_failed")] == ["malee", "nobody", "somchai"]


async def test_user_names_ignore_case_and_spelling(world: World) -> None:
    admin = await world.headers("admin")
    for name in ("สมหญิง", "José", "Ünal"):
        body = {"username": name, "password": PASSWORD, "role": "viewer"}
        assert (await world.client.post("auth/users", json=body, headers=admin)).status_code == 201
    for typed, stored in (("สมหญิง", "สมหญิง"), ("JOSÉ", "José"), ("Jose\u0301", "José"), (" ünal ", "Ünal")):
        assert (await world.session(typed, PASSWORD))["user"]["username"] == stored


async def test_a_session_ends_a_month_after_its_login_however_often_it_is_used(world: World) -> None:
    session = await world.session("malee")
    for _ in range(5):
        world.clock.advance(timedelta(days=5, hours=23))
        renewed = await world.refresh(session["refresh_token"])
        assert outcome(renewed) == (200, "")
        session = renewed.json()
    world.clock.advance(timedelta(hours=6))
    assert outcome(await world.refresh(session["refresh_token"])) == (401, "refresh_refused")


async def test_of_many_sessions_of_a_user_the_newest_stay(world: World) -> None:
    other = await world.session("somchai")
    sessions = []
    for _ in range(22):
        world.clock.advance(timedelta(seconds=10))
        sessions.append(await world.session("malee"))
    world.clock.advance(CACHED_FOR)
    found = [outcome(await world.me(session))[0] for session in sessions]
    assert found == [401, 401] + [200] * 20
    assert outcome(await world.me(other)) == (200, "")


async def test_refresh_rotates(world: World) -> None:
    first = await world.session("malee")
    second = (await world.refresh(first["refresh_token"])).json()
    third = (await world.refresh(second["refresh_token"])).json()
    assert len({first["refresh_token"], second["refresh_token"], third["refresh_token"]}) == 3
    for session in (first, second, third):
        assert outcome(await world.me(session)) == (200, "")
    stored = await world.rows("select used_at is not null as used from refresh_token order by id")
    assert [row["used"] for row in stored] == [True, True, False]


async def test_reuse_of_an_old_token_ends_the_whole_session(world: World) -> None:
    stolen = await world.session("malee")
    other = await world.session("malee")
    mine = (await world.refresh(stolen["refresh_token"])).json()
    world.clock.advance(timedelta(seconds=11))
    assert outcome(await world.refresh(stolen["refresh_token"])) == (401, "refresh_refused")
    for session in (stolen, mine):
        assert outcome(await world.me(session)) == (401, "not_authenticated")
        assert outcome(await world.refresh(session["refresh_token"])) == (401, "refresh_refused")
    assert outcome(await world.me(other)) == (200, "")
    (row,) = await world.audit("auth.refresh_reuse")
    assert (row["actor"], row["target"]) == ("system", "malee")


async def test_two_tabs_at_once_get_the_same_successor(world: World) -> None:
    session = await world.session("malee")
    responses = await asyncio.gather(*(world.refresh(session["refresh_token"]) for _ in range(8)))
    assert [response.status_code for response in responses] == [200] * 8
    assert len({response.json()["refresh_token"] for response in responses}) == 1
    assert len(await world.rows("select id from refresh_token")) == 2
    for response in responses:
        assert outcome(await world.me(response.json())) == (200, "")


async def test_a_lost_response_is_repeated_only_while_the_successor_is_unused(world: World) -> None:
    session = await world.session("malee")
    lost = (await world.refresh(session["refresh_token"])).json()
    world.clock.advance(timedelta(seconds=10))
    again = (await world.refresh(session["refresh_token"])).json()
    assert again["refresh_token"] == lost["refresh_token"]
    after = (await world.refresh(again["refresh_token"])).json()
    # Still within the grace period, but the successor has been used: no token is returned, and no session ends.
    assert outcome(await world.refresh(session["refresh_token"])) == (401, "refresh_refused")
    assert outcome(await world.me(after)) == (200, "")


async def test_an_unused_session_ends_after_seven_days(world: World) -> None:
    session = await world.session("malee")
    world.clock.advance(timedelta(days=6, hours=23))
    second = (await world.refresh(session["refresh_token"])).json()
    world.clock.advance(timedelta(days=7))
    assert outcome(await world.refresh(second["refresh_token"])) == (401, "refresh_refused")


@pytest.mark.parametrize("body", [None, {}, {"refresh_token": None}, {"refresh_token": ""}, {"refresh_token": "x"}])
async def test_refresh_without_a_valid_token(world: World, body: Any) -> None:
    assert outcome(await world.client.post("auth/refresh", json=body)) == (401, "refresh_refused")


async def test_an_access_token_does_not_refresh(world: World) -> None:
    session = await world.session("malee")
    response = await world.refresh(session["access_token"])
    # It is longer than any refresh token, so it is not even looked up.
    assert outcome(response) == (422, "validation_failed")


async def test_logout_ends_the_session_and_no_other(world: World) -> None:
    session, other = await world.session("malee"), await world.session("malee")
    renewed = (await world.refresh(session["refresh_token"])).json()
    assert (await world.client.post("auth/logout", headers=bearer(session))).status_code == 204
    for ended in (session, renewed):
        assert outcome(await world.me(ended)) == (401, "not_authenticated")
        assert outcome(await world.refresh(ended["refresh_token"])) == (401, "refresh_refused")
    assert outcome(await world.me(other)) == (200, "")
    assert (await world.client.post("auth/logout", headers=bearer(session))).status_code == 204
    assert (await world.client.post("auth/logout")).status_code == 204
    assert len(await world.audit("auth.logout")) == 1


async def test_logout_works_after_the_access_token_expired(world: World) -> None:
    session = await world.session("malee")
    world.clock.advance(timedelta(hours=2))
    assert (await world.client.post("auth/logout", headers=bearer(session))).status_code == 204
    assert outcome(await world.refresh(session["refresh_token"])) == (401, "refresh_refused")


async def test_logout_wins_against_a_refresh_at_the_same_time(world: World) -> None:
    for _ in range(5):
        session = await world.session("malee")
        refreshed, _ = await asyncio.gather(
            world.refresh(session["refresh_token"]), world.client.post("auth/logout", headers=bearer(session))
        )
        for token in (session, refreshed.json() if refreshed.is_success else session):
            assert outcome(await world.me(token)) == (401, "not_authenticated")
            assert outcome(await world.refresh(token["refresh_token"])) == (401, "refresh_refused")


async def test_another_replica_notices_a_logout_within_seconds(world: World, accounts_url: str) -> None:
    session = await world.session("malee")
    async with opened_world(accounts_url) as replica:
        assert outcome(await replica.me(session)) == (200, "")
        await world.client.post("auth/logout", headers=bearer(session))
        replica.clock.advance(CACHED_FOR)
        assert outcome(await replica.me(session)) == (401, "not_authenticated")


async def test_change_password_ends_the_other_sessions(world: World) -> None:
    mine, other = await world.session("malee"), await world.session("malee")
    new = "a lamp on the staple"
    body = {"current_password": PASSWORD, "new_password": new}
    response = await world.client.post("auth/change-password", json=body, headers=bearer(mine))
    assert response.status_code == 204
    assert outcome(await world.me(mine)) == (200, "")
    assert outcome(await world.refresh(mine["refresh_token"])) == (200, "")
    assert outcome(await world.me(other)) == (401, "not_authenticated")
    assert outcome(await world.refresh(other["refresh_token"])) == (401, "refresh_refused")
    assert outcome(await world.login("malee")) == (401, "bad_credentials")
    assert outcome(await world.login("malee", new)) == (200, "")
    (row,) = await world.audit("auth.password_changed")
    assert (row["actor"], row["data"]) == ("malee", {})


@pytest.mark.parametrize(
    ("new", "detail"),
    [
        ("short", "12 to 256"),
        ("malee-is-my-name", "easy to guess"),
        ("aaaaaaaaaaaaaaaa", "easy to guess"),
        ("Password1234", "easy to guess"),
        (PASSWORD, "is the present one"),
    ],
)
async def test_a_weak_password_is_refused_with_the_remedy(world: World, new: str, detail: str) -> None:
    body = {"current_password": PASSWORD, "new_password": new}
    response = await world.client.post("auth/change-password", json=body, headers=await world.headers("malee"))
    assert outcome(response) == (422, "weak_password")
    assert detail in response.json()["detail"]


async def test_a_stolen_access_token_cannot_guess_the_password(world: World) -> None:
    headers = await world.headers("malee")
    body = {"current_password": "wrong", "new_password": "a lamp on the staple"}
    responses = [await world.client.post("auth/change-password", json=body, headers=headers) for _ in range(6)]
    assert [response.status_code for response in responses] == [401] * 5 + [429]


def the_cookie(response: httpx.Response) -> Any:
    header = next(value for value in response.headers.get_list("set-cookie") if value.startswith("battery_refresh"))
    return SimpleCookie(header)["battery_refresh"]


async def test_cookie_session_keeps_the_refresh_token_from_scripts(world: World) -> None:
    response = await world.login("malee", session="cookie")
    session = response.json()
    assert session["refresh_token"] is None
    cookie = the_cookie(response)
    assert cookie.value not in response.text
    flags = (cookie["httponly"], cookie["samesite"], cookie["path"], cookie["max-age"], cookie["domain"])
    assert flags == (True, "strict", "/api/v1/auth", "604800", "")
    assert not cookie["secure"]
    refreshed = await world.client.post("auth/refresh")
    assert refreshed.json()["refresh_token"] is None
    assert the_cookie(refreshed).value != cookie.value
    ended = await world.client.post("auth/logout")
    assert (the_cookie(ended).value, the_cookie(ended)["max-age"], the_cookie(ended)["path"]) == (
        "",
        "0",
        "/api/v1/auth",
    )
    assert outcome(await world.me(refreshed.json())) == (401, "not_authenticated")


@pytest.mark.parametrize(
    ("changed", "secure"),
    [({"cookie_secure": True}, True), ({"environment": "production", "service_token": TOKEN}, True)],
)
async def test_the_cookie_is_secure_by_setting_and_in_production(
    accounts_url: str, changed: dict[str, Any], *, secure: bool
) -> None:
    async with opened_world(accounts_url, **changed) as world:
        response = await world.login("malee", session="cookie")
        assert the_cookie(response)["secure"] is secure
        assert the_cookie(await world.client.post("auth/logout"))["secure"] is secure


async def test_a_token_session_sets_no_cookie(world: World) -> None:
    response = await world.login("admin", ADMIN_PASSWORD)
    assert "battery_refresh" not in response.cookies
    assert "set-cookie" not in (await world.refresh(response.json()["refresh_token"])).headers
