"""Realism of generated data: checks with limits and sources, plots, and a report with both."""
