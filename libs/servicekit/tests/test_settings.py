from pathlib import Path

import pytest
from pydantic import ValidationError

from battery_servicekit.settings import Environment, ServiceSettings

LONG_TOKEN = "t0ken-" * 6


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("ENVIRONMENT", "HOST", "PORT", "LOG_LEVEL", "DATA_DIR", "SERVICE_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(tmp_path)


def test_defaults_are_for_development_on_this_machine_only() -> None:
    settings = ServiceSettings()
    assert settings.environment is Environment.DEVELOPMENT
    assert (settings.host, settings.port) == ("127.0.0.1", 8000)


def test_the_environment_overrides_the_env_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("PORT=9001\nLOG_LEVEL=DEBUG\nUNRELATED=x\n")
    monkeypatch.setenv("PORT", "9002")
    settings = ServiceSettings()
    assert (settings.port, settings.log_level) == (9002, "DEBUG")


@pytest.mark.parametrize("token", [None, "", "x" * 31])
def test_production_needs_a_long_token(monkeypatch: pytest.MonkeyPatch, token: str | None) -> None:
    monkeypatch.setenv("ENVIRONMENT", "production")
    if token is not None:
        monkeypatch.setenv("SERVICE_TOKEN", token)
    with pytest.raises(ValidationError, match=r"SERVICE_TOKEN (must have at least 32 characters|is not set)"):
        ServiceSettings()
    monkeypatch.setenv("ENVIRONMENT", "development")
    assert ServiceSettings().service_token.get_secret_value() == (token or "")


def test_production_accepts_a_token_of_32_characters(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ENVIRONMENT", "production")
    monkeypatch.setenv("SERVICE_TOKEN", "0123456789abcdef" * 2)
    assert ServiceSettings().environment is Environment.PRODUCTION


def test_secrets_are_never_printed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SERVICE_TOKEN", LONG_TOKEN)
    settings = ServiceSettings()
    for text in (str(settings), repr(settings), f"{settings.service_token}", settings.model_dump_json()):
        assert LONG_TOKEN not in text
    assert settings.service_token.get_secret_value() == LONG_TOKEN


def test_a_rejected_token_is_not_in_the_message(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ENVIRONMENT", "production")
    monkeypatch.setenv("SERVICE_TOKEN", "too-short-but-secret")
    with pytest.raises(ValidationError) as rejected:
        ServiceSettings()
    assert "too-short-but-secret" not in str(rejected.value)


@pytest.mark.parametrize("port", ["0", "65536", "http"])
def test_an_impossible_port_is_rejected(monkeypatch: pytest.MonkeyPatch, port: str) -> None:
    monkeypatch.setenv("PORT", port)
    with pytest.raises(ValidationError, match="port"):
        ServiceSettings()


def test_settings_cannot_change_while_the_service_runs() -> None:
    settings = ServiceSettings()
    with pytest.raises(ValidationError, match="frozen"):
        settings.port = 1  # type: ignore[misc]  # what a type checker would refuse
