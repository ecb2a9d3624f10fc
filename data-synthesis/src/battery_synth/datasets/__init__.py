"""Datasets: their batteries, length and sampling, and the files that result."""
