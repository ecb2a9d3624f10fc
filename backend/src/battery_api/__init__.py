"""The gateway: authentication, fleet, telemetry, alerts, jobs, realtime; the only owner of the database."""
