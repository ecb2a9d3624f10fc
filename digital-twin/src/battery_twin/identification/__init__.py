"""Parameters of a battery model, identified from recorded runs."""
