"""Readings: ingest, history, roll-ups, export."""
