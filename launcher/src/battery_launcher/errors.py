"""What ends a launch with a message instead of a traceback."""


class LaunchFailed(Exception):
    """The platform cannot come up; the message says why and what to do."""


class StopRequested(BaseException):
    """The user asked to stop; derives from BaseException so that no handler on the way takes it for an error."""
