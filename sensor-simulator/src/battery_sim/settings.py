"""Settings of the simulator, each read from the environment variable of its name."""

from pathlib import Path

from pydantic import Field, SecretStr

from battery_servicekit.settings import ServiceSettings


class SimulatorSettings(ServiceSettings):
    """Settings of the simulator."""

    port: int = Field(default=8003, ge=1, le=65535)
    gateway_url: str = "http://127.0.0.1:8000"
    simulator_api_key: SecretStr = SecretStr("")
    simulator_fleet_csv: Path = Path(".data/fleet.csv")
    simulator_initial_checkpoint: Path | None = None
    simulator_seed: int = 20_260_101
    simulator_interval_s: float = Field(default=60.0, ge=1, le=60)
    simulator_discharge_interval_s: float = Field(default=2.0, ge=1, le=60)
    simulator_strings: str = ""
    simulator_spool_limit_bytes: int = Field(default=2 * 2**30, ge=2**16)

    @property
    def strings(self) -> tuple[str, ...] | None:
        """Strings to feed; None for all."""
        return tuple(part.strip() for part in self.simulator_strings.split(",") if part.strip()) or None

    @property
    def folder(self) -> Path:
        """Folder of the spool and the checkpoints."""
        return self.data_dir / "simulator"
