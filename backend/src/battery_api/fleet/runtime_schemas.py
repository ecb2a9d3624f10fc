"""Runtimes in the lists of strings and systems: with interval, load and limit, or the reason why there is none."""

from enum import StrEnum
from typing import Annotated

from pydantic import AwareDatetime, Field

from battery_contracts.described import Described
from battery_contracts.rounding import to_decimals

Seconds = Annotated[float, to_decimals(1)]


class LoadBasis(StrEnum):
    """Where the load of a runtime comes from."""

    GIVEN = "given"
    PRESENT = "present"
    LAST_DISCHARGE = "last_discharge"


class NoRuntimeReason(StrEnum):
    """Why there is no runtime."""

    NOT_COMPUTED_YET = "not_computed_yet"
    FEWER_THAN_HALF_KNOWN = "fewer_than_half_known"
    """Fewer than half of the batteries have a present estimate of charge and health; a runtime would be a guess."""
    NO_LOAD_ON_RECORD = "no_load_on_record"
    """The string has no load now and never had one that is on record."""
    TWIN_UNAVAILABLE = "twin_unavailable"
    OUTSIDE_MODEL = "outside_model"
    """The load or the batteries lie outside what the digital twin models."""
    TOO_OLD = "too_old"
    """The last one is too old, or from before the discharge that is under way."""
    RETIRED = "retired"


class RuntimeLoad(Described):
    """The load that a runtime applies to; exactly one of the two values is set."""

    basis: LoadBasis
    """Where the load comes from."""
    current_a: float | None
    """Current in amperes, negative; null where the load is a power."""
    power_w: float | None
    """Power in watts, drawn from the whole string or system; null where the load is a current."""


class RuntimeValues(Described):
    """A runtime with its 80 % interval and what limits it; all null where there is none."""

    runtime_p10_s: Seconds | None
    """Runtime in seconds that is undercut with a probability of 10 %; null where there is none."""
    runtime_p50_s: Seconds | None
    """Median runtime in seconds; null where there is none."""
    runtime_p90_s: Seconds | None
    """Runtime in seconds that is exceeded with a probability of 10 %; null where there is none."""
    reaches_cut_off: bool | None = Field(
        description="False: it outlasts the simulation of two days, and the runtime is a lower bound."
    )
    limiting_battery_id: str | None
    """Id of the battery that most likely reaches the cut-off first; null where there is no runtime."""
    reason: NoRuntimeReason | None
    """Why there is no runtime; null where there is one."""


class SystemRuntimeValues(RuntimeValues):
    """The least runtime of the strings of a system; each quantile is the least of those of its strings."""

    limiting_string_id: str | None
    """Id of the string with the shortest P10; null where there is no runtime."""


class StringRuntime(RuntimeValues):
    """How long a string lasts from ``at`` on under its present load or, on float, under that of its last discharge.

    Batteries without a present estimate count as weak as the weakest known one, or weaker. Of a string that discharges,
    a runtime of more than 3 minutes ago is not shown; of another one, that of more than 15 minutes ago.
    """

    at: AwareDatetime | None
    """When it was computed or tried, from the estimates of then; null if it never was."""
    load: RuntimeLoad | None
    """The load that it applies to; null where there is no runtime."""
    withheld_count: int | None = Field(
        description="Batteries without a present estimate; above 0 the runtime rests on an assumption. Null where that "
        "is not known."
    )


class SystemRuntime(SystemRuntimeValues):
    """How long a battery system lasts: until the first of its strings reaches the cut-off under its own load.

    If one string in service has no runtime, the system has none, for the reason of that string.
    """

    at: AwareDatetime | None
    """When the oldest of the runtimes of its strings was computed or tried; null if one never was."""
    load: RuntimeLoad | None
    """The loads of its strings together; null where there is no runtime."""
    withheld_count: int | None = Field(
        description="Batteries without a present estimate in all of its strings; null where that is not known."
    )
