"""Prometheus metrics that every service exposes."""

from prometheus_client import Histogram

REQUEST_SECONDS = Histogram(
    "http_request_seconds",
    "Time from the first byte of a request to the last byte of its response.",
    ("method", "route", "status"),
    buckets=(0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10),
)
