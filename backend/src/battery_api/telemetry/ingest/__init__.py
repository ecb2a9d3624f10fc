"""The life of a batch of readings, from the request body to the commit and the live events."""
