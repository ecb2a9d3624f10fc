"""Who gets which settings and secrets, and the configuration of the supervisor."""

import configparser
import dataclasses
import json
from pathlib import Path

import pytest

from battery_launcher.credentials import Credentials
from battery_launcher.data_folder import DataFolder
from battery_launcher.database_roles import DatabasePasswords
from battery_launcher.ports import Ports
from battery_launcher.postgres import EmbeddedPostgres
from battery_launcher.programs import Platform, Program
from battery_launcher.settings import LauncherSettings
from battery_launcher.supervision import Supervisor, _recipe_of

PASSWORDS = DatabasePasswords("super-s3cret", "owner-s3cret", "db-s3cret")
CREDENTIALS = Credentials("jwt-s3cret", "service-s3cret", "api-s3cret", PASSWORDS, "admin-s3cret", True, None)
SECRETS = (
    "jwt-s3cret",
    "service-s3cret",
    "api-s3cret",
    "super-s3cret",
    "owner-s3cret",
    "db-s3cret",
    "admin-s3cret",
)


def platform(root: Path, **environment: str) -> Platform:
    folder = DataFolder(root)
    folder.create()
    settings = LauncherSettings.from_environment({"BATTERY_COMMANDS_DIR": "/commands", **environment}, root)
    postgres = (
        EmbeddedPostgres(folder.postgres, root / "sockets", CREDENTIALS.database_passwords)
        if settings.database_url is None
        else None
    )
    return Platform(settings, folder, Ports(8000, 8001, 8002, 8003), CREDENTIALS, postgres)


def program(installation: Platform, name: str) -> Program:
    return next(one for one in installation.programs() if one.name == name)


def held_secrets(one: Program) -> set[str]:
    text = json.dumps(dict(one.environment))
    return {secret for secret in SECRETS if secret in text}


def test_no_secret_is_on_a_command_line(tmp_path: Path) -> None:
    for one in platform(tmp_path).programs():
        assert not any(secret in " ".join(one.command) for secret in SECRETS), one.name


def test_each_program_gets_only_the_secrets_that_it_needs(tmp_path: Path) -> None:
    inherited = {
        "BATTERY_ADMIN_PASSWORD": "admin-s3cret",
        "JWT_SECRET_KEY": "jwt-s3cret",
        "REDIS_URL": "redis://:db-s3cret@r",
        "SIMULATOR_API_KEY": "api-s3cret",
    }
    installation = platform(tmp_path, **inherited)
    assert {one.name: held_secrets(one) for one in installation.programs()} == {
        "postgres": set(),
        "gateway": {"jwt-s3cret", "service-s3cret", "api-s3cret", "db-s3cret"},
        "twin": {"service-s3cret"},
        "ml": {"service-s3cret"},
        "simulator": {"service-s3cret", "api-s3cret"},
    }
    # Only they may change the schema, too.
    assert "owner-s3cret" in installation.admin_environment()["DATABASE_OWNER_URL"]
    # Only the setup commands may create the administrator.
    assert installation.admin_environment()["BATTERY_ADMIN_PASSWORD"] == "admin-s3cret"


def test_the_database_gets_nothing_of_the_users_environment_but_path_and_language(tmp_path: Path) -> None:
    installation = platform(tmp_path, PATH="/usr/bin", LANG="C.UTF-8", PGDATA="/elsewhere", HOME="/home/me")
    assert program(installation, "postgres").environment == {"PATH": "/usr/bin", "LANG": "C.UTF-8"}


def test_services_inherit_the_users_settings_and_know_their_ports(tmp_path: Path) -> None:
    installation = platform(tmp_path, LOG_LEVEL="DEBUG")
    gateway = program(installation, "gateway").environment
    assert (gateway["LOG_LEVEL"], gateway["PORT"], gateway["DATA_DIR"]) == ("DEBUG", "8000", str(tmp_path))
    assert (gateway["TWIN_URL"], gateway["ML_URL"]) == ("http://127.0.0.1:8001", "http://127.0.0.1:8002")
    assert program(installation, "simulator").environment["GATEWAY_URL"] == "http://127.0.0.1:8000"
    for name, port in (("twin", "8001"), ("ml", "8002"), ("simulator", "8003")):
        environment = program(installation, name).environment
        assert (environment["HOST"], environment["PORT"]) == ("127.0.0.1", port)


