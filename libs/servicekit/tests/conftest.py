from collections.abc import AsyncIterator, Iterator

import httpx
import pytest
import structlog
from structlog.testing import LogCapture

from battery_servicekit.testing.asgi import asgi_client
from tests.example import create_app

pytest_plugins = ["battery_servicekit.testing.postgres", "battery_servicekit.testing.timescale"]


@pytest.fixture
async def client() -> AsyncIterator[httpx.AsyncClient]:
    async with asgi_client(create_app()) as opened:
        yield opened


@pytest.fixture(autouse=True)
def log() -> Iterator[LogCapture]:
    """Records every log event with its context, as the real configuration merges it."""
    capture = LogCapture()
    structlog.configure(
        processors=[structlog.contextvars.merge_contextvars, capture],
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=False,
    )
    yield capture
    structlog.reset_defaults()
