from collections.abc import AsyncIterator
from pathlib import Path

import pytest_asyncio

from tests.realtime.world import Live, running_gateway


@pytest_asyncio.fixture(loop_scope="session")
async def live(database_url: str, tmp_path: Path) -> AsyncIterator[Live]:
    async with running_gateway(database_url, tmp_path, {}) as live:
        yield live
