"""Report of a catalogue import."""

from pydantic import AwareDatetime, Field

from battery_contracts.described import Described


class ImportLineError(Described):
    """An error in one line of an import file, with the remedy."""

    line: int = Field(description="Line of the file, 1 at the top; blank lines count.")
    field: str | None = Field(description="The column; null if the fields of the line cannot be told apart.")
    code: str
    """Stable code of the fault, for programs."""
    detail: str
    """The fault and its remedy, for people."""


class ImportLineWarning(Described):
    """Something in one line of an import file that is imported as it is but deserves a look."""

    line: int
    """Line of the file, 1 at the top; blank lines count."""
    field: str
    """The column that deserves a look."""
    code: str
    """Stable code of the warning, for programs."""
    detail: str
    """What deserves a look and why, for people."""


class Replacement(Described):
    """A battery that takes the position of another one."""

    line: int
    """Line of the file that names the new battery."""
    battery_id: str
    """Id of the position."""
    old_serial_number: str
    """Serial number of the battery that was installed."""
    new_serial_number: str
    """Serial number of the battery that takes its position."""
    installed_at: AwareDatetime = Field(
        description="The readings from this instant on are the new battery's; a day begins at midnight in Asia/Bangkok."
    )


class ImportReport(Described):
    """What an import has changed, or would change if it is a dry run; after any error nothing is changed."""

    dry_run: bool
    """True: nothing was changed, whatever the counts say."""
    row_count: int
    """Lines with a battery that were read."""
    created: int
    """Positions that are new in the fleet."""
    updated: int
    """Batteries whose record changes."""
    unchanged: int
    """Batteries that are already recorded as the file says."""
    replaced: int
    """Positions in which another battery is installed."""
    replacements: list[Replacement] = Field(description="Each swap that `replaced` counts.")
    retired: int
    """Batteries that go out of service."""
    reinstated: int
    """Retired batteries that are in service again."""
    error_count: int
    """Errors of the whole file; above 0 nothing is imported."""
    errors: list[ImportLineError] = Field(description="The first 200 by line; `error_count` counts all.")
    warning_count: int
    """Warnings of the whole file."""
    warnings: list[ImportLineWarning] = Field(description="The first 200 by line; `warning_count` counts all.")
