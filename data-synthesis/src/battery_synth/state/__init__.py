"""Arrays and readings that the layers from the sensors up to the engine share."""
