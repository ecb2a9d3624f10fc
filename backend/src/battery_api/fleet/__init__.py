"""Locations, systems, strings and batteries: the catalogue, its import and its live view."""
