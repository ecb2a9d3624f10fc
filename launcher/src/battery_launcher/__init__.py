"""One command brings the platform up on a laptop: database, services, history, live feed."""
