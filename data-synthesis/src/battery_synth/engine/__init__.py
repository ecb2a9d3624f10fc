"""Integration of a location's batteries, one UTC day at a time."""
