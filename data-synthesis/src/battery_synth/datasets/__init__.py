"""Datasets: which batteries, for how long, read how often, and the files that come of it."""
