"""Live push from a real gateway process to real Socket.IO clients."""

import asyncio

import pytest
import socketio

from tests.realtime.world import BATTERY, LOCATION, PASSWORD, Live, log_in


@pytest.mark.parametrize("token", [None, "", "not.a.token"])
async def test_nobody_listens_without_a_valid_token(live: Live, token: str | None) -> None:
    with pytest.raises(socketio.exceptions.ConnectionError):
        await live.listener(token)


async def test_updates_follow_the_subscription_without_a_gap_and_end_where_the_snapshot_is(live: Live) -> None:
    listener = await live.listener(live.token)
    assert (await listener.next("connected"))["username"] == "admin"
    await listener.client.emit("subscribe_location", {"location_id": LOCATION})
    subscribed = await listener.next("subscribed")
    assert subscribed["room"] == f"location:{LOCATION}"

    for number in range(1, 4):
        await live.post(13.5 + number / 100)
        update = await listener.next("telemetry_update")
        assert update["seq"] == subscribed["seq"] + number
        assert update["columns"]["battery_id"] == [BATTERY]
        assert update["columns"]["voltage_v"] == [pytest.approx(13.5 + number / 100)]
        # What was not measured has no column.
        assert "temperature_c" not in update["columns"]

    headers = {"Authorization": f"Bearer {live.token}"}
    snapshot = (await live.http.get("/telemetry/latest", params={"location_id": LOCATION}, headers=headers)).json()
    assert snapshot["locations"][LOCATION]["seq"] == subscribed["seq"] + 3
    await listener.client.disconnect()


async def test_a_room_of_one_battery_and_an_alert(live: Live) -> None:
    listener = await live.listener(live.token)
    await listener.client.emit("subscribe_battery", {"battery_id": BATTERY})
    await listener.next("subscribed")

    await live.post(0.0)

    update = await listener.next("telemetry_update")
    assert update["room"] == f"battery:{BATTERY}"
    alert = await listener.next("alert")
    assert (alert["event"], alert["alert"]["battery_id"], alert["alert"]["severity"]) == ("raised", BATTERY, "critical")
    await listener.client.disconnect()


async def test_what_a_client_may_not_see_or_does_not_exist_is_refused_alike(live: Live) -> None:
    headers = {"Authorization": f"Bearer {live.token}"}
    viewer = {"username": "viewer", "password": PASSWORD, "role": "viewer", "location_ids": []}
    created = await live.http.post("/auth/users", json=viewer, headers=headers)
    assert created.status_code == 201, created.text
    listener = await live.listener(await log_in(live.http, "viewer", PASSWORD))

    for location_id in (LOCATION, "DC-ZZZ-99"):
        await listener.client.emit("subscribe_location", {"location_id": location_id})
        assert (await listener.next("error"))["code"] == "not_found"
    await listener.client.emit("subscribe_location", {"location_id": 7})
    assert (await listener.next("error"))["code"] == "invalid_event"
    await listener.client.emit("ping", {})
    await listener.next("pong")

    # A user who is switched off is cut off within five seconds.
    user_id = created.json()["user_id"]
    changed = await live.http.patch(f"/auth/users/{user_id}", json={"is_active": False}, headers=headers)
    assert changed.status_code == 200, changed.text
    async with asyncio.timeout(5):
        await listener.client.wait()
    assert not listener.client.connected
