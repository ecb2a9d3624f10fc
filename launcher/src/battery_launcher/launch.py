"""Start the platform, watch it, stop it."""

import time
from contextlib import ExitStack

import httpx

from battery_launcher.console import Screen
from battery_launcher.credentials import ensure_credentials
from battery_launcher.data_folder import DataFolder, Steps
from battery_launcher.errors import LaunchFailed
from battery_launcher.history import HistoryGeneration
from battery_launcher.ports import choose_ports
from battery_launcher.postgres import EmbeddedPostgres
from battery_launcher.programs import Platform, Program
from battery_launcher.settings import LauncherSettings
from battery_launcher.steps import StepCommand
from battery_launcher.supervision import Supervisor
from battery_launcher.watch import Watch
from battery_servicekit.disk import DiskState, DiskWatch

_HEALTHY_WITHIN_S = 60.0
_FLEET = "fleet-imported"


def launch(settings: LauncherSettings, screen: Screen) -> None:
    """Run the platform until a signal raises `StopRequested`; nothing is left running, however it ends."""
    folder = DataFolder(settings.data_dir)
    folder.create()
    _require_room(settings.disk_watch(), folder)
    with ExitStack() as stack:
        stack.enter_context(folder.locked())
        sockets = stack.enter_context(folder.socket_folder())
        credentials = ensure_credentials(folder, settings.environment)
        postgres = None
        if settings.database_url is None:
            postgres = EmbeddedPostgres(folder.postgres, sockets, credentials.database_passwords)
        # Processes of a killed launch may still use these ports.
        Supervisor(folder, sockets, ()).end_leftovers()
        ports = choose_ports(folder, host=settings.host, requested=settings.port)
        if ports.moved_from is not None:
            screen.note(f"Port {ports.moved_from} is taken; using {ports.gateway}. Set PORT to choose another.")
        platform = Platform(settings, folder, ports, credentials, postgres)
        supervisor = Supervisor(folder, sockets, platform.programs())
        stack.callback(supervisor.stop)
        _Launch(platform, supervisor, screen, stack).run()


def _require_room(disk: DiskWatch, folder: DataFolder) -> None:
    report = disk.report()
    if report.state is DiskState.FULL:
        raise LaunchFailed(
            f"disk_full: only {report.free_mib:,} MB are free where DATA_DIR {folder.root} is, and the database needs "
            "room to start. Free some space, or set another DATA_DIR."
        )


class _Launch:
    def __init__(self, platform: Platform, supervisor: Supervisor, screen: Screen, stack: ExitStack) -> None:
        self._platform = platform
        self._supervisor = supervisor
        self._screen = screen
        self._programs = {program.name: program for program in platform.programs()}
        self._steps = Steps(platform.folder, platform.settings.database_url)
        self._history = HistoryGeneration(platform, self._steps, screen)
        stack.callback(self._history.end)

    def run(self) -> None:
        began = time.monotonic()
        self._start_database()
        self._set_up()
        with self._screen.step("Services started"):
            for name in ("gateway", "twin", "ml"):
                self._supervisor.start_program(name)
            self._wait_until_alive(self._programs["gateway"])
        self._welcome(time.monotonic() - began)
        self._history.generate()
        self._supervisor.start_program("simulator")
        self._history.begin_loading()
        readiness_url = (self._programs["gateway"].health_url or "") + "/ready"
        watch = Watch(
            self._supervisor,
            list(self._programs.values()),
            readiness_url,
            history=self._history,
            screen=self._screen,
            disk=self._platform.settings.disk_watch(),
        )
        watch.run(self._start_again)

    def _start_database(self) -> None:
        server = self._platform.postgres
        if server is None:
            self._supervisor.start()
            return
        first = not (server.data / "PG_VERSION").exists()
        with self._screen.step("Database created and started" if first else "Database started"):
            server.prepare()
            self._supervisor.start()
            self._supervisor.start_program("postgres")
            server.wait_until_ready()
            server.ensure_database()

    def _set_up(self) -> None:
        """Migrate and, the first time, import the fleet and create the accounts."""
        fleet = self._platform.folder.fleet_csv
        with self._screen.step("Schema up to date"):
            self._run("battery-api", "migrate")
        if not self._steps.is_done(_FLEET):
            with self._screen.step("Fleet catalogue imported"):
                seed = self._platform.settings.seed
                self._run("battery-synth", "catalogue", "--out", str(fleet), *(("--seed", str(seed)) if seed else ()))
                self._run("battery-api", "import-fleet", str(fleet))
            self._steps.mark(_FLEET)
        accounts = f"accounts-{self._platform.credentials.fingerprint}"
        if not self._steps.is_done(accounts):
            with self._screen.step("Accounts in place"):
                self._run("battery-api", "bootstrap")
            self._steps.mark(accounts)

    def _run(self, name: str, *arguments: str) -> None:
        platform = self._platform
        log = platform.folder.logs / "setup.log"
        StepCommand(platform.command(name, *arguments), platform.admin_environment(), log).wait()

    def _wait_until_alive(self, program: Program) -> None:
        deadline = time.monotonic() + _HEALTHY_WITHIN_S
        while time.monotonic() < deadline:
            try:
                if program.health_url is not None and httpx.get(program.health_url, timeout=2.0).is_success:
                    return
            except httpx.HTTPError:
                # It does not listen yet.
                pass
            if any(state.name == program.name and state.state == "FATAL" for state in self._supervisor.states()):
                break
            time.sleep(0.1)
        log = self._platform.folder.logs / f"{program.name}.log"
        lines = log.read_text(errors="replace").splitlines()[-12:] if log.exists() else []
        raise LaunchFailed("\n".join([f"The {program.name} does not start; the end of {log}:", *lines]))

    def _welcome(self, took_s: float) -> None:
        credentials = self._platform.credentials
        if credentials.admin_password_file is None:
            login = "user admin, password from BATTERY_ADMIN_PASSWORD"
        elif credentials.admin_password_is_new:
            login = f"user admin, password {credentials.admin_password}"
        else:
            login = f"user admin, password in {credentials.admin_password_file}"
        hint = f"ready in {took_s:.0f} s · logs in {self._platform.folder.logs} · Ctrl-C stops everything"
        self._screen.welcome(self._platform.url, login, hint)
        if self._platform.settings.frontend_dist is None:
            self._screen.note("The dashboard (frontend/dist) is not built; only the API is served.")

    def _start_again(self) -> None:
        """Start everything again after supervisord itself was killed."""
        self._supervisor.start()
        if self._platform.postgres is not None:
            self._supervisor.start_program("postgres")
            self._platform.postgres.wait_until_ready()
        for name in ("gateway", "twin", "ml", "simulator"):
            self._supervisor.start_program(name)
