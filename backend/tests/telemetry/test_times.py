"""Times as senders write them, in both ways to parse a batch."""

import json

import pytest

from battery_api.telemetry.ingest.parsing import parse_batch
from battery_api.telemetry.ingest.readings import ParsedBatch
from battery_api.telemetry.store.instants import instant
from battery_contracts.enums import RejectCode

from .world import BATTERIES


def batches_with(time: str) -> list[ParsedBatch]:
    """Return the reading at a time, parsed the fast way, as columns, and beside a broken one the lenient way."""
    made = {"battery_id": BATTERIES[0], "time": time, "voltage_v": 13.6}
    bodies = (
        {"readings": [made]},
        {"columns": {name: [value] for name, value in made.items()}},
        {"readings": [made, {**made, "voltage_v": "13.6"}]},
    )
    return [parse_batch(json.dumps(body).encode()) for body in bodies]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-11-20T08:00:01z", "2026-11-20T08:00:01+00:00"),
        ("2026-11-20t08:00:01Z", "2026-11-20T08:00:01+00:00"),
        ("2026-11-20 08:00:01Z", "2026-11-20T08:00:01+00:00"),
        ("2026-11-20T08:00:01,5Z", "2026-11-20T08:00:01.500000+00:00"),
        ("2026-11-20T08:00:01.123456999Z", "2026-11-20T08:00:01.123456+00:00"),
        ("2026-11-20T08:00:01+0700", "2026-11-20T01:00:01+00:00"),
        ("2026-11-20T08:00:01+07", "2026-11-20T01:00:01+00:00"),
        ("20261120T080001Z", "2026-11-20T08:00:01+00:00"),
        ("2026-11-20T23:59:60Z", "2026-11-21T00:00:00+00:00"),
        ("2026-11-20T23:59:60.25z", "2026-11-21T00:00:00.250000+00:00"),
        ("20261120T235960Z", "2026-11-21T00:00:00+00:00"),
        ("2026-11-21T06:59:60+07:00", "2026-11-21T00:00:00+00:00"),
        ("2026-11-20T23:58:59.60Z", "2026-11-20T23:58:59.600000+00:00"),
    ],
)
def test_a_time_is_read_as_its_sender_means_it(text: str, expected: str) -> None:
    for batch in batches_with(text):
        assert [instant(at).isoformat() for at in batch.batteries.time_us.tolist()] == [expected]


@pytest.mark.parametrize(
    ("text", "detail"),
    [
        ("2569-11-29T08:00:00+07:00", "543 less: 2026-11-29T08:00:00+07:00"),
        ("2567-02-29T08:00:00+07:00", "543 less: 2024-02-29T08:00:00+07:00"),
        ("25691129T080000Z", "the year 2569 of the Buddhist era"),
        ("2569-11-29 08:00", "the year 2569 of the Buddhist era"),
        ("2026-11-20T12:34:60Z", "has the second 60, which only 23:59:60 UTC has"),
        ("2026-11-20T23:59:60+07:00", "has the second 60, which only 23:59:60 UTC has"),
        ("2026-11-20T23:59:61Z", "is not a time; send ISO 8601 with a zone"),
        ("9999-12-31T23:59:60", "has no zone"),
        ("2026-11-20T08:00:00", "has no zone; add Z for UTC or an offset like +07:00"),
        ("46355.5", "is not a time; send ISO 8601 with a zone"),
        ("25691129", "the year 2569 of the Buddhist era"),
        ("1763640000", "is not a time"),
        ("", "is not a time"),
    ],
)
def test_a_text_that_is_no_time_is_refused_with_the_remedy(text: str, detail: str) -> None:
    for batch in batches_with(text):
        rejection = batch.rejected[0] if batch.rejected[0].index == 0 else batch.rejected[1]
        assert rejection.code is RejectCode.BAD_TIME
        assert detail in rejection.detail
        assert len(batch.batteries) == 0
