"""What a model is worth, on worlds that it never saw."""
