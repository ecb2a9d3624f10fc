"""Settings every service shares, read from the environment."""

from enum import StrEnum
from pathlib import Path
from typing import Self

from pydantic import Field, SecretStr, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict


class Environment(StrEnum):
    """How strict a service is about its configuration."""

    DEVELOPMENT = "development"
    TEST = "test"
    PRODUCTION = "production"


class ServiceSettings(BaseSettings):
    """What every service needs; each service adds its own."""

    model_config = SettingsConfigDict(env_file=".env", extra="ignore", frozen=True)

    environment: Environment = Environment.DEVELOPMENT
    host: str = "127.0.0.1"
    port: int = Field(default=8000, ge=1, le=65535)
    log_level: str = "INFO"
    data_dir: Path = Path(".data")
    service_token: SecretStr = SecretStr("")

    @model_validator(mode="after")
    def _production_needs_a_token(self) -> Self:
        if self.environment is Environment.PRODUCTION and len(self.service_token.get_secret_value()) < 32:
            raise ValueError("SERVICE_TOKEN must have at least 32 characters in production")
        return self
