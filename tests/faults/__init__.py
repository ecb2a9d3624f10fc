"""Faults planted in a running platform: `make faults` prints what it survived."""
