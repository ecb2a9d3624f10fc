"""Physics of remaining life."""
