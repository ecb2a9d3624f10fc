"""The synthetic world: sites, climate, mains, load, electrics, heat, wear and lives of the fleet."""

from importlib.metadata import version

__version__ = version("battery-synth")
