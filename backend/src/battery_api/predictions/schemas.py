"""Models of the prediction endpoints."""

from typing import Annotated, Literal

from pydantic import AwareDatetime

from battery_api.predictions.fusion import ConflictAdvice, RulSource
from battery_api.predictions.run_schemas import RunOut
from battery_contracts.described import Described
from battery_contracts.enums import Provenance
from battery_contracts.ml import Reason
from battery_contracts.rounding import to_decimals
from battery_servicekit.pagination import Page

Days = Annotated[float, to_decimals(1)]
SummaryState = Literal["ready", "no_model", "ml_away", "running", "no_history"]
DriftMissing = Literal["no_run", "too_few_batteries"]
MissingReason = Literal["not_predicted_yet", "retired"]


class RulDays(Described):
    """Days until the state of health falls to 80 %, or the reason why there are none."""

    p10_days: Days | None
    """Days that are undercut with a probability of 10 %; null where withheld, which is no long life."""
    p50_days: Days | None
    """Median; null where withheld."""
    p90_days: Days | None
    """Days that are exceeded with a probability of 10 %; null where withheld."""
    longer_than_days: Days | None
    """A quantile that reaches these days means longer than; null where every quantile is what it says."""
    withheld_reason: str | None
    """Code of why there are none; null where there are."""


class RulEntry(Described):
    """One prediction of one battery, with what each source says."""

    predicted_at: AwareDatetime
    """When it was made."""
    as_of: AwareDatetime
    """Instant from which the days count."""
    source: RulSource
    """What stands behind `fused`."""
    fused: RulDays
    """Both sources as one."""
    ml: RulDays
    """By the model of the prediction service."""
    twin: RulDays
    """By the ageing law of the digital twin."""
    twin_weight: Annotated[float, to_decimals(3)] | None
    """Weight of the twin from 0 to 1; null unless both sources speak."""
    is_conflict: bool
    """True: the medians contradict each other, and `fused` weighs both intervals."""
    difference_pct: Annotated[float, to_decimals(1)] | None
    """Difference of the medians in percent of the larger one; null unless both sources speak."""
    conflict_advice: ConflictAdvice | None
    """The cheapest test that settles the conflict; null without one."""
    confidence: Annotated[float, to_decimals(3)] | None
    """How narrow the model's interval is against its middle, from 0 to 1; no probability, and null without one."""
    widened_because: list[str]
    """Why the model's interval is wider than its own; empty if it is not."""
    reasons: list[Reason]
    """What moves the model's prediction most, strongest first; empty without one."""
    peer_deviation: Annotated[float, to_decimals(2)] | None
    """How far the battery stands from its string, in robust standard deviations; null where it is not known."""
    peer_deviation_of: str | None
    """Quantity by which it does; null where it is not known."""
    model_version: str | None
    """Version of the model; null where it was not asked."""
    twin_provenance: Provenance | None
    """Kind of evidence behind the twin's forecast; null without one."""


class BatteryRul(Page[RulEntry]):
    """The predictions of a battery, newest first."""

    battery_id: str
    """Id of the battery."""
    latest: RulEntry | None
    """The newest prediction; null where there is none."""
    missing_reason: MissingReason | None
    """Why there is none, or why it is not renewed; null otherwise."""


class PredictionItem(Described):
    """The newest prediction of a battery in a list."""

    battery_id: str
    """Id of the battery."""
    string_id: str
    """Id of its string."""
    location_id: str
    """Id of its location."""
    predicted_at: AwareDatetime | None
    """When it was made; null before the first one."""
    as_of: AwareDatetime | None
    """Instant from which the days count; null before the first one."""
    p10_days: Days | None
    """Days that are undercut with a probability of 10 %; null where withheld."""
    p50_days: Days | None
    """Median; null where withheld."""
    p90_days: Days | None
    """Days that are exceeded with a probability of 10 %; null where withheld."""
    longer_than_days: Days | None
    """A quantile that reaches these days means longer than; null where every quantile is what it says."""
    source: RulSource
    """What stands behind it."""
    is_conflict: bool
    """True: the sources contradict each other."""
    withheld_reason: str | None
    """Code of why there are no days; null where there are."""
    main_reason: Reason | None
    """What moves the model's prediction most; null where it was not asked."""
    model_version: str | None
    """Version of the model; null where it was not asked."""


