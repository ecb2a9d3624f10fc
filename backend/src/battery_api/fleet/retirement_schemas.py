"""Requests and answers of retirement."""

from typing import Annotated, Literal, Self

from pydantic import AwareDatetime, ConfigDict, Field, StringConstraints, model_validator

from battery_contracts.described import Described
from battery_contracts.instants import Day, Instant
from battery_servicekit.plain_text import PlainText

Reason = Annotated[PlainText, StringConstraints(min_length=1, max_length=2000)]


class RetireIn(Described):
    """Why, and from when, something is out of service; without a time from now on."""

    model_config = ConfigDict(extra="forbid")

    reason: Reason = Field(description="Why it is retired; the timelines of its alerts repeat it.")
    retired_on: Day | None = Field(default=None, description="Day from whose start it is out of service.")
    retired_at: Instant | None = Field(default=None, description="Instant from which it is out of service.")

    @model_validator(mode="after")
    def _one_time(self) -> Self:
        if self.retired_on is not None and self.retired_at is not None:
            raise ValueError("retired_on and retired_at are both given; send one of them")
        return self


class UnretireIn(Described):
    """Why something is in service again."""

    model_config = ConfigDict(extra="forbid")

    reason: Reason = Field(description="Why it is in service again; the audit log keeps it.")


class RetirementOut(Described):
    """Whether a battery, string or location is retired; the same answer however often it is asked for."""

    kind: Literal["battery", "string", "location"]
    """What was retired or brought back."""
    id: str
    """Id of the battery, string or location."""
    battery_count: int = Field(description="Batteries in its positions, all of which the answer is about.")
    retired_at: AwareDatetime | None = Field(description="When the last of them was retired; null while one is not.")
    retired_by: str | None
    """User name of who retired it; null while it is in service."""
    retired_reason: str | None
    """Why it was retired; null while it is in service."""
