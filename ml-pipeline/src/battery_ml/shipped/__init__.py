"""The model that comes with the platform: its files and its card, written by `make ml-model`."""
