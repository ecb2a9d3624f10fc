"""How telemetry is stored: statements, columns, instants, marks and roll-ups."""
