from datetime import UTC, date, datetime
from typing import Any

import pytest
from pydantic import TypeAdapter, ValidationError

from battery_contracts.instants import Day, Instant

INSTANTS: TypeAdapter[datetime] = TypeAdapter(Instant)
DAYS: TypeAdapter[date] = TypeAdapter(Day)


@pytest.mark.parametrize(
    "value",
    [
        "2026-11-20T01:00:00Z",
        "2026-11-20T08:00:00+07:00",
        "2026-11-20 08:00:00.000+07:00",
        datetime(2026, 11, 20, 1, tzinfo=UTC),
    ],
)
def test_an_instant_is_written_with_its_offset(value: Any) -> None:
    assert INSTANTS.validate_python(value) == datetime(2026, 11, 20, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    "value",
    [
        0.5,
        1_795_136_400,
        "1795136400",
        "1795136400000",
        "0.5",
        "-1",
        "",
        "2026",
        True,
        "20/11/2026",
        "2026-11-20T08:00:00",
    ],
)
def test_what_could_be_another_instant_is_refused(value: Any) -> None:
    with pytest.raises(ValidationError):
        INSTANTS.validate_python(value)


@pytest.mark.parametrize(
    ("value", "remedy"),
    [
        ("2569-11-20T08:00:00+07:00", "write 2026"),
        ("0001-01-01T00:00:00Z", "1970 to 2199"),
        ("1969-12-31T23:59:59Z", "1970 to 2199"),
        ("9999-12-31T23:59:59.999999-12:00", "1970 to 2199"),
    ],
)
def test_a_year_that_nobody_means_is_refused_with_the_remedy(value: str, remedy: str) -> None:
    with pytest.raises(ValidationError, match=remedy):
        INSTANTS.validate_python(value)


def test_a_day_is_a_day_and_no_instant() -> None:
    assert DAYS.validate_python("2026-11-20") == date(2026, 11, 20)
    for value in (0, 1_795_132_800, "1795132800", "2026-11-20T00:00:00Z", ""):
        with pytest.raises(ValidationError, match="2026-11-20"):
            DAYS.validate_python(value)


def test_the_schema_is_the_usual_one() -> None:
    assert INSTANTS.json_schema() == {"type": "string", "format": "date-time"}
    assert DAYS.json_schema() == {"type": "string", "format": "date"}
