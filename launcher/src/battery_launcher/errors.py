"""Exceptions that end a launch with a message instead of a traceback."""


class LaunchFailed(Exception):
    """The platform cannot start; the message gives the cause and the remedy."""


class StopRequested(BaseException):
    """The user requested a stop; a BaseException, so that no handler on the way mistakes it for an error."""
