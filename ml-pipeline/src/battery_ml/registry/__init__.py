"""The model registry: immutable versions, and aliases that name the one in service."""
