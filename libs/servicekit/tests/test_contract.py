"""What the description says of an operation follows from what the operation depends on."""

from typing import Annotated, Any

import httpx
import pytest
from fastapi import Depends, FastAPI, Query
from pydantic import SecretStr

from battery_servicekit.application import create_service
from battery_servicekit.openapi.description import serve_description
from battery_servicekit.openapi.examples import Example
from battery_servicekit.openapi.marks import Access, admits, can_raise
from battery_servicekit.problems import MEDIA_TYPE, Conflict, DomainError, Problem, problems
from battery_servicekit.service_token import service_guard
from battery_servicekit.testing.asgi import asgi_client
from battery_servicekit.testing.contract import faults_of_examples, gaps_of

from .example import Item, create_app

COOKIE = Access({"Cookie": {"type": "apiKey", "in": "cookie", "name": "c"}}, "Takes a cookie.", is_optional=True)
TOKEN = Access({"Token": {"type": "http", "scheme": "bearer"}}, "Needs a token.")


class Throttled(DomainError):
    """Too many calls.

    Of one caller.
    """

    code, status = "throttled", 429
    sends = ("Retry-After",)


@can_raise(Throttled)
def limited() -> int:
    return 1


@admits(TOKEN)
@can_raise(Throttled)
def caller(_: Annotated[int, Depends(limited)]) -> int:
    return 2


@admits(COOKIE)
def cookie() -> str:
    return "c"


def service(body_limit_bytes: int | None = None) -> FastAPI:
    app = create_service(
        service="x", title="X", description="x", version="1", checks=(), body_limit_bytes=body_limit_bytes
    )

    @app.get("/guarded/{name}", responses=problems(Conflict))
    async def guarded(name: str, _: Annotated[int, Depends(caller)], about: str | None = None) -> str:
        return f"{name}{about}"

    @app.get("/either")
    async def either(_: Annotated[str, Depends(cookie)], limit: Annotated[int, Query(ge=1)] = 1) -> int:
        return limit

    @app.post("/items", operation_id="make_item")
    async def make(item: Item) -> Item:
        return item

    return app


def operation(app: FastAPI, path: str, method: str = "get") -> Any:
    return app.openapi()["paths"][path][method]


def test_errors_of_nested_dependencies_are_declared_beside_those_of_the_route() -> None:
    described = operation(service(), "/guarded/{name}")
    # A text without bounds cannot be wrong, so nothing is said of 422.
    assert list(described["responses"]) == ["200", "409", "429"]
    throttled = described["responses"]["429"]
    assert throttled["headers"].keys() == {"Retry-After"}
    shown = throttled["content"][MEDIA_TYPE]["examples"]["throttled"]
    assert (shown["summary"], shown["value"]["instance"]) == ("Too many calls.", "/guarded/{name}")
    assert Problem.model_validate(shown["value"]).status == 429


def test_access_follows_from_the_dependency() -> None:
    app = service()
    assert operation(app, "/guarded/{name}")["security"] == [{"Token": []}]
    assert operation(app, "/guarded/{name}")["description"].endswith("Needs a token.")
    assert operation(app, "/either")["security"] == [{"Cookie": []}, {}]
    assert operation(app, "/items", "post")["security"] == []
    assert operation(app, "/items", "post")["description"] == "Needs no credentials."
    assert app.openapi()["components"]["securitySchemes"].keys() == {"Cookie", "Token"}


def test_a_parameter_with_bounds_can_be_refused() -> None:
    assert "422" in operation(service(), "/either")["responses"]


@pytest.mark.parametrize(("limit", "declared"), [(None, {"400", "408", "422"}), (9, {"400", "408", "413", "422"})])
def test_a_body_can_be_late_torn_wrong_and_where_a_limit_is_set_too_large(
    limit: int | None, declared: set[str]
) -> None:
    responses = operation(service(limit), "/items", "post")["responses"]
    assert responses.keys() - {"200"} == declared
    assert all(response["content"].keys() == {MEDIA_TYPE} for status, response in responses.items() if status != "200")


async def test_a_body_that_is_no_text_is_a_bad_request(client: httpx.AsyncClient) -> None:
    answer = await client.post("/items", content=b'{"name": "\xff"}', headers={"Content-Type": "application/json"})
    declared = operation(create_app(), "/items", "post")["responses"]["400"]["content"][MEDIA_TYPE]["examples"]
    assert (answer.status_code, [answer.json()["code"]]) == (400, list(declared))


def test_examples_show_what_is_set_of_a_request_and_all_of_a_response() -> None:
    app = service()
    serve_description(app, examples={"make_item": Example(Item(name="x", sizes=[]), request=Item(name="x"))})
    described = operation(app, "/items", "post")
    assert described["requestBody"]["content"]["application/json"]["example"] == {"name": "x"}
    assert described["responses"]["200"]["content"]["application/json"]["example"] == {"name": "x", "sizes": []}


@pytest.mark.parametrize("token", [None, SecretStr("a-token-of-the-services")])
async def test_the_service_token_is_described_whether_or_not_it_is_set(token: SecretStr | None) -> None:
    app = create_service(service="x", title="X", description="x", version="1", checks=())

    @app.get("/inside", dependencies=[Depends(service_guard(token))])
    async def inside() -> str:
        return "inside"

    assert operation(app, "/inside")["security"] == [{"ServiceToken": []}]
    assert operation(app, "/inside")["responses"].keys() == {"200", "401"}
    async with asgi_client(app) as client:
        assert (await client.get("/inside")).status_code == (200 if token is None else 401)


def test_what_a_description_leaves_unsaid_is_named() -> None:
    app = FastAPI()

    @app.get("/bare/{name}", responses={409: {"description": "Taken."}})
    async def bare(name: str, _: Annotated[int, Depends(caller)]) -> Item:
        return Item(name=name, sizes=[])

    description = app.openapi()
    description["paths"]["/bare/{name}"]["get"]["security"] = [{"Token": []}]
    gaps = gaps_of(description)
    assert "Item.name has no description" in gaps
    for missing in (
        "no description",
        "parameter name has no description",
        "needs credentials and does not declare 401",
        "409 is no problem and has no schema",
    ):
        assert f"GET /bare/{{name}}: {missing}" in gaps


def test_an_example_of_another_model_or_of_no_operation_is_a_fault() -> None:
    app = service()
    examples = {"make_item": Example(Problem.model_validate(problem_values()), request=Item(name="x"))}
    serve_description(app, examples=examples)
    assert faults_of_examples(app.openapi(), examples) == [
        'make_item response: Problem is not {"$ref": "#/components/schemas/Item"}'
    ]
    other = service()
    serve_description(other, examples={"make_nothing": Example()})
    with pytest.raises(ValueError, match="make_nothing"):
        other.openapi()


def problem_values() -> dict[str, Any]:
    return {"title": "t", "status": 409, "detail": "d", "code": "c", "instance": "/", "request_id": None}


async def test_the_example_of_a_refused_request_is_one_that_the_operation_gives() -> None:
    app = service()

    def shown(path: str, method: str) -> Any:
        answer = operation(app, path, method)["responses"]["422"]["content"][MEDIA_TYPE]
        return answer["examples"]["validation_failed"]["value"]["errors"]

    async with asgi_client(app) as client:
        assert shown("/either", "get") == (await client.get("/either", params={"limit": 0})).json()["errors"]
        assert shown("/items", "post") == (await client.post("/items", json={"sizes": []})).json()["errors"]
