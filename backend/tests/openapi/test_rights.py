"""Every route, with every role and scope, about one's own location and a foreign one, with every state of a token."""

import json
from collections import defaultdict
from collections.abc import Mapping
from typing import Any

import httpx
import pytest

from battery_api.accounts.principal import Scope
from battery_contracts.enums import Role
from tests.accounts.world import SECRET, World, bearer, claims_of, forged

from .operations import Operation, operations, protected
from .worlds import EXAMPLE_PASSWORD, FOREIGN, OWN, Callers, without_chance

Worlds = tuple[World, Callers]


def may(operation: Operation, caller: str) -> bool:
    """Return whether the description lets a caller in."""
    assert operation.role is not None
    if caller in {role.value for role in Role}:
        return Role(caller).rank >= operation.role.rank
    return operation.scope is not None and operation.scope.value == caller


async def ask(
    world: World, operation: Operation, ids: Mapping[str, Any], headers: Mapping[str, str]
) -> list[httpx.Response]:
    answers = []
    for request in operation.requests(ids):
        answer = await world.client.request(**request | {"headers": {**request.get("headers", {}), **headers}})
        # The twin and the prediction service are away in both worlds, and say so.
        assert answer.status_code < 500 or answer.json()["code"] in {"twin_unavailable", "ml_unavailable"}, (
            operation.name,
            answer.text,
        )
        assert str(answer.status_code) in operation.statuses, (operation.name, answer.status_code)
        answers.append(answer)
    return answers


def shown(answer: httpx.Response) -> Any:
    """Return what a caller learns from an answer, comparable with that of another world."""
    seen = {name: answer.headers.get(name) for name in ("etag", "content-type", "content-disposition", "retry-after")}
    try:
        body = without_chance(answer.json())
    except (json.JSONDecodeError, UnicodeDecodeError):
        body = answer.content
    return answer.status_code, seen, body


async def test_who_may_not_is_refused_and_who_may_is_let_in(shared: Worlds) -> None:
    world, callers = shared
    done = defaultdict(list)
    for operation in protected():
        for caller, headers in callers.everywhere.items():
            for answer in await ask(world, operation, callers.ids[FOREIGN], headers):
                if may(operation, caller):
                    assert answer.status_code not in {401, 403}, (operation.name, caller, answer.text)
                    done[operation.name].append(answer.status_code)
                else:
                    assert (answer.status_code, answer.json()["code"]) == (403, "forbidden"), (operation.name, caller)
    # A matrix in which a route only ever refused would show nothing about it.
    ends_only_with_a_twin = {"GET strings/{string_id}/runtime", "POST twin/simulate"}
    ends_only_with_a_model = {
        "GET models",
        "GET models/{version}",
        "GET models/train/{job}",
        "POST models/train",
        "POST models/{version}/promote",
    }
    # Beyond the rights they meet an incident of another revision than that of their example.
    ends_in_a_conflict = {
        f"POST incidents/{{incident_id}}/{command}"
        for command in ("acknowledge", "assign", "comments", "end-snooze", "resolve", "snooze")
    }
    never = {name for name, statuses in done.items() if min(statuses) >= 400}
    assert never == ends_only_with_a_twin | ends_only_with_a_model | ends_in_a_conflict


async def test_a_foreign_location_changes_nothing_that_a_caller_sees(alone: Worlds, beside: Worlds) -> None:
    (one, known), (other, callers) = alone, beside
    own, foreign = callers.ids[OWN], callers.ids[FOREIGN]
    assert known.ids[OWN] == own
    for operation in operations():
        for caller in (*Role, *Scope):
            for ids in (foreign, own):
                answers = [
                    await ask(world, operation, ids, group.own[caller.value])
                    for world, group in ((one, known), (other, callers))
                ]
                there, here = ([shown(answer) for answer in several] for several in answers)
                assert here == there, (operation.name, caller.value, ids["location_id"])


