"""The database: metadata, tables, connections, migrations and the module that knows TimescaleDB."""
