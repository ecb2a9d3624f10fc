"""Files of generated data, each complete or absent."""
