"""Query parameters that an operation does not know are refused."""

from typing import Annotated

import httpx
import pytest
from fastapi import APIRouter, Depends, FastAPI, Query

from battery_servicekit.pagination import PageQuery
from battery_servicekit.problems import install_problem_handlers
from battery_servicekit.strict_query import StrictRoute
from battery_servicekit.testing.asgi import asgi_client


def _window(start: str = "", end: str = "") -> tuple[str, str]:
    return start, end


def app() -> FastAPI:
    router = APIRouter(route_class=StrictRoute)

    @router.get("/batteries")
    async def batteries(
        page: PageQuery,
        window: Annotated[tuple[str, str], Depends(_window)],
        sort: str = "id",
        status: Annotated[list[str] | None, Query()] = None,
    ) -> list[str]:
        return [sort, *window, *(status or []), str(page.limit)]

    @router.get("/me")
    async def me() -> str:
        return "me"

    built = FastAPI()
    install_problem_handlers(built)
    outer = APIRouter(prefix="/api")
    outer.include_router(router)
    built.include_router(outer)
    return built


async def get(path: str) -> httpx.Response:
    async with asgi_client(app()) as client:
        return await client.get(f"/api{path}")


@pytest.mark.parametrize(
    "path",
    ["/me", "/batteries", "/batteries?sort=soh&start=a&end=b&limit=5", "/batteries?status=normal&status=warning"],
)
async def test_what_is_known_is_answered(path: str) -> None:
    assert (await get(path)).status_code == 200


@pytest.mark.parametrize(
    ("path", "field", "code", "detail"),
    [
        ("/batteries?sort_by=soh", "sort_by", "unknown_parameter", "did you mean sort?"),
        ("/batteries?statuss=normal", "statuss", "unknown_parameter", "did you mean status?"),
        ("/batteries?x=1", "x", "unknown_parameter", "which takes end, limit, skip, sort, start, status"),
        ("/batteries?Sort=soh", "Sort", "unknown_parameter", "did you mean sort?"),
        ("/batteries?=1", "", "unknown_parameter", "is not a parameter"),
        ("/me?verbose", "verbose", "unknown_parameter", "this operation takes none"),
        ("/batteries?sort=soh&sort=id", "sort", "repeated_parameter", "keep one"),
        ("/batteries?limit=5&limit=5", "limit", "repeated_parameter", "keep one"),
    ],
)
async def test_what_is_not_is_named(path: str, field: str, code: str, detail: str) -> None:
    answer = await get(path)
    assert (answer.status_code, answer.json()["code"]) == (422, "validation_failed")
    (error,) = answer.json()["errors"]
    assert (error["field"], error["code"]) == (field, code)
    assert detail in error["detail"]


async def test_each_is_named_once() -> None:
    answer = await get("/batteries?a=1&a=2&b=3&sort=x&sort=y")
    assert [error["field"] for error in answer.json()["errors"]] == ["a", "b", "sort"]
