"""Files of generated data: whole or not there."""
