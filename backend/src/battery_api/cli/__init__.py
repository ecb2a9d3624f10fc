"""Command-line tools for the gateway and for integrators."""
