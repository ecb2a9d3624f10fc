"""Faults of the monitoring: what sensors say wrongly, or do not say at all; a function of seed, sensor and time."""

from battery_synth.engine.readings import Readings


class SensorFaults:
    """The faults of a site's sensors."""

    @classmethod
    def of(cls, seed: int, battery_ids: list[str], string_ids: list[str]) -> "SensorFaults":
        """Draw the faults of a site."""
        del seed, battery_ids, string_ids
        return cls()

    def apply(self, readings: Readings) -> None:
        """Change readings as the faults demand, in place."""
