"""The answer with the figures of EEMUA 191 and ISA-18.2."""

from typing import Annotated, Literal

from pydantic import AwareDatetime, Field

from battery_contracts.described import Described
from battery_contracts.enums import AlertType, Severity
from battery_contracts.incidents import IncidentFamily
from battery_contracts.rounding import to_decimals

LoadBand = Literal["acceptable", "manageable", "demanding", "unacceptable", "intolerable"]
Percent = Annotated[float, to_decimals(1)]
Rate = Annotated[float, to_decimals(3)]
Seconds = Annotated[float, to_decimals(0)]


class StandingIncident(Described):
    """An incident that has been active for more than 24 hours."""

    incident_id: int
    """Number of the incident."""
    family: IncidentFamily
    """What it is about."""
    location_id: str
    """Id of the location."""
    string_id: str | None
    """Id of the string; null for an incident of a location."""
    severity: Severity
    """Severity of the incident."""
    opened_at: AwareDatetime
    """When its first alert was raised."""
    acknowledged_at: AwareDatetime | None
    """When somebody acknowledged it; null while nobody has."""


class ChatteringAlert(Described):
    """An alert whose condition came back three times or more, each within an hour."""

    alert_id: int
    """Number of the alert."""
    subject: str
    """Id of the battery, string or location."""
    type: AlertType
    """What it is about."""
    episode_count: int
    """How often its condition was there."""
    raised_at: AwareDatetime
    """When it was raised first."""
    incident_id: int | None
    """Number of its incident."""


class FrequentAlert(Described):
    """One of the ten conditions that came most often."""

    subject: str
    """Id of the battery, string or location."""
    type: AlertType
    """What its alerts are about."""
    rule_id: str | None
    """Id of the rule; null where none raised them."""
    times: int
    """How often the condition was there."""
    share_pct: Percent
    """Its share of all conditions of the span, in percent."""


class HandlingTimes(Described):
    """How soon incidents of a severity were acknowledged, and how soon they were over."""

    severity: Severity
    """Severity of the incidents."""
    incident_count: int
    """Incidents that opened in the span."""
    acknowledged_count: int
    """Of these, those that somebody acknowledged."""
    cleared_count: int
    """Of these, those that are over."""
    acknowledge_p50_s: Seconds | None
    """Median time in seconds from its begin to the first acknowledgement; null where there is none."""
    acknowledge_p90_s: Seconds | None
    """Time in seconds within which 90 % of those that were acknowledged were."""
    clear_p50_s: Seconds | None
    """Median time in seconds from begin to end; null where none has ended."""
    clear_p90_s: Seconds | None
    """Time in seconds within which 90 % of those that have ended did."""


class IncidentFigures(Described):
    """How much the alerts ask of the people who watch them, over a span of event time."""

    start: AwareDatetime
    """Begin of the span."""
    end: AwareDatetime
    """End of the span."""
    operators: int
    """People who share what is shown."""
    incident_count: int
    """Incidents that opened in the span."""
    alert_count: int
    """Alerts that were raised in the span: so many there would be without incidents."""
    grouped_pct: Percent | None
    """How many percent fewer incidents than alerts there are; null without alerts."""
    mean_per_10min: Rate
    """Incidents for one operator within ten minutes, mean over the span."""
    peak_per_10min: Rate
    """Most incidents for one operator within ten minutes."""
    flood_pct: Percent
    """Share in percent of the periods of ten minutes with more than ten incidents for one operator."""
    load: LoadBand
    """Band of EEMUA 191 of the mean."""
    standing_count: int
    """Incidents that have been active for more than 24 hours at the end of the span."""
    standing: list[StandingIncident] = Field(description="The ten that have stood longest.")
    chattering_count: int
    """Alerts of the span whose condition came back three times or more."""
    chattering: list[ChatteringAlert] = Field(description="The ten that chatter most.")
    most_frequent: list[FrequentAlert] = Field(description="The ten conditions that came most often.")
    handling: list[HandlingTimes]
    """Times to acknowledge and to clear, by severity, the gravest first."""
