"""The errors that every endpoint returns while the database is unavailable or has no room."""

from battery_servicekit.problems import Unavailable

RETRY_AFTER_S = 2
FULL_RETRY_AFTER_S = 10


class DatabaseUnavailable(Unavailable):
    """The database does not answer; nothing of the request was stored, so sending it again is safe."""

    code = "database_unavailable"
    sends = ("Retry-After",)

    def __init__(self) -> None:
        super().__init__(
            f"The database does not answer; try again in {RETRY_AFTER_S} s.",
            headers={"Retry-After": str(RETRY_AFTER_S)},
        )


class DiskFull(Unavailable):
    """There is no room for anything new; nothing of the request was stored, so sending it again is safe."""

    code = "disk_full"
    sends = ("Retry-After",)

    def __init__(self) -> None:
        super().__init__(
            "The disk is full, so nothing new is stored; what is stored can be read. Free some space; readings can be "
            f"sent again after {FULL_RETRY_AFTER_S} s.",
            headers={"Retry-After": str(FULL_RETRY_AFTER_S)},
        )
