"""Columns read as arrays say the same as the rows that the driver decodes."""

import numpy as np

from battery_api.db.fetching import fetch_all
from battery_api.telemetry.store.array_columns import ArrayColumn, read_arrays
from battery_api.telemetry.store.instants import NEVER, microseconds_of
from tests.telemetry.world import Gateway

_COLUMNS = (
    ArrayColumn("small", "smallint"),
    ArrayColumn("whole", "int"),
    ArrayColumn("big", "bigint"),
    ArrayColumn("real_value", "real"),
    ArrayColumn("at", "instant"),
    ArrayColumn("doubled", "bigint", "2 * big"),
)
_SOURCE = """
    select * from (values
        (1::smallint, -2, 9000000000::bigint, 13.37::real, timestamptz '2026-11-30 03:00:00.000001+07'),
        (null, null, null, null, null),
        ((-5)::smallint, 7, (-1)::bigint, (-0.25)::real, timestamptz '1969-12-31 23:59:59+00')
    ) as t(small, whole, big, real_value, at)
    limit $1::int
"""


async def test_every_kind_of_column_reads_as_the_driver_reads_its_rows(gateway: Gateway) -> None:
    async with gateway.database.begin() as connection:
        rows = await fetch_all(connection, _SOURCE, (3,))
        columns = await read_arrays(connection, _COLUMNS, _SOURCE, (3,))
    small, whole, big, real_value, at = zip(*rows, strict=True)
    for name, values in (("small", small), ("whole", whole), ("big", big)):
        assert columns[name].tolist() == [value or 0 for value in values]
    np.testing.assert_array_equal(columns["real_value"], np.array(real_value, np.float64))
    assert columns["at"].tolist() == microseconds_of(at).tolist()
    assert columns["at"][1] == NEVER
    assert columns["doubled"].tolist() == [18_000_000_000, 0, -2]


async def test_no_rows_are_empty_columns(gateway: Gateway) -> None:
    async with gateway.database.begin() as connection:
        columns = await read_arrays(connection, _COLUMNS, _SOURCE, (0,))
    assert {name: len(values) for name, values in columns.items()} == dict.fromkeys(columns, 0)
