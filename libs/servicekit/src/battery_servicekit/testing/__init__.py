"""Test fixtures for all members; load them with ``pytest_plugins``."""
