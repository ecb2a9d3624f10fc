"""Fits of each kind of model to snapshots of lives."""
