"""The OpenAPI description, with the realtime events beside the routes."""

from typing import Any, Final

from fastapi import FastAPI
from pydantic import BaseModel

from battery_contracts import events
from battery_contracts.telemetry import TelemetryBatch
from battery_servicekit.openapi import declare

_API_KEY: Final = "APIKeyHeader"
_EVENTS: Final[dict[str, type[BaseModel]]] = {
    "connected": events.Connected,
    "subscribed": events.Subscribed,
    "telemetry_update": events.TelemetryUpdate,
    "alert": events.AlertEvent,
    "battery_status_update": events.BatteryStatusUpdate,
    "pong": events.Pong,
    "error": events.RealtimeError,
    "subscribe_location": events.SubscribeLocation,
    "subscribe_battery": events.SubscribeBattery,
}


def describe(app: FastAPI) -> dict[str, Any]:
    """Return the description of an app; Socket.IO events are under ``webhooks``, so that clients get their types."""
    # Not `app.openapi`, which is this function; the method of the class caches its result.
    description = FastAPI.openapi(app)
    if "webhooks" in description:
        return description
    _offer_api_keys(description)
    keyed = declare(
        description,
        # The body of POST telemetry is parsed by hand for speed, so its model is declared here too.
        [*((model, "serialization") for model in _EVENTS.values()), (TelemetryBatch, "validation")],
    )
    description["webhooks"] = {
        name: {
            "post": {
                "summary": (model.__doc__ or name).strip().splitlines()[0],
                "operationId": f"realtime_{name}",
                "tags": ["realtime"],
                "requestBody": {
                    "required": True,
                    "content": {"application/json": {"schema": keyed[model, "serialization"]}},
                },
                "responses": {"200": {"description": "Sent over Socket.IO; there is no response."}},
            }
        }
        for name, model in _EVENTS.items()
    }
    return description


def serve_description(app: FastAPI) -> None:
    """Serve the same description at the app's OpenAPI address as in the file."""
    app.openapi = lambda: describe(app)  # type: ignore[method-assign]  # FastAPI's documented way


def _offer_api_keys(description: dict[str, Any]) -> None:
    """Declare the API key as the other way to authenticate; the dependency itself can name only one scheme."""
    schemes = description["components"]["securitySchemes"]
    schemes[_API_KEY] = {"type": "apiKey", "description": "API key of a machine.", "in": "header", "name": "X-API-Key"}
    for operations in description["paths"].values():
        for operation in operations.values():
            if operation.get("security"):
                operation["security"] = [*operation["security"], {_API_KEY: []}]
