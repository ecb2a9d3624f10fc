"""Remaining useful life: features, training, registry and prediction."""
