"""Prometheus metrics of ingest."""

from typing import Final

from prometheus_client import Counter, Histogram

ROWS: Final = Counter("telemetry_rows_total", "Readings posted, by outcome.", ("outcome",))
LEFT_OUT: Final = Counter(
    "telemetry_values_left_out_total", "Values left out of accepted readings: their monitor had none."
)
STAGE_SECONDS: Final = Histogram(
    "telemetry_batch_seconds",
    "Time of one batch by stage.",
    ("stage",),
    buckets=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5),
)
TWIN: Final = Counter("telemetry_twin_calls_total", "Calls to the digital twin for a batch, by outcome.", ("outcome",))
RETRIES: Final = Counter("telemetry_batch_retries_total", "Retried batches, by cause.", ("cause",))
