"""An HTTP client that calls an ASGI app in this process, without a socket."""

from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

import httpx
from fastapi import FastAPI


@asynccontextmanager
async def asgi_client(
    app: FastAPI, *, headers: Mapping[str, str] | None = None, lifespan: bool = True, **options: Any
) -> AsyncIterator[httpx.AsyncClient]:
    """Open a client of the app for the duration of the block, with the app's lifespan unless ``lifespan`` is false."""
    async with AsyncExitStack() as stack:
        if lifespan:
            await stack.enter_async_context(app.router.lifespan_context(app))
        transport = httpx.ASGITransport(app=app, **options)
        client = httpx.AsyncClient(transport=transport, base_url="http://test", headers=headers)
        yield await stack.enter_async_context(client)
