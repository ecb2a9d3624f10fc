"""The wire is closed: hand-rendered responses follow their models, and the fast parser accepts what its model does."""

import types
from datetime import timedelta
from typing import Any, Union, get_args, get_origin, get_type_hints

import msgspec
import pytest
from pydantic import AwareDatetime, BaseModel

from battery_api.telemetry.ingest import parsing
from battery_api.telemetry.ingest.readings import BATTERY_SHAPE, LOCATION_SHAPE, STRING_SHAPE, ReadingShape
from battery_api.telemetry.schemas import TelemetryLatest, TelemetrySeries
from battery_api.telemetry.store.rollups import run_once
from battery_contracts import telemetry as contract
from battery_contracts.clients.mocks import ConstantTwin

from .world import BATTERIES, LOCATIONS, NOW, Gateway, ago, iso, reading, with_twin


def assert_follows(model: type[BaseModel], content: dict[str, Any]) -> None:
    """Check values by validation, and that the response has the fields of its model: none missing, none more."""
    parsed = model.model_validate(content, strict=False)
    assert _fields(parsed.model_dump(mode="json")) == _fields(content)


def _fields(node: Any) -> Any:
    if isinstance(node, dict):
        return {name: _fields(value) for name, value in node.items()}
    return None


@pytest.fixture
async def filled(gateway: Gateway) -> Gateway:
    """A gateway with readings, gaps and estimates of one battery over three days, rolled up."""
    with_estimates = with_twin(gateway, ConstantTwin())
    hours = [NOW - timedelta(hours=hour) for hour in range(70, 0, -7)]
    for number, instant in enumerate(hours):
        values: dict[str, Any] = {"internal_resistance_mohm": 3.5, "temperature_c": 25.0} if number % 3 == 0 else {}
        await with_estimates.post({"readings": [reading(at=instant, **values)]})
    environment = {
        "location_id": LOCATIONS[0],
        "time": iso(ago(60)),
        "ambient_c": 24.0,
        "hvac": "running",
        "mains": True,
    }
    await gateway.post({"site_readings": [environment]})
    await run_once(gateway.context)
    return gateway


@pytest.mark.parametrize("resolution", ["auto", "raw", "1m", "1h", "1d"])
async def test_a_series_of_every_resolution_follows_its_model(filled: Gateway, resolution: str) -> None:
    span = timedelta(hours=10) if resolution == "1m" else timedelta(hours=72)
    query: dict[str, str | int] = {
        "start": iso(NOW - span),
        "end": iso(NOW),
        "resolution": resolution,
        "max_points": 1000,
    }
    async with filled.client() as client:
        response = await client.get(f"batteries/{BATTERIES[0]}/telemetry", params=query)
    assert response.status_code == 200, response.text
    content = response.json()
    assert_follows(TelemetrySeries, content)
    assert content["point_count"] == len(content["columns"]["time"]) > 0
    assert content["resolution"] == ("raw" if resolution == "auto" else resolution)
    for name in ("voltage_v", "internal_resistance_mohm", "soc_pct"):
        assert {len(column) for column in content["columns"][name].values()} == {content["point_count"]}


async def test_a_series_without_readings_follows_its_model(gateway: Gateway) -> None:
    async with gateway.client() as client:
        response = await client.get(f"batteries/{BATTERIES[1]}/telemetry")
    assert_follows(TelemetrySeries, response.json())
    assert response.json()["point_count"] == 0


@pytest.mark.parametrize("query", [{}, {"location_id": LOCATIONS[0]}])
async def test_the_newest_values_follow_their_model(filled: Gateway, query: dict[str, str]) -> None:
    async with filled.client() as client:
        response = await client.get("telemetry/latest", params=query)
    content = response.json()
    assert_follows(TelemetryLatest, content)
    lengths = {len(column) for column in content["columns"].values()}
    assert lengths == {len(BATTERIES) if not query else len(BATTERIES) // 2}


PAIRS: list[tuple[type[msgspec.Struct], type[BaseModel]]] = [
    (parsing.BatteryReadingStruct, contract.BatteryReading),
    (parsing.BatteryColumnsStruct, contract.BatteryColumns),
    (parsing.StringReadingStruct, contract.StringReading),
    (parsing.LocationReadingStruct, contract.LocationReading),
    (parsing.BatchStruct, contract.TelemetryBatch),
]


def _shape_of(annotation: Any) -> Any:
    """Return what JSON a type accepts: its container, whether null is allowed, and the innermost type."""
    origin = get_origin(annotation)
    if origin in {Union, types.UnionType}:
        inner = [item for item in get_args(annotation) if item is not type(None)]
        return ("nullable", _shape_of(inner[0])) if len(inner) < len(get_args(annotation)) else _shape_of(inner[0])
    if origin is list:
        return ("list", _shape_of(get_args(annotation)[0]))
    if hasattr(annotation, "__metadata__"):
        return _shape_of(get_args(annotation)[0])
    if isinstance(annotation, type) and issubclass(annotation, BaseModel | msgspec.Struct):
        return "object"
    # Ids and times are text on the wire; the parser checks them afterwards, reading by reading.
    return "text" if annotation in {str, AwareDatetime} else annotation


@pytest.mark.parametrize(("struct", "model"), PAIRS, ids=lambda kind: kind.__name__)
def test_the_fast_parser_has_the_fields_of_the_public_model(
    struct: type[msgspec.Struct], model: type[BaseModel]
) -> None:
    fast = get_type_hints(struct)
    public = get_type_hints(model, include_extras=True)
    public = {name: public[name] for name in model.model_fields}
    assert set(fast) == set(public)
    for name, annotation in public.items():
        expected = _shape_of(annotation)
        # A list that may be left out is absent for one and null for the other: both mean no readings.
        accepted = {str(expected), str(("nullable", expected))}
        assert str(_shape_of(fast[name])) in accepted, name


@pytest.mark.parametrize(
    ("shape", "model"),
    [
        (BATTERY_SHAPE, contract.BatteryReading),
        (STRING_SHAPE, contract.StringReading),
        (LOCATION_SHAPE, contract.LocationReading),
    ],
    ids=lambda item: getattr(item, "kind", None),
)
def test_the_store_knows_every_field_of_a_reading(shape: ReadingShape, model: type[BaseModel]) -> None:
    assert set(shape.fields) == set(model.model_fields)


def test_required_fields_are_required_by_both() -> None:
    for struct, model in PAIRS:
        required = {field.name for field in msgspec.structs.fields(struct) if field.required}
        assert required == {name for name, field in model.model_fields.items() if field.is_required()}
