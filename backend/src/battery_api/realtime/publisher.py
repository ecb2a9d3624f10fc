"""Publish the events of ingest and alerts to their rooms; best effort, never raises."""

import asyncio
from collections.abc import Container, Sequence
from typing import Any, Final

import structlog
from prometheus_client import Counter

from battery_api.realtime.server import RealtimeServer
from battery_contracts.events import (
    AlertMessage,
    BatteryStatusUpdate,
    PredictionUpdate,
    TelemetryUpdate,
    battery_room,
    location_room,
)
from battery_contracts.incidents import IncidentEvent

_log = structlog.get_logger(__name__)
_SENT = Counter("realtime_messages_total", "Messages handed to the Socket.IO server.", ("event",))
_LOST = Counter("realtime_messages_lost_total", "Messages that could not be sent.", ("event",))

QUEUE_LIMIT: Final = 2_000
"""Messages that may wait; beyond it the oldest are dropped, and the gap in ``seq`` makes clients re-read a snapshot."""


class SocketPublisher:
    """Queues messages and sends them from one task, so that a slow socket never delays the response to a sender.

    One task also preserves the order of messages within a room.
    """

    def __init__(self, server: RealtimeServer) -> None:
        self._server = server
        self._queue: asyncio.Queue[tuple[str, dict[str, Any], str]] = asyncio.Queue(QUEUE_LIMIT)

    async def publish_telemetry(self, updates: Sequence[TelemetryUpdate]) -> None:
        """Queue updates, one per room."""
        for update in updates:
            self._put("telemetry_update", update.model_dump(mode="json", exclude_none=True), update.room)

    async def publish_alerts(self, events: Sequence[AlertMessage]) -> None:
        """Queue changes of alerts and incidents for the rooms of their location, those of alerts also of battery."""
        for event in events:
            payload = event.model_dump(mode="json")
            if isinstance(event, IncidentEvent):
                self._put("incident", payload, location_room(event.incident.location_id))
                continue
            self._put("alert", payload, location_room(event.alert.location_id))
            if event.alert.battery_id is not None:
                self._put("alert", payload, battery_room(event.alert.battery_id))

    async def publish_statuses(self, updates: Sequence[BatteryStatusUpdate]) -> None:
        """Queue changed statuses for the rooms of their location, and for those of batteries that are watched."""
        for update in updates:
            self._put_columns("battery_status_update", update)

    async def publish_predictions(self, updates: Sequence[PredictionUpdate]) -> None:
        """Queue new predictions for the rooms of their location, and for those of batteries that are watched."""
        for update in updates:
            self._put_columns("prediction_update", update)

    def watched_batteries(self) -> Container[str]:
        """Return the batteries whose own room may have a listener."""
        return self._server.watched_batteries()

    async def run(self) -> None:
        """Send queued messages for the life of the process."""
        while True:
            event, payload, room = await self._queue.get()
            try:
                await self._server.sio.emit(event, payload, room=room)
            except Exception as error:  # noqa: BLE001  # a broken client or broker must not end live updates for everyone
                _LOST.labels(event).inc()
                _log.warning("message not sent", realtime_event=event, room=room, error=type(error).__name__)
            else:
                _SENT.labels(event).inc()

    def _put_columns(self, event: str, update: BatteryStatusUpdate | PredictionUpdate) -> None:
        watched, payload = self.watched_batteries(), update.model_dump(mode="json")
        self._put(event, payload, location_room(update.location_id))
        for row, battery_id in enumerate(update.columns.battery_id):
            if battery_id in watched:
                columns = {name: [values[row]] for name, values in payload["columns"].items()}
                self._put(event, {**payload, "columns": columns}, battery_room(battery_id))

    def _put(self, event: str, payload: dict[str, Any], room: str) -> None:
        while True:
            try:
                self._queue.put_nowait((event, payload, room))
            except asyncio.QueueFull:
                lost_event, _, _ = self._queue.get_nowait()
                _LOST.labels(lost_event).inc()
            else:
                return
