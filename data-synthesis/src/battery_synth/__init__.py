"""The synthetic world: locations, climate, mains, load, electrics, heat, wear and service lives of the fleet."""

from importlib.metadata import version

__version__ = version("battery-synth")
