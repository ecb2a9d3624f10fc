"""Runtime of a string under a load."""
