"""Daily history of each battery: what it is, the job that keeps it, and how it is read for a prediction."""
