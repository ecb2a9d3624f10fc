"""``battery-synth``: the catalogue, its history, and datasets for training, benchmarks and drills."""

from battery_synth.cli import datasets, phases, report, world
from battery_synth.cli.terminal import app

__all__ = ["app", "datasets", "main", "phases", "report", "world"]


def main() -> None:
    """Entry point."""
    app()
