"""Settings of the gateway, each read from the environment variable of its name."""

from ipaddress import IPv4Network, IPv6Network
from pathlib import Path
from typing import Self

from pydantic import Field, SecretStr, model_validator

from battery_servicekit.settings import ServiceSettings, weaknesses

IpNetwork = IPv4Network | IPv6Network


class GatewaySettings(ServiceSettings):
    """What the gateway needs to run; ``.env.example`` documents each."""

    database_url: SecretStr | None = None
    # The role that migrates and owns everything; unset, DATABASE_URL names it.
    database_owner_url: SecretStr | None = None
    # How long a start waits for a database that is not there yet.
    database_wait_s: float = Field(default=60.0, ge=0)
    database_pool_size: int = Field(default=10, ge=1, le=200)
    database_statement_timeout_s: float = Field(default=30.0, gt=0)
    # Tests on a server that takes one connection at a time switch pooling off.
    database_pooling: bool = True

    jwt_secret_key: SecretStr = SecretStr("")
    access_token_minutes: int = Field(default=30, ge=1, le=24 * 60)
    refresh_token_days: int = Field(default=7, ge=1, le=90)
    # A session ends so long after its login however often it is used; of a user's sessions the newest stay.
    session_max_days: int = Field(default=30, ge=1, le=365)
    sessions_per_user: int = Field(default=20, ge=1, le=1000)
    # Failures of one caller on one name within an hour that cost no wait; each further one doubles it.
    login_attempts_per_minute: int = Field(default=5, ge=1)
    api_key_default_days: int = Field(default=365, ge=1, le=3650)
    api_key_max_days: int = Field(default=730, ge=1, le=3650)
    # Unset means: over HTTPS only in production.
    cookie_secure: bool | None = None
    # Our proxies: how many stand in front, or, where their addresses are known, the networks that they are in.
    trusted_proxy_count: int = Field(default=0, ge=0, le=5)
    trusted_proxy_networks: list[IpNetwork] = Field(default_factory=list, max_length=64, examples=[["10.0.0.0/8"]])
    # Requests that a user, an API key, or an address without valid credentials may make.
    requests_per_minute_of_user: int = Field(default=18_000, ge=6)
    requests_per_minute_of_key: int = Field(default=30_000, ge=6)
    requests_per_minute_of_address: int = Field(default=12_000, ge=6)
    battery_admin_password: SecretStr | None = None
    simulator_api_key: SecretStr | None = None

    # Seconds for which browsers use HTTPS only; set it once every way in has a certificate.
    hsts_max_age_s: int = Field(default=0, ge=0)
    cors_origins: list[str] = Field(default_factory=list)
    frontend_dist: Path | None = None

    twin_url: str | None = None
    twin_timeout_s: float = Field(default=0.5, gt=0)
    twin_analysis_timeout_s: float = Field(default=20.0, gt=0)
    ml_url: str | None = None
    simulator_url: str | None = None
    redis_url: SecretStr | None = None

    # A live connection that has not logged in within this time is closed.
    realtime_login_timeout_s: float = Field(default=10.0, gt=0)
    # Events that one live connection may send at once, and per second from then on.
    realtime_event_burst: int = Field(default=128, ge=1)
    realtime_events_per_s: float = Field(default=20.0, gt=0)

    telemetry_retention_days: int = Field(default=730, ge=1)
    rollup_retention_days: int = Field(default=730, ge=1)
    max_clock_lead_s: float = Field(default=300.0, gt=0)
    rollup_interval_s: float = Field(default=30.0, gt=0)
    battery_days_interval_s: float = Field(default=60.0, gt=0)
    twin_record_interval_s: float = Field(default=60.0, gt=0)
    stale_check_interval_s: float = Field(default=15.0, gt=0)
    run_jobs: bool = True

    def as_owner(self) -> "GatewaySettings":
        """Return the settings for what only the owner of the database may do."""
        return self.model_copy(update={"database_url": self.database_owner_url or self.database_url})

    @model_validator(mode="after")
    def _default_expiry_is_allowed(self) -> Self:
        if self.api_key_default_days > self.api_key_max_days:
            raise ValueError("API_KEY_DEFAULT_DAYS must not exceed API_KEY_MAX_DAYS")
        return self

    @model_validator(mode="after")
    def _proxies_are_named_in_one_way(self) -> Self:
        if self.trusted_proxy_count and self.trusted_proxy_networks:
            raise ValueError("set TRUSTED_PROXY_COUNT or TRUSTED_PROXY_NETWORKS, not both")
        return self

    def problems_in_production(self) -> list[str]:
        """Return what production does not allow; a gateway needs its secrets, named origins and a database."""
        problems = [*super().problems_in_production(), *weaknesses("JWT_SECRET_KEY", self.jwt_secret_key)]
        if self.simulator_api_key is not None and self.simulator_api_key.get_secret_value():
            problems += weaknesses("SIMULATOR_API_KEY", self.simulator_api_key)
        if "*" in self.cors_origins:
            problems.append('CORS_ORIGINS must name origins in production, such as ["https://battery.example"], not *')
        if self.database_url is None:
            problems.append(
                "DATABASE_URL is not set, and production needs it: postgresql://USER:PASSWORD@HOST:5432/DATABASE, "
                "as DATABASE_URL or in a file that DATABASE_URL_FILE names"
            )
        return problems


class MaintenanceSettings(GatewaySettings):
    """The same for commands that work on the database and take no requests."""

    serves = False
