"""The manifest of a model file: what is needed to use the model and to verify the file."""

from typing import Annotated, Final, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, ValidationError, model_validator

from battery_contracts.ml import FeatureNorm

MODEL_FILE: Final = "model.cbm"
VERSION_PATTERN: Final = r"^[A-Za-z0-9][A-Za-z0-9._-]{0,79}$"


class ManifestInvalid(ValueError):
    """A manifest cannot be read."""


class Conformal(BaseModel):
    """Offsets at the ends of the interval, in the model's scale, that give it its nominal coverage."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    below: float
    above: float


class ModelManifest(BaseModel):
    """Description of one version; ``features`` are in the model's order.

    ``locations`` are those whose batteries the version was trained on. ``target`` is the scale of the model's three
    quantiles (0.1, 0.5, 0.9): days, or the logarithm of days plus one. ``files`` gives the SHA-256 of each file.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    version: Annotated[str, Field(pattern=VERSION_PATTERN)]
    created_at: AwareDatetime
    target: Literal["days", "log1p_days"]
    features: Annotated[list[FeatureNorm], Field(min_length=1)]
    conformal: Conformal
    data_sha256: str
    split: str
    locations: list[str] = []
    seed: int
    metrics: dict[str, float]
    library_versions: dict[str, str]
    files: dict[str, str]

    @model_validator(mode="after")
    def _names_its_model(self) -> "ModelManifest":
        if MODEL_FILE not in self.files:
            raise ValueError(f"files: {MODEL_FILE} is missing")
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
