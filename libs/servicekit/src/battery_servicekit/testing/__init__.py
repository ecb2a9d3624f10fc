"""Fixtures for the suites of every member; load them with ``pytest_plugins``."""
