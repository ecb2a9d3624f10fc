"""Why no worlds are generated to train on."""


class WorldsRefused(Exception):
    """There are no worlds to train on; the message gives the reason and the remedy."""


class SynthesisMissing(WorldsRefused):
    """The program that makes worlds is not installed."""


class RoomMissing(WorldsRefused):
    """The disk has no room for them."""


class GenerationFailed(WorldsRefused):
    """The program that makes worlds failed."""
