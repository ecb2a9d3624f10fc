"""What is wrong with a cell of the fleet file."""

from typing import NamedTuple


class CellProblem(NamedTuple):
    """An error or a warning about one column of one line."""

    column: str
    code: str
    detail: str
    """One or two sentences: the value, what is wrong with it, and the remedy."""


class InvalidCell(ValueError):
    """A cell cannot be read as what its column holds.

    Parameters
    ----------
    code
        Names the kind of error for programs.
    detail
        A sentence with the value and the remedy.
    """

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(detail)
        self.code = code
        self.detail = detail
