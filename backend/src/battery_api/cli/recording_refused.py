"""The refusal of a recording."""


class RecordingRefused(ValueError):
    """The file or an option cannot be used; the message names the line or the option, and the remedy."""
