import socket
from pathlib import Path

import pytest

from battery_launcher import ports as ports_module
from battery_launcher.credentials import ensure_credentials
from battery_launcher.data_folder import DataFolder
from battery_launcher.errors import LaunchFailed
from battery_launcher.ports import choose_ports, is_free
from battery_servicekit.testing.process import free_port

LOCAL = "127.0.0.1"
DATABASE_FILES = ("database-password", "database-owner-password", "database-runtime-password")
FILES = ("admin-password", "jwt-secret", "service-token", "simulator-api-key", *DATABASE_FILES)


@pytest.fixture
def folder(tmp_path: Path) -> DataFolder:
    return DataFolder(tmp_path)


def test_ports_are_kept_from_launch_to_launch(folder: DataFolder) -> None:
    first = choose_ports(folder, host=LOCAL, requested=free_port())
    second = choose_ports(folder, host=LOCAL, requested=free_port())
    assert (second.twin, second.ml, second.simulator) == (first.twin, first.ml, first.simulator)
    assert len({first.gateway, first.twin, first.ml, first.simulator}) == 4
    assert first.moved_from is None


def test_a_taken_internal_port_is_replaced_alone(folder: DataFolder) -> None:
    first = choose_ports(folder, host=LOCAL, requested=free_port())
    with socket.socket() as taken:
        taken.bind((LOCAL, first.ml))
        taken.listen()
        second = choose_ports(folder, host=LOCAL, requested=free_port())
    assert second.ml != first.ml
    assert (second.twin, second.simulator) == (first.twin, first.simulator)
    assert folder.read_json("ports.json")["ml"] == second.ml


def test_a_gateway_that_moves_onto_an_internal_port_displaces_it(folder: DataFolder) -> None:
    first = choose_ports(folder, host=LOCAL, requested=free_port())
    second = choose_ports(folder, host=LOCAL, requested=first.twin)
    assert second.gateway == first.twin
    assert second.twin != first.twin


@pytest.mark.parametrize("record", ['{"twin": "8001", "ml": null}', '{"twin": 1, "ml": 1}', "{torn", "[]"])
def test_a_damaged_record_gives_new_ports(folder: DataFolder, record: str) -> None:
    (folder.root / "ports.json").write_text(record)
    ports = choose_ports(folder, host=LOCAL, requested=free_port())
    assert len({ports.twin, ports.ml, ports.simulator}) == 3


def test_a_requested_port_that_is_taken_is_an_error_with_the_remedy(folder: DataFolder) -> None:
    with socket.socket() as taken:
        taken.bind((LOCAL, 0))
        taken.listen()
        port = taken.getsockname()[1]
        assert not is_free(LOCAL, port)
        with pytest.raises(LaunchFailed, match=f"Port {port} on {LOCAL} is taken .* PORT={port + 1} make up"):
            choose_ports(folder, host=LOCAL, requested=port)
    assert is_free(LOCAL, port)


def test_without_a_request_the_next_free_port_is_used_and_reported(
    folder: DataFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.socket() as taken:
        taken.bind((LOCAL, 0))
        taken.listen()
        default = taken.getsockname()[1]
        monkeypatch.setattr(ports_module, "DEFAULT_PORT", default)
        ports = choose_ports(folder, host=LOCAL, requested=None)
        assert default < ports.gateway < default + 100
        assert ports.moved_from == default
        monkeypatch.setattr(ports_module, "_SEARCHED", 1)
        with pytest.raises(LaunchFailed, match=f"No port from {default} to {default} is free"):
            choose_ports(folder, host=LOCAL, requested=None)


def test_an_address_of_another_machine_is_not_free() -> None:
    assert not is_free("192.0.2.1", free_port())


def test_secrets_are_generated_once_and_private(folder: DataFolder) -> None:
    first, second = ensure_credentials(folder, {}), ensure_credentials(folder, {})
    assert first.admin_password_is_new
    assert not second.admin_password_is_new
    for name in ("jwt_secret", "service_token", "simulator_api_key", "database_passwords", "admin_password"):
        assert getattr(first, name) == getattr(second, name)
    passwords = first.database_passwords
    databases = (passwords.superuser, passwords.owner, passwords.runtime)
    assert len({first.jwt_secret, first.service_token, first.simulator_api_key, *databases}) == 6
    assert min(len(first.jwt_secret), len(first.service_token)) >= 32
    assert len(first.admin_password) >= 16
    for name in FILES:
        assert (folder.root / name).stat().st_mode & 0o777 == 0o600


def test_two_installations_have_different_secrets(tmp_path: Path) -> None:
    credentials = []
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        credentials.append(ensure_credentials(DataFolder(tmp_path / name), {}))
    assert credentials[0].admin_password != credentials[1].admin_password
    assert credentials[0].jwt_secret != credentials[1].jwt_secret


def test_secrets_of_the_environment_take_precedence_and_are_not_stored(folder: DataFolder) -> None:
    given = {
        "BATTERY_ADMIN_PASSWORD": "from-outside",
        "JWT_SECRET_KEY": "jwt-outside",
        "SERVICE_TOKEN": "token-outside",
        "SIMULATOR_API_KEY": "key-outside",
    }
    credentials = ensure_credentials(folder, given)
    assert (credentials.admin_password, credentials.jwt_secret) == ("from-outside", "jwt-outside")
    assert (credentials.service_token, credentials.simulator_api_key) == ("token-outside", "key-outside")
    assert (credentials.admin_password_is_new, credentials.admin_password_file) == (False, None)
    assert {path.name for path in folder.root.iterdir()} == set(DATABASE_FILES)


def test_a_readable_secret_is_made_private_and_an_empty_one_replaced(folder: DataFolder) -> None:
    (folder.root / "jwt-secret").write_text("kept-secret\n")
    (folder.root / "jwt-secret").chmod(0o644)
    (folder.root / "service-token").write_text("\n")
    credentials = ensure_credentials(folder, {})
    assert credentials.jwt_secret == "kept-secret"
    assert (folder.root / "jwt-secret").stat().st_mode & 0o777 == 0o600
    assert len(credentials.service_token) >= 32


def test_the_fingerprint_follows_the_account_secrets_and_hides_them(folder: DataFolder) -> None:
    original = ensure_credentials(folder, {})
    assert ensure_credentials(folder, {}).fingerprint == original.fingerprint
    assert ensure_credentials(folder, {"JWT_SECRET_KEY": "other"}).fingerprint == original.fingerprint
    changed = [{"BATTERY_ADMIN_PASSWORD": "other"}, {"SIMULATOR_API_KEY": "other"}]
    fingerprints = {ensure_credentials(folder, environment).fingerprint for environment in changed}
    assert len(fingerprints | {original.fingerprint}) == 3
    assert original.admin_password not in original.fingerprint
