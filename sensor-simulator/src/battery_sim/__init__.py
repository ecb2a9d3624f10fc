"""Live telemetry of the fleet from the synthetic world, buffered and delivered without loss."""
