"""Empty databases of both engines."""

from battery_servicekit.testing.postgres import fresh_database, postgres_url
from battery_servicekit.testing.timescale import timescale_url

__all__ = ["fresh_database", "postgres_url", "timescale_url"]
