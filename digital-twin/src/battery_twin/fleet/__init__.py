"""The whole fleet in one call: readings and stored states in, estimates and new states out."""
