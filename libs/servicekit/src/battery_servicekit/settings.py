"""Settings that every service shares, read from the environment."""

from enum import StrEnum
from pathlib import Path
from typing import ClassVar, Self

from pydantic import Field, SecretStr, model_validator
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from battery_servicekit.disk import MIB, DiskWatch
from battery_servicekit.secret_files import SecretFileSource
from battery_servicekit.server.limits import ConnectionLimits

MIN_SECRET_LENGTH = 32
MIN_DIFFERENT_CHARACTERS = 9
"""Of 370,000 secrets of 32 random hexadecimal digits, one has fewer."""


class Environment(StrEnum):
    """Deployment environment; production is strict about the configuration."""

    DEVELOPMENT = "development"
    TEST = "test"
    PRODUCTION = "production"


class ServiceSettings(BaseSettings):
    """Settings of every service; each service adds its own in a subclass."""

    # Without the input: the message of a failed start goes into logs, and the input has every secret in plain text.
    # An empty variable is as good as none: a compose file passes one that nobody set as an empty one.
    model_config = SettingsConfigDict(
        env_file=".env", extra="ignore", frozen=True, hide_input_in_errors=True, env_ignore_empty=True
    )

    # Whether the process takes requests; one that only maintains the database needs no secrets of requests.
    serves: ClassVar[bool] = True

    environment: Environment = Environment.DEVELOPMENT
    host: str = "127.0.0.1"
    port: int = Field(default=8000, ge=1, le=65535)
    log_level: str = "INFO"
    data_dir: Path = Path(".data")
    disk_full_below_mb: int = Field(default=128, ge=0)
    disk_low_below_mb: int = Field(default=2048, ge=0)
    service_token: SecretStr = SecretStr("")
    # What /metrics asks for; open without one.
    metrics_token: SecretStr = SecretStr("")

    # Bounds of the server, see DEPLOYMENT.md: connections at once, descriptors permitting; bytes and number of headers;
    # seconds for the head of a request and for its body, the latter longer by a second for each so many bytes.
    max_connections: int = Field(default=800, ge=16)
    max_head_bytes: int = Field(default=64 * 1024, ge=4096)
    max_headers: int = Field(default=100, ge=20)
    head_timeout_s: float = Field(default=10.0, gt=0)
    body_timeout_s: float = Field(default=20.0, gt=0)
    body_min_bytes_per_s: int = Field(default=32 * 1024, ge=1)
    # A client that takes none of its response for so long is cut.
    stall_timeout_s: float = Field(default=30.0, gt=0)
    max_websocket_message_bytes: int = Field(default=64 * 1024, ge=1024)

    def disk_watch(self) -> DiskWatch:
        """Return what follows the free space of the data folder."""
        return DiskWatch(
            self.data_dir, full_below_bytes=self.disk_full_below_mb * MIB, low_below_bytes=self.disk_low_below_mb * MIB
        )

    @property
    def connection_limits(self) -> ConnectionLimits:
        """The bounds that the server applies to connections."""
        return ConnectionLimits(
            max_connections=self.max_connections,
            max_head_bytes=self.max_head_bytes,
            max_headers=self.max_headers,
            head_timeout_s=self.head_timeout_s,
            body_timeout_s=self.body_timeout_s,
            body_min_bytes_per_s=self.body_min_bytes_per_s,
            stall_timeout_s=self.stall_timeout_s,
        )

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Let every secret come from a file too."""
        files = SecretFileSource(settings_cls, env_settings, dotenv_settings)
        return init_settings, env_settings, files, dotenv_settings, file_secret_settings

    @model_validator(mode="after")
    def _is_fit_for_production(self) -> Self:
        if self.serves and self.environment is Environment.PRODUCTION:
            problems = self.problems_in_production()
            if problems:
                # All at once: whoever deploys need not find them one restart after the other.
                raise ValueError("\n".join(problems))
        return self

    def problems_in_production(self) -> list[str]:
        """Return what production does not allow, a sentence each with its remedy and without values."""
        return weaknesses("SERVICE_TOKEN", self.service_token)


def weaknesses(variable: str, secret: SecretStr) -> list[str]:
    """Return why a secret is none: missing, short, or of so few different characters that chance did not draw it."""
    value = secret.get_secret_value()
    remedy = f"make one with `openssl rand -hex 32` and set {variable} or {variable}_FILE"
    if not value:
        return [f"{variable} is not set, and production needs it; {remedy}"]
    if len(value) < MIN_SECRET_LENGTH:
        return [f"{variable} must have at least {MIN_SECRET_LENGTH} characters in production; {remedy}"]
    if len(set(value)) < MIN_DIFFERENT_CHARACTERS:
        return [f"{variable} is easy to guess: it repeats a few characters; {remedy}"]
    return []
