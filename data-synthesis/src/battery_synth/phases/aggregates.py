"""Hourly and daily aggregates of each battery: lowest, mean and highest of every channel, so that spikes survive."""

from collections.abc import Iterator
from typing import Final

import pyarrow as pa
import pyarrow.compute as pc

from battery_synth.phases.folder import months
from battery_synth.realism.tables import DatasetTables

CHANNELS: Final = ("voltage_v", "current_a", "temperature_c", "internal_resistance_mohm")
_UNITS: Final = (("hourly", "hour"), ("daily", "day"))


def make(data: DatasetTables) -> Iterator[tuple[str, pa.Table]]:
    """Yield buckets; a file of readings holds whole months of its batteries, so no bucket is split."""
    for rows in months(data, "telemetry"):
        for name, unit in _UNITS:
            bucketed = rows.append_column("bucket", pc.floor_temporal(rows["time"], unit=unit))
            columns = [("time", "count"), *((channel, how) for channel in CHANNELS for how in ("min", "mean", "max"))]
            made = bucketed.group_by(["battery_id", "bucket"], use_threads=False).aggregate(columns)
            yield f"aggregates/{name}", made.rename_columns({"bucket": "time", "time_count": "readings"})
