"""Alerts: the pure rule engine, what it raises and what people do with it."""
