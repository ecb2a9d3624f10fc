"""Estimates of a battery with a faulty sensor are withheld: one rule for every query of state rows ``s``."""

from typing import Final

from battery_contracts.enums import ReadingQuality

_IS_AT_FAULT: Final = "(s.rule_state #> '{sensor_fault,alert}') is not null"
QUALITY_SQL: Final = (
    f"s.quality | case when {_IS_AT_FAULT} then {int(ReadingQuality.SENSOR_FAULT)} else 0 end as quality"
)
"""The quality flags of the newest reading, with `ReadingQuality.SENSOR_FAULT` while such an alert is open."""


def estimate_sql(column: str) -> str:
    """Return an estimate of a state row as an SQL expression, null while a sensor is at fault."""
    return f"case when {_IS_AT_FAULT} then null else s.{column} end as {column}"
