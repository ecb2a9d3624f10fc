"""Command-line tools of the gateway and of integrators."""
