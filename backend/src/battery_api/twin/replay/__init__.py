"""Readings that waited for the digital twin are estimated in their place, from the newest snapshot before them."""
