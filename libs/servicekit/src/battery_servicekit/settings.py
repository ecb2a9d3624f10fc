"""Settings that every service shares, read from the environment."""

from enum import StrEnum
from pathlib import Path
from typing import Self

from pydantic import Field, SecretStr, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from battery_servicekit.disk import MIB, DiskWatch


class Environment(StrEnum):
    """Deployment environment; production is strict about the configuration."""

    DEVELOPMENT = "development"
    TEST = "test"
    PRODUCTION = "production"


class ServiceSettings(BaseSettings):
    """Settings of every service; each service adds its own in a subclass."""

    # Without the input: the message of a failed start goes into logs, and the input has every secret in plain text.
    model_config = SettingsConfigDict(env_file=".env", extra="ignore", frozen=True, hide_input_in_errors=True)

    environment: Environment = Environment.DEVELOPMENT
    host: str = "127.0.0.1"
    port: int = Field(default=8000, ge=1, le=65535)
    log_level: str = "INFO"
    data_dir: Path = Path(".data")
    disk_full_below_mb: int = Field(default=128, ge=0)
    disk_low_below_mb: int = Field(default=2048, ge=0)
    service_token: SecretStr = SecretStr("")

    def disk_watch(self) -> DiskWatch:
        """Return what follows the free space of the data folder."""
        return DiskWatch(
            self.data_dir, full_below_bytes=self.disk_full_below_mb * MIB, low_below_bytes=self.disk_low_below_mb * MIB
        )

    @model_validator(mode="after")
    def _production_needs_a_token(self) -> Self:
        if self.environment is Environment.PRODUCTION and len(self.service_token.get_secret_value()) < 32:
            raise ValueError("SERVICE_TOKEN must have at least 32 characters in production")
        return self
