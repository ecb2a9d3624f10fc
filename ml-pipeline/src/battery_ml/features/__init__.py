"""What a model may know of a battery, by one definition for training and serving."""
