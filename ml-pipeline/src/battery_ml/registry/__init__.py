"""Where models are kept: immutable versions, and aliases that say which one is in use."""
