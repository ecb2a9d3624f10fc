from typing import Any

from fastapi import FastAPI, Request
from pydantic import BaseModel

from battery_servicekit.openapi.bodies import body_of, declare
from battery_servicekit.openapi.description import serve_description
from battery_servicekit.responses import JsonResponse
from battery_servicekit.testing.asgi import asgi_client


class Inner(BaseModel):
    number: int


class Outer(BaseModel):
    """A body that the route parses by hand."""

    inner: Inner
    note: str = ""


def app_with_hand_parsed_body() -> FastAPI:
    app = FastAPI()

    @app.post("/outer", openapi_extra=body_of(Outer))
    async def take(request: Request) -> JsonResponse:
        return JsonResponse(Outer.model_validate_json(await request.body()))

    serve_description(app, bodies=[Outer])
    return app


async def test_a_hand_parsed_body_is_described_with_what_it_contains() -> None:
    async with asgi_client(app_with_hand_parsed_body()) as client:
        description = (await client.get("/openapi.json")).json()
        accepted = await client.post("/outer", json={"inner": {"number": 1}})
    body = description["paths"]["/outer"]["post"]["requestBody"]
    assert body["required"] is True
    assert body["content"]["application/json"]["schema"] == {"$ref": "#/components/schemas/Outer"}
    schemas = description["components"]["schemas"]
    assert schemas["Outer"]["properties"]["inner"] == {"$ref": "#/components/schemas/Inner"}
    assert schemas["Inner"]["required"] == ["number"]
    # A default makes the field optional in a request.
    assert schemas["Outer"]["required"] == ["inner"]
    assert accepted.json() == {"inner": {"number": 1}, "note": ""}


def test_the_description_is_the_same_each_time() -> None:
    app = app_with_hand_parsed_body()
    assert app.openapi() == app.openapi()


def test_declare_returns_references_and_keeps_what_is_there() -> None:
    description: dict[str, Any] = {"components": {"schemas": {"Inner": {"description": "declared by a route"}}}}
    references = declare(description, [(Outer, "serialization")])
    assert references[(Outer, "serialization")] == {"$ref": "#/components/schemas/Outer"}
    assert description["components"]["schemas"]["Inner"] == {"description": "declared by a route"}
    # A response always carries its defaults.
    assert description["components"]["schemas"]["Outer"]["required"] == ["inner"]
