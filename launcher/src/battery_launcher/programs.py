"""The programs of the platform: command, settings and secrets of each."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from battery_launcher.credentials import Credentials
from battery_launcher.data_folder import DataFolder
from battery_launcher.ports import Ports
from battery_launcher.postgres import EmbeddedPostgres
from battery_launcher.settings import LauncherSettings

# Never inherited: a program gets only those that it needs.
_SECRETS = frozenset(
    {
        "BATTERY_ADMIN_PASSWORD",
        "DATABASE_OWNER_URL",
        "DATABASE_URL",
        "JWT_SECRET_KEY",
        "REDIS_URL",
        "SERVICE_TOKEN",
        "SIMULATOR_API_KEY",
    }
)


@dataclass(frozen=True, slots=True)
class Program:
    """A supervised program; programs stop in the order of ``stop_rank``, highest first.

    ``user`` is whom it runs as, and ``folders`` are those that this user must reach; see :mod:`private_passage`.
    """

    name: str
    command: list[str]
    environment: Mapping[str, str]
    stop_rank: int
    stop_within_s: int
    health_url: str | None = None
    ready_command: tuple[str, ...] | None = None
    user: str | None = None
    folders: tuple[Path, ...] = ()
    end_signal: str = "SIGTERM"
    directory: Path = field(default_factory=Path.cwd)

    @property
    def answers(self) -> str | tuple[str, ...] | None:
        """What tells whether it answers: an address or a command; None where nothing does."""
        return self.health_url or self.ready_command


@dataclass(frozen=True, slots=True)
class Platform:
    """One installation: settings, folder, ports and secrets together."""

    settings: LauncherSettings
    folder: DataFolder
    ports: Ports
    credentials: Credentials
    postgres: EmbeddedPostgres | None

    @property
    def database_url(self) -> str:
        """URL of the gateway's database."""
        if self.postgres is not None:
            return self.postgres.url
        assert self.settings.database_url is not None
        return self.settings.database_url

    @property
    def url(self) -> str:
        """Address of the platform for a browser on this machine."""
        return f"http://localhost:{self.ports.gateway}"

    def command(self, name: str, *arguments: str) -> list[str]:
        """Return the command line of one of the platform's own commands."""
        return [str(self.settings.commands_dir / name), *arguments]

    def base_environment(self) -> dict[str, str]:
        """Return what every program inherits: the user's environment without secrets."""
        inherited = {name: value for name, value in self.settings.environment.items() if name not in _SECRETS}
        return {**inherited, "DATA_DIR": str(self.folder.root), "PYTHONUNBUFFERED": "1"}

    def gateway_environment(self) -> dict[str, str]:
        """Return the settings of the gateway."""
        environment = {
            "ENVIRONMENT": "development",
            **self.base_environment(),
            "DATABASE_URL": self.database_url,
            "JWT_SECRET_KEY": self.credentials.jwt_secret,
            "SERVICE_TOKEN": self.credentials.service_token,
            "SIMULATOR_API_KEY": self.credentials.simulator_api_key,
            "HOST": self.settings.host,
            "PORT": str(self.ports.gateway),
            "TWIN_URL": f"http://127.0.0.1:{self.ports.twin}",
            "ML_URL": f"http://127.0.0.1:{self.ports.ml}",
            "SIMULATOR_URL": f"http://127.0.0.1:{self.ports.simulator}",
        }
        if self.settings.frontend_dist is not None:
            environment["FRONTEND_DIST"] = str(self.settings.frontend_dist)
        return environment

    def admin_environment(self) -> dict[str, str]:
        """Return the settings of the commands that set the platform up."""
        environment = {**self.gateway_environment(), "BATTERY_ADMIN_PASSWORD": self.credentials.admin_password}
        owner_url = (
            self.settings.environment.get("DATABASE_OWNER_URL") if self.postgres is None else self.postgres.owner_url
        )
        return environment if owner_url is None else {**environment, "DATABASE_OWNER_URL": owner_url}

    def programs(self) -> list[Program]:
        """Return every supervised program, in the order in which they start."""
        simulator = {
            "GATEWAY_URL": self._gateway_address(),
            "SIMULATOR_API_KEY": self.credentials.simulator_api_key,
            "SIMULATOR_FLEET_CSV": str(self.folder.fleet_csv),
        }
        if self.folder.initial_checkpoint.exists() or self.settings.history_days > 0:
            simulator["SIMULATOR_INITIAL_CHECKPOINT"] = str(self.folder.initial_checkpoint)
        if self.settings.seed is not None:
            simulator.setdefault("SIMULATOR_SEED", str(self.settings.seed))
        gateway = Program(
            name="gateway",
            command=self.command("battery-api", "serve"),
            environment=self.gateway_environment(),
            stop_rank=30,
            stop_within_s=3,
            health_url=f"{self._gateway_address()}/health",
        )
        services = [
            gateway,
            self._service("twin", "battery-twin-service", self.ports.twin, self._circuits(), stop_rank=20),
            self._service("ml", "battery-ml-service", self.ports.ml, {}, stop_rank=20),
            self._service("simulator", "battery-sim-service", self.ports.simulator, simulator, stop_rank=40),
        ]
        return services if self.postgres is None else [self._database(self.postgres), *services]

    def _circuits(self) -> dict[str, str]:
        """Return where the twin finds calibrated circuits: those of the synthetic fleet, unless others are named."""
        if self.settings.environment.get("PARAMETERS_DIR"):
            return {}
        return {"PARAMETERS_DIR": str(Path(__file__).parent / "circuits")}

    def _service(
        self, name: str, command: str, port: int, environment: Mapping[str, str], *, stop_rank: int
    ) -> Program:
        shared = {
            "ENVIRONMENT": "development",
            **self.base_environment(),
            "SERVICE_TOKEN": self.credentials.service_token,
            "HOST": "127.0.0.1",
            "PORT": str(port),
        }
        return Program(
            name=name,
            command=self.command(command),
            environment={**shared, **environment},
            stop_rank=stop_rank,
            stop_within_s=2,
            health_url=f"http://127.0.0.1:{port}/health",
        )

    def _database(self, server: EmbeddedPostgres) -> Program:
        return Program(
            name="postgres",
            command=server.command(),
            environment={
                name: self.settings.environment[name] for name in ("PATH", "LANG") if name in self.settings.environment
            },
            stop_rank=10,
            stop_within_s=3,
            ready_command=server.ready_command,
            user=server.system_user,
            folders=server.folders,
            # Fast shutdown: sessions are ended, committed work is on disk.
            end_signal="SIGINT",
            directory=Path("/"),
        )

    def _gateway_address(self) -> str:
        host = self.settings.host
        reachable = "127.0.0.1" if host in {"0.0.0.0", "::", "localhost"} else host  # noqa: S104  # compared, not bound
        return f"http://{f'[{reachable}]' if ':' in reachable else reachable}:{self.ports.gateway}"
