"""The error that every endpoint returns while the database is unavailable."""

from battery_servicekit.problems import Unavailable

RETRY_AFTER_S = 2


class DatabaseUnavailable(Unavailable):
    """The database does not answer; nothing of the request was stored, so sending it again is safe."""

    code = "database_unavailable"

    def __init__(self) -> None:
        super().__init__(
            f"The database does not answer; try again in {RETRY_AFTER_S} s.",
            headers={"Retry-After": str(RETRY_AFTER_S)},
        )
