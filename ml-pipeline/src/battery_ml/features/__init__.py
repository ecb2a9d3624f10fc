"""Inputs of the model, defined once for training and serving."""
