import json
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from pydantic import BaseModel

from battery_servicekit.responses import JsonResponse


class Reading(BaseModel):
    time: datetime
    voltage_v: float | None
    note: str | None = None


def body(response: JsonResponse) -> Any:
    return json.loads(bytes(response.body))


BANGKOK = timezone(timedelta(hours=7))


@pytest.mark.parametrize(
    ("instant", "text"),
    [
        (datetime(2026, 1, 31, 12, 30, tzinfo=UTC), "2026-01-31T12:30:00Z"),
        (datetime(2026, 1, 31, 12, 30, 0, 250_000, tzinfo=UTC), "2026-01-31T12:30:00.250000Z"),
    ],
)
def test_instants_in_utc_end_in_z_in_models_and_in_plain_data(instant: datetime, text: str) -> None:
    assert body(JsonResponse({"time": instant}))["time"] == text
    assert body(JsonResponse(Reading(time=instant, voltage_v=None)))["time"] == text


def test_other_zones_keep_their_offset() -> None:
    instant = datetime(2026, 1, 31, 19, 30, tzinfo=BANGKOK)
    assert body(JsonResponse({"time": instant}))["time"] == "2026-01-31T19:30:00+07:00"


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf")])
def test_numbers_that_json_lacks_become_null(value: float) -> None:
    assert bytes(JsonResponse({"v": [value, 1.5]}).body) == b'{"v":[null,1.5]}'
    reading = Reading(time=datetime(2026, 1, 31, tzinfo=UTC), voltage_v=value)
    assert body(JsonResponse(reading))["voltage_v"] is None


def test_absent_fields_are_kept_unless_excluded() -> None:
    reading = Reading(time=datetime(2026, 1, 31, tzinfo=UTC), voltage_v=13.6)
    assert body(JsonResponse(reading))["note"] is None
    assert "note" not in body(JsonResponse(reading, exclude_none=True))


def test_status_media_type_and_headers_are_set() -> None:
    response = JsonResponse([], status=202, media_type="application/problem+json", headers={"Retry-After": "3"})
    assert response.status_code == 202
    assert response.headers["content-type"] == "application/problem+json"
    assert response.headers["retry-after"] == "3"
    assert response.headers["content-length"] == "2"


def test_what_has_no_json_form_fails_instead_of_being_guessed() -> None:
    with pytest.raises(TypeError):
        JsonResponse({"thing": object()})


def test_numpy_arrays_and_scalars_are_rendered() -> None:
    numpy = pytest.importorskip("numpy", reason="an optional dependency of the members that use it")
    content = {"v": numpy.array([1.5, float("nan")]), "n": numpy.int64(7), "flag": numpy.bool_(True)}
    assert bytes(JsonResponse(content).body) == b'{"v":[1.5,null],"n":7,"flag":true}'
