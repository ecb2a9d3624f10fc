"""What the gateway lets a browser do."""

import re

from tests.alerts.world import World, named


async def test_the_description_of_the_api_runs_no_foreign_script(world: World) -> None:
    page = await world.client.get("http://test/api/docs")
    assert page.status_code == 200
    sources = re.findall(r'(?:src|href)="([^"]+)"', page.text)
    assert sources
    assert all(source.startswith("/api/docs/static/") for source in sources), sources
    for source in sources:
        assert (await world.client.get(f"http://test{source}")).status_code == 200
    policy = page.headers["content-security-policy"]
    assert "script-src 'self' 'unsafe-inline'" in policy
    assert "default-src 'self'" in policy


async def test_pages_may_not_send_forms_elsewhere_or_embed_objects(world: World) -> None:
    answer = await world.client.get("fleet/overview", headers=named("mali"))
    policy = answer.headers["content-security-policy"]
    assert "form-action 'self'" in policy
    assert "object-src 'none'" in policy
    assert "script-src 'self';" in policy
    assert "strict-transport-security" not in answer.headers


async def test_answers_with_tokens_stay_in_no_cache(world: World) -> None:
    for path in ("auth/login", "auth/refresh"):
        answer = await world.client.post(path, json={"username": "x", "password": "y"})
        assert answer.headers["cache-control"] == "no-store"


async def test_a_probe_may_ask_for_the_head_alone(world: World) -> None:
    answer = await world.client.head("http://test/health")
    assert (answer.status_code, answer.content) == (200, b"")


async def test_a_wrong_method_is_named_with_those_that_the_path_takes(world: World) -> None:
    wrong = await world.client.get("twin/simulate", headers=named("mali"))
    assert (wrong.status_code, wrong.headers["allow"]) == (405, "POST")
    assert wrong.headers["content-type"] == "application/problem+json"
    several = await world.client.delete("fleet/overview", headers=named("mali"))
    assert (several.status_code, several.headers["allow"]) == (405, "GET")
    assert (await world.client.get("no/such/path", headers=named("mali"))).status_code == 404
    # What matches is served as before.
    assert (await world.client.get("fleet/overview", headers=named("mali"))).status_code == 200
