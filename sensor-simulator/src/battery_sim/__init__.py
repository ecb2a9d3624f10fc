"""Live telemetry of the fleet from the synthetic world, buffered and drained without loss."""
