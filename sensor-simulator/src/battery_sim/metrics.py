"""Prometheus metrics of the feed."""

from typing import Final

from prometheus_client import Counter, Gauge, Histogram

READINGS: Final = Counter("sim_readings_total", "Readings by outcome.", ("outcome",))
BATCHES_REFUSED: Final = Counter("sim_batches_refused_total", "Batches that the gateway refused permanently.")
SEND_FAILURES: Final = Counter("sim_send_failures_total", "Failed attempts to send, after which the batches were kept.")
SPOOL_BATCHES: Final = Gauge("sim_spool_batches", "Batches that wait for the gateway.")
SPOOL_BYTES: Final = Gauge("sim_spool_bytes", "Bytes that wait for the gateway.")
LAG_SECONDS: Final = Gauge("sim_world_lag_seconds", "How far the world is behind the clock.")
TICKS_SKIPPED: Final = Counter(
    "sim_ticks_skipped_total", "Ticks whose readings were not made or not stored, by cause.", ("cause",)
)
TICK_SECONDS: Final = Histogram(
    "sim_tick_seconds",
    "Time to advance the world by one tick and to store its readings.",
    buckets=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1),
)
