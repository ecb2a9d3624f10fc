"""Read telemetry: newest values, series, exports and completeness."""
