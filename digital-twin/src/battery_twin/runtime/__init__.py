"""How long a string lasts."""
