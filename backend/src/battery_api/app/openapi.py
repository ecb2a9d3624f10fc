"""The OpenAPI description, with the realtime events beside the routes."""

from typing import Any, Final

from fastapi import FastAPI
from pydantic import BaseModel

from battery_api.accounts import examples as accounts_examples
from battery_api.alerts import examples as alerts_examples
from battery_api.fleet import examples as fleet_examples
from battery_api.incidents import examples as incident_examples
from battery_api.predictions import examples as prediction_examples
from battery_api.silences import examples as silence_examples
from battery_api.telemetry import examples as telemetry_examples
from battery_api.twin import examples as twin_examples
from battery_contracts import events, incidents
from battery_contracts.telemetry import TelemetryBatch
from battery_servicekit.openapi import description
from battery_servicekit.openapi.bodies import declare
from battery_servicekit.openapi.examples import Examples

EXAMPLES: Final[Examples] = {
    **accounts_examples.EXAMPLES,
    **fleet_examples.EXAMPLES,
    **telemetry_examples.EXAMPLES,
    **twin_examples.EXAMPLES,
    **prediction_examples.EXAMPLES,
    **alerts_examples.EXAMPLES,
    **incident_examples.EXAMPLES,
    **silence_examples.EXAMPLES,
}
"""Examples by operation id."""
_EVENTS: Final[dict[str, type[BaseModel]]] = {
    "connected": events.Connected,
    "subscribed": events.Subscribed,
    "telemetry_update": events.TelemetryUpdate,
    "alert": events.AlertEvent,
    "incident": incidents.IncidentEvent,
    "battery_status_update": events.BatteryStatusUpdate,
    "prediction_update": events.PredictionUpdate,
    "pong": events.Pong,
    "error": events.RealtimeError,
    "subscribe_location": events.SubscribeLocation,
    "subscribe_battery": events.SubscribeBattery,
}


def describe(app: FastAPI) -> dict[str, Any]:
    """Return the description of an app; Socket.IO events are under ``webhooks``, so that clients get their types."""
    return app.openapi()


def serve_description(app: FastAPI) -> None:
    """Serve the same description at the app's OpenAPI address as in the file."""
    # The body of POST telemetry is parsed by hand for speed, so its model is declared here too.
    description.serve_description(app, bodies=[TelemetryBatch], examples=EXAMPLES, extend=_add_events)


def _add_events(described: dict[str, Any]) -> None:
    keyed = declare(described, [(model, "serialization") for model in _EVENTS.values()])
    described["webhooks"] = {
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
