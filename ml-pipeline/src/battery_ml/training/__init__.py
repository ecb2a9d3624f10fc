"""From a dataset to a version in the registry."""
