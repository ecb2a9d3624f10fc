"""Integration of a site's batteries, a UTC day at a time."""
