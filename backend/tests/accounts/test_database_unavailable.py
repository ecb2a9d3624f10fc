from battery_api.db import migrate
from battery_api.db.session import Database, create_database_engine
from battery_servicekit.testing.postgres import DURABLE_SETTINGS, embedded_server, new_database

from .world import World, bearer, opened_world, outcome, plant


async def outcomes(world: World, session: dict[str, str]) -> list[tuple[int, str]]:
    world.app.state.parts.authenticator.forget()
    return [
        outcome(await world.login("malee")),
        outcome(await world.refresh("any")),
        outcome(await world.me(session)),
        outcome(await world.client.get("locations", headers=bearer(session))),
        outcome(await world.client.post("telemetry", json={"readings": []}, headers={"X-API-Key": "any"})),
    ]


async def test_an_unavailable_database_is_503_and_service_resumes_when_it_returns() -> None:
    with embedded_server(DURABLE_SETTINGS) as server:
        async with new_database(server.url) as url:
            database = Database(create_database_engine(url, pooling=False))
            await migrate.upgrade(database.engine)
            await database.close()
            await plant(url)
            async with opened_world(url) as world:
                session = await world.session("malee")
                server.kill()
                refused = await world.login("malee")
                assert refused.headers["retry-after"] == "2"
                assert await outcomes(world, session) == [(503, "database_unavailable")] * 5
                server.start()
                assert outcome(await world.me(session)) == (200, "")
                assert outcome(await world.login("malee")) == (200, "")