@pytest.mark.parametrize(
    ("host", "url"),
    [
        ("0.0.0.0", "http://127.0.0.1:8000"),
        ("::", "http://127.0.0.1:8000"),
        ("10.1.2.3", "http://10.1.2.3:8000"),
        ("fd00::1", "http://[fd00::1]:8000"),
    ],
)
def test_the_simulator_reaches_the_gateway_whatever_it_listens_on(tmp_path: Path, host: str, url: str) -> None:
    installation = platform(tmp_path, HOST=host)
    assert program(installation, "simulator").environment["GATEWAY_URL"] == url
    assert program(installation, "gateway").health_url == f"{url}/health"
    # Only the gateway is public.
    assert program(installation, "twin").environment["HOST"] == "127.0.0.1"


def test_an_external_database_needs_no_server_of_ours(tmp_path: Path) -> None:
    url = "postgresql://user:x@db/battery"
    installation = platform(tmp_path, DATABASE_URL=url)
    assert [one.name for one in installation.programs()] == ["gateway", "twin", "ml", "simulator"]
    assert program(installation, "gateway").environment["DATABASE_URL"] == url


def test_the_simulator_continues_a_history_when_there_is_one(tmp_path: Path) -> None:
    name = "SIMULATOR_INITIAL_CHECKPOINT"
    assert name in program(platform(tmp_path, BATTERY_HISTORY_DAYS="7"), "simulator").environment
    without = platform(tmp_path, BATTERY_HISTORY_DAYS="0")
    assert name not in program(without, "simulator").environment
    without.folder.initial_checkpoint.write_bytes(b"world")
    assert name in program(without, "simulator").environment


def test_programs_stop_from_the_feed_to_the_database(tmp_path: Path) -> None:
    ranked = sorted(platform(tmp_path).programs(), key=lambda one: -one.stop_rank)
    assert [one.name for one in ranked][:2] == ["simulator", "gateway"]
    assert ranked[-1].name == "postgres"


def test_the_supervisor_is_configured_without_secrets(tmp_path: Path) -> None:
    root = tmp_path / "a 100% path"
    installation = platform(root)
    supervisor = Supervisor(installation.folder, root / "sockets", installation.programs())
    text = supervisor._configuration()
    assert not any(secret in text for secret in SECRETS)
    parser = configparser.ConfigParser(interpolation=None)
    parser.read_string(text)
    assert parser["unix_http_server"]["chmod"] == "0700"
    for one in installation.programs():
        section = parser[f"program:{one.name}"]
        # supervisord expands %(name)s, so a percent sign of a path is doubled.
        assert f'"{root}/run/{one.name}.json"'.replace("%", "%%") in section["command"]
        assert section["autostart"] == "false"
        assert section["autorestart"] == "true"
        assert section["stopwaitsecs"] == str(one.stop_within_s)
    assert parser["program:postgres"]["stopsignal"] == "INT"
    assert parser["program:gateway"]["stopsignal"] == "TERM"
    assert int(parser["program:simulator"]["priority"]) > int(parser["program:postgres"]["priority"])


def test_a_recipe_has_all_that_a_program_needs(tmp_path: Path) -> None:
    gateway = program(platform(tmp_path), "gateway")
    recipe = json.loads(json.dumps(_recipe_of(dataclasses.replace(gateway, directory=tmp_path))))
    assert recipe["command"] == ["/commands/battery-api", "serve"]
    assert recipe["environment"]["JWT_SECRET_KEY"] == "jwt-s3cret"
    assert (recipe["user"], recipe["end_signal"], recipe["directory"]) == (None, "SIGTERM", str(tmp_path))


def test_the_twin_knows_the_circuits_of_the_synthetic_fleet_unless_others_are_named(tmp_path: Path) -> None:
    folder = Path(program(platform(tmp_path), "twin").environment["PARAMETERS_DIR"])
    circuit = json.loads((folder / "CSB-HX12-120.json").read_text())
    assert (circuit["format"], circuit["calibrated"]) == ("battery-twin-parameters/2", True)
    named = platform(tmp_path, PARAMETERS_DIR="/own/circuits")
    assert program(named, "twin").environment["PARAMETERS_DIR"] == "/own/circuits"
