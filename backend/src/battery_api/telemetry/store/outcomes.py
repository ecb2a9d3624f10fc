"""What became of a reading that passed the checks."""

from enum import IntEnum


class ReadingOutcome(IntEnum):
    """How a reading changed the store."""

    NEW = 0
    """Stored as a row of its own."""
    DUPLICATE = 1
    """A reading of this instant is stored and says the same."""
    MERGED = 2
    """It completed the stored reading of this instant with other channels."""
    CORRECTED = 3
    """It changed a value of the stored reading of this instant."""
