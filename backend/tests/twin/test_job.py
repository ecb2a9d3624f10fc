import asyncio
from datetime import timedelta

from battery_api.app.main import create_app
from battery_api.settings import GatewaySettings
from battery_servicekit.clock import FixedClock
from battery_servicekit.testing.asgi import asgi_client
from battery_servicekit.testing.postgres import new_database

from .world import HERE, NOW, ScriptedTwin, Simulator, World, overrides

PATIENCE_S, PAUSE_S = 60, 0.05


async def recorded(world: World, count: int) -> None:
    """Wait until so many discharges are on record and no mark is left."""
    for _ in range(round(PATIENCE_S / PAUSE_S)):
        marks = await world.rows("select 1 from discharge_mark")
        if not marks and len(await world.events()) >= count:
            return
        await asyncio.sleep(PAUSE_S)
    raise AssertionError(f"{len(await world.events())} of {count} discharges recorded, {len(marks)} marks left")


async def test_replicas_record_under_one_lease_and_a_restart_goes_on(postgres_url: str, twin_template: str) -> None:
    async with new_database(postgres_url, template=twin_template) as url:
        settings = GatewaySettings(
            _env_file=None, database_url=url, jwt_secret_key="x" * 40, twin_record_interval_s=PAUSE_S
        )
        for run in (1, 2):
            # Both start as after a restart, when the lease of the previous ones has expired.
            clock = FixedClock(NOW + run * timedelta(minutes=1))
            one, other = (create_app(settings, overrides(clock, ScriptedTwin(), Simulator())) for _ in range(2))
            async with asgi_client(one) as client, asgi_client(other):
                client.base_url = client.base_url.join("/api/v1/")
                world = World(one, client, clock, ScriptedTwin(), Simulator())
                await world.outage(NOW - timedelta(hours=run), 1)
                await recorded(world, run)
                leases = await world.rows("select count(*)::int as count from lease where name = 'twin_record'")
                assert leases == [{"count": 1}]
                found = [(event["string"], event["started_at"]) for event in await world.events()]
                assert found == [(HERE, NOW - timedelta(hours=hours)) for hours in range(run, 0, -1)]