STATES = (
    "nothing",
    "garbage",
    "another secret",
    "no signature",
    "expired",
    "a refresh token",
    "an access token as a key",
    "a key as an access token",
    "the token of the services",
    "a session that has ended",
    "a user who was deleted",
    "a user who was deactivated",
    "a key that was revoked",
    "a key whose owner has left",
)


@pytest.fixture(scope="module")
async def invalid(shared: Worlds) -> dict[str, dict[str, str]]:
    """Headers by what is wrong with them."""
    world, _ = shared
    admin = await world.headers("admin")

    async def made(path: str, body: Any, who: Mapping[str, str] = admin) -> dict[str, Any]:
        answer = await world.client.post(path, json=body, headers=dict(who))
        assert answer.is_success, answer.text
        result: dict[str, Any] = answer.json()
        return result

    async def session(name: str, role: str = "admin") -> tuple[int, dict[str, Any]]:
        user = await made("auth/users", {"username": name, "password": EXAMPLE_PASSWORD, "role": role})
        return user["user_id"], await world.session(name, EXAMPLE_PASSWORD)

    async def change(method: str, path: str, body: Any = None) -> None:
        answer = await world.client.request(method, path, json=body, headers=admin)
        assert answer.is_success, answer.text

    scopes = [scope.value for scope in Scope]
    _, valid = await session("valid")
    claims = claims_of(valid["access_token"])
    gone_id, gone = await session("gone")
    idle_id, idle = await session("idle")
    leaver_id, leaver = await session("leaver")
    _, ended = await session("ended")
    revoked = await made("auth/api-keys", {"name": "revoked", "scopes": scopes})
    orphan = await made("auth/api-keys", {"name": "orphan", "scopes": scopes}, bearer(leaver))
    sound = await made("auth/api-keys", {"name": "sound", "scopes": scopes})
    await change("DELETE", f"auth/api-keys/{revoked['key_id']}")
    await change("DELETE", f"auth/users/{gone_id}")
    await change("PATCH", f"auth/users/{idle_id}", {"is_active": False})
    await change("PATCH", f"auth/users/{leaver_id}", {"is_active": False})
    assert (await world.client.post("auth/logout", headers=bearer(ended))).status_code == 204
    world.client.cookies.clear()
    past = claims | {"exp": claims["iat"] - 60}
    return {
        "nothing": {},
        "garbage": {"Authorization": "Bearer garbage"},
        "another secret": {"Authorization": f"Bearer {forged(claims, secret='s' * 40)}"},
        "no signature": {"Authorization": f"Bearer {forged(claims, alg='none', signed=False)}"},
        "expired": {"Authorization": f"Bearer {forged(past, secret=SECRET)}"},
        "a refresh token": {"Authorization": f"Bearer {valid['refresh_token']}"},
        "an access token as a key": {"X-API-Key": valid["access_token"]},
        "a key as an access token": {"Authorization": f"Bearer {sound['key']}"},
        "the token of the services": {
            "Authorization": f"Bearer {world.app.state.parts.context.settings.service_token.get_secret_value()}"
        },
        "a session that has ended": bearer(ended),
        "a user who was deleted": bearer(gone),
        "a user who was deactivated": bearer(idle),
        "a key that was revoked": {"X-API-Key": revoked["key"]},
        "a key whose owner has left": {"X-API-Key": orphan["key"]},
    }


@pytest.mark.parametrize("state", STATES)
async def test_no_route_accepts_invalid_credentials(
    shared: Worlds, invalid: dict[str, dict[str, str]], state: str
) -> None:
    world, callers = shared
    for operation in protected():
        for answer in await ask(world, operation, callers.ids[OWN], invalid[state]):
            assert answer.status_code == 401, (operation.name, answer.text)
            assert answer.headers["www-authenticate"].startswith("Bearer")
            assert answer.json()["code"] in {"not_authenticated", "token_expired"}
