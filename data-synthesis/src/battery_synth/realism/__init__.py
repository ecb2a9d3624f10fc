"""Whether generated data is like the world: checks with limits and sources, plots, and a report that shows both."""
