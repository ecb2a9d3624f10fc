"""Load a generated history in bulk."""
