"""The OpenAPI description, with the realtime events declared beside the routes."""

from typing import Any, Final

from fastapi import FastAPI
from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from battery_contracts import events
from battery_contracts.telemetry import TelemetryBatch

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
    """Return the description of an app; Socket.IO events stand under ``webhooks`` so that clients get their types."""
    description = app.openapi()
    keyed, definitions = models_json_schema(
        # The body of POST telemetry is read by hand for speed, so its model is declared here too.
        [*((model, "serialization") for model in _EVENTS.values()), (TelemetryBatch, "validation")],
        ref_template="#/components/schemas/{model}",
    )
    schemas = description.setdefault("components", {}).setdefault("schemas", {})
    for name, schema in definitions.get("$defs", {}).items():
        schemas.setdefault(name, schema)
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
                "responses": {"200": {"description": "Sent over Socket.IO; nothing is answered."}},
            }
        }
        for name, model in _EVENTS.items()
    }
    return description
