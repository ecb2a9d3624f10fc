"""The database: metadata, tables, sessions and the one file that knows TimescaleDB."""
