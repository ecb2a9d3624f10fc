"""A small service assembled with the package; the tests call it in process, and as a script it serves on uvicorn."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Annotated

import structlog
from fastapi import Depends, FastAPI, HTTPException, Request
from fastapi.responses import StreamingResponse
from pydantic import BaseModel, Field, SecretStr

from battery_servicekit.application import create_service, serve
from battery_servicekit.health import Check
from battery_servicekit.logging import configure_logging
from battery_servicekit.middleware import current_request_id
from battery_servicekit.pagination import Page, PageQuery
from battery_servicekit.problems import Conflict, DomainError, FieldError, Invalid, NotFound, Unavailable, problems
from battery_servicekit.service_token import require_service_token
from battery_servicekit.settings import ServiceSettings

SECRET_CAUSE = "password=swordfish at db.internal:5432"
TOKEN = "a-service-token-of-more-than-32-characters"
ITEM_COUNT = 2500


class Size(BaseModel):
    width_mm: Annotated[int, Field(gt=0)]


class Item(BaseModel):
    name: Annotated[str, Field(min_length=1)]
    sizes: list[Size] = []


class Quota(DomainError):
    code, status = "quota_exceeded", 429


def create_app(
    checks: Sequence[Check] = (), *, token: str = TOKEN, events: list[str] | None = None, body_limit_bytes: int = 4096
) -> FastAPI:
    """Build the service; ``events`` records the start and the end of its lifespan."""

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        if events is not None:
            events.append("started")
        yield
        if events is not None:
            events.append("stopped")

    app = create_service(
        service="example",
        title="Example",
        description="Service of the tests.",
        version="1.2.3",
        checks=checks,
        lifespan=lifespan,
        body_limit_bytes=body_limit_bytes,
    )
    _add_items(app)
    _add_failures(app)

    @app.get("/peer")
    async def get_peer(request: Request) -> list[str]:
        return [request.client.host if request.client else "", request.url.scheme]

    @app.get("/private", dependencies=[Depends(require_service_token(SecretStr(token)))])
    async def read_private() -> str:
        return "inside"

    return app


def _add_items(app: FastAPI) -> None:
    @app.get("/items/{item_id}", tags=["items"], responses=problems(NotFound, Conflict, Quota))
    async def get_item(item_id: int) -> dict[str, object]:
        structlog.get_logger("example").info("item read", item_id=item_id)
        return {"item_id": item_id, "request_id": current_request_id()}

    @app.post("/items", tags=["items"])
    async def create_item(item: Item) -> Item:
        return item

    @app.get("/items", tags=["items"])
    async def list_items(page: PageQuery) -> Page[int]:
        items = range(ITEM_COUNT)[page.skip : page.skip + page.limit]
        return Page(items=list(items), total=ITEM_COUNT, skip=page.skip, limit=page.limit)


def _add_failures(app: FastAPI) -> None:
    @app.get("/failures/{kind}")
    async def fail(kind: str) -> None:
        password = SECRET_CAUSE.partition("=")[2]
        errors: dict[str, Exception] = {
            "missing": NotFound("Battery 7 does not exist."),
            "conflict": Conflict("The battery is already replaced."),
            "invalid": Invalid(
                "low, high", errors=[FieldError(field="low", code="order", detail="must be below high")]
            ),
            "unavailable": Unavailable("The database does not respond.", headers={"Retry-After": "7"}),
            "quota": Quota("Too many exports."),
            "http": HTTPException(418, "short and stout", headers={"X-Pot": "tea"}),
            "unexpected": RuntimeError(f"connection failed: password={password}"),
        }
        raise errors[kind]

    @app.get("/half")
    async def fail_half_way() -> StreamingResponse:
        async def pieces() -> AsyncIterator[bytes]:
            yield b"first"
            raise RuntimeError(SECRET_CAUSE)

        return StreamingResponse(pieces())

    @app.get("/endless")
    async def send_without_end() -> StreamingResponse:
        async def pieces() -> AsyncIterator[bytes]:
            while True:
                yield bytes(65536)
                await asyncio.sleep(0)

        return StreamingResponse(pieces())


if __name__ == "__main__":
    settings = ServiceSettings()
    configure_logging("example", level=settings.log_level)
    serve(create_app(), settings, shutdown_timeout_s=1)
