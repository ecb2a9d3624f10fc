"""The manifest of a model file: what is needed to use the model and to verify the file."""

from enum import StrEnum
from itertools import pairwise
from typing import Annotated, Final

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, ValidationError, model_validator

from battery_contracts.ml import FeatureNorm

VERSION_PATTERN: Final = r"^[A-Za-z0-9][A-Za-z0-9._-]{0,79}$"


class ManifestInvalid(ValueError):
    """A manifest cannot be read."""


class ModelKind(StrEnum):
    """How a version predicts."""

    HAZARD = "hazard"
    """Discrete-time hazard by gradient boosting."""
    QUANTILES = "quantiles"
    """Three quantiles by gradient boosting."""
    ACCELERATED = "accelerated"
    """Accelerated failure time by gradient boosting."""
    PROPORTIONAL = "proportional"
    """Proportional hazards (Cox)."""


class Levels(BaseModel):
    """Levels of the model's curves that give the interval its nominal coverage: P10, P50 and P90 are read there."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    p10: Annotated[float, Field(gt=0, lt=1)]
    p50: Annotated[float, Field(gt=0, lt=1)]
    p90: Annotated[float, Field(gt=0, lt=1)]

    @model_validator(mode="after")
    def _ascends(self) -> "Levels":
        if not self.p10 <= self.p50 <= self.p90:
            raise ValueError("levels: P10, P50 and P90 must ascend")
        return self

    @property
    def ascending(self) -> tuple[float, float, float]:
        """The three levels."""
        return self.p10, self.p50, self.p90


class ModelManifest(BaseModel):
    """Description of one version; ``features`` are in the model's order.

    ``locations`` are those whose batteries the version was trained on. ``edges_days`` bound the periods of its curves;
    the last one is how far ahead training lives were followed. ``files`` gives the SHA-256 of each file.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    version: Annotated[str, Field(pattern=VERSION_PATTERN)]
    created_at: AwareDatetime
    kind: ModelKind
    edges_days: Annotated[list[float], Field(min_length=2)]
    features: Annotated[list[FeatureNorm], Field(min_length=1)]
    levels: Levels
    data_sha256: str
    split: str
    locations: list[str] = []
    seed: int
    metrics: dict[str, float]
    library_versions: dict[str, str]
    files: dict[str, str]

    @model_validator(mode="after")
    def _is_consistent(self) -> "ModelManifest":
        if self.edges_days[0] != 0.0 or any(after <= before for before, after in pairwise(self.edges_days)):
            raise ValueError("edges_days: they must begin with 0 and ascend")
        names = [feature.name for feature in self.features]
        if len(set(names)) != len(names):
            raise ValueError("features: a name appears twice")
        return self

    @classmethod
    def from_json(cls, content: bytes) -> "ModelManifest":
        """Read a manifest.

        Raises
        ------
        ManifestInvalid
            With the first three faults.
        """
        try:
            return cls.model_validate_json(content)
        except ValidationError as invalid:
            faults = [
                f"{'.'.join(map(str, error['loc'])) or 'content'}: {error['msg']}" for error in invalid.errors()[:3]
            ]
            raise ManifestInvalid("; ".join(faults)) from invalid