class HistogramBar(Described):
    """Batteries whose median falls into a span."""

    from_days: int
    """Least days of the span."""
    to_days: int | None
    """Days at which the span ends, which are the next one's; null for the last."""
    count: int
    """Batteries."""


class LocationPredictions(Described):
    """Predictions of a location."""

    location_id: str
    """Id of the location."""
    total: int
    """Batteries in service."""
    predicted: int
    """Of them, those with days."""
    withheld: int
    """Of them, those without: nothing is known of their remaining life."""
    due_within_90_days: int
    """Batteries whose P10, counted from now on, is at most 90 days."""
    shortest_p10_days: Days | None
    """The least P10, counted from now on; null where nothing is predicted."""


class PredictionSummary(Described):
    """Predictions of the batteries that the caller sees."""

    predicted_at: AwareDatetime | None
    """When the newest prediction was made; null before the first one."""
    total: int
    """Batteries in service."""
    predicted: int
    """Of them, those with days."""
    withheld: int
    """Of them, those without: nothing is known of their remaining life."""
    due_within_90_days: int
    """Batteries whose P10, counted from now on, is at most 90 days."""
    due_within_180_days: int
    """Batteries whose P10, counted from now on, is at most 180 days."""
    histogram: list[HistogramBar]
    """Batteries by median in years."""
    locations: list[LocationPredictions]
    """Each location, in the order of ids."""
    state: SummaryState
    """Whether the predictions are complete; `no_history`: no battery could be predicted yet."""
    run: RunOut | None
    """The newest run; null before the first one."""
    model_version: str | None
    """Version of the model behind the newest prediction; null where there is none."""


class InputDrift(Described):
    """How far an input of the model is distributed otherwise than in its training fleet."""

    feature: str
    """Name of the feature."""
    psi: Annotated[float, to_decimals(3)] | None
    """Population stability index of the fleet; null where it is known of fewer than 50 batteries.

    Notable from 0.1, large from 0.25.
    """
    worst_psi: Annotated[float, to_decimals(3)] | None
    """The largest one of a location alone, whose batteries are more alike than those of a fleet.

    Null where none is known, or of a location that the caller does not see.
    """
    worst_location_id: str | None
    """Id of that location; null where the value is."""
    share_known: Annotated[float, to_decimals(3)]
    """Share from 0 to 1 of the batteries of which the feature is known."""


class ModelDrift(Described):
    """Drift of a model's inputs in a run, over the locations with 50 batteries or more that the version predicted."""

    as_of: AwareDatetime
    """Instant of the run from which its days count."""
    battery_count: int
    """Batteries that were compared."""
    features: list[InputDrift]
    """Each input, the largest drift first."""


class ModelAccuracy(Described):
    """How far the predictions of a version were off that were made 30 days or more before a battery's end."""

    version: str
    """Version of the model."""
    prediction_count: int
    """Predictions that can be judged."""
    battery_count: int
    """Batteries that they are of."""
    mean_error_days: Days | None
    """Mean of the median less the days that followed; positive promised too much; null where none can be judged."""
    mean_absolute_error_days: Days | None
    """Mean size of that error; null where none can be judged."""
    inside_share: Annotated[float, to_decimals(3)] | None
    """Share inside P10 to P90, 0.8 if the intervals are right; null where none can be judged."""
    drift: ModelDrift | None
    """Drift in the newest run in which the version predicted; null where it is not known."""
    drift_missing_reason: DriftMissing | None
    """Why it is not: `no_run` by this version, or `too_few_batteries` at every location; null where it is."""
