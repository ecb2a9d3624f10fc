"""Parameters of a battery model from recorded runs."""
