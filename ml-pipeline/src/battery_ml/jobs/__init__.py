"""Training jobs of the service: one process at a time, supervised, and ended with the service."""
