"""Training under the service: one process at a time, watched, and ended with its parent."""
