import asyncio
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from battery_api.accounts.bootstrap import Bootstrapped, bootstrap
from battery_api.accounts.errors import WeakPassword
from battery_api.accounts.passwords import check_strength
from battery_api.accounts.sessions import jwt_secret
from battery_api.db.session import Database
from battery_api.settings import GatewaySettings

from .world import ADMIN_PASSWORD, SECRET, TOKEN, opened_world, outcome, settings

KEY = "a-simulator-key-drawn-at-the-first-run"


async def run(url: str, **changed: Any) -> Bootstrapped:
    gateway_settings = settings(url, **changed)
    database = Database.from_settings(gateway_settings)
    try:
        async with database.begin() as connection:
            return await bootstrap(connection, gateway_settings)
    finally:
        await database.close()


@pytest.mark.parametrize("chosen", [None, ""])
async def test_without_a_choice_the_password_is_random_and_returned_once(database_url: str, chosen: str | None) -> None:
    made = await run(database_url, battery_admin_password=chosen)
    assert made.admin_created
    assert made.generated_password is not None
    await check_strength(made.generated_password, username="admin")
    assert made.generated_password not in repr(made)
    again = await run(database_url, battery_admin_password=chosen)
    assert again == Bootstrapped(admin_created=False)
    async with opened_world(database_url) as world:
        assert outcome(await world.login("admin", made.generated_password)) == (200, "")
        assert outcome(await world.login("admin", "admin")) == (401, "bad_credentials")
        assert [row["actor"] for row in await world.audit("user.create")] == ["bootstrap"]
        assert made.generated_password not in str(await world.rows('select * from "user"') + await world.audit())


async def test_two_random_passwords_differ(database_url: str) -> None:
    first = await run(database_url, battery_admin_password=None)
    async with opened_world(database_url) as world:
        await world.rows('delete from "user"')
    second = await run(database_url, battery_admin_password=None)
    assert first.generated_password != second.generated_password


async def test_a_chosen_password_is_taken_and_never_set_again(database_url: str) -> None:
    assert await run(database_url, simulator_api_key=KEY) == Bootstrapped(admin_created=True)
    await run(database_url, battery_admin_password="another password chosen later")
    async with opened_world(database_url) as world:
        assert outcome(await world.login("admin", ADMIN_PASSWORD)) == (200, "")
        assert outcome(await world.login("admin", "another password chosen later")) == (401, "bad_credentials")


@pytest.mark.parametrize("environment", [{}, {"environment": "production", "service_token": TOKEN}])
@pytest.mark.parametrize("weak", ["admin", "hunter2", "Battery12345!", "Admin@123456"])
async def test_a_weak_choice_is_refused_and_makes_nobody(
    database_url: str, weak: str, environment: dict[str, Any]
) -> None:
    with pytest.raises(WeakPassword, match=r"BATTERY_ADMIN_PASSWORD: .*(12 to 256|unrelated words)") as refused:
        await run(database_url, battery_admin_password=weak, **environment)
    assert weak not in str(refused.value)
    async with opened_world(database_url) as world:
        assert await world.rows('select id from "user"') == []


async def test_the_command_refuses_a_weak_choice_without_a_traceback(database_url: str, tmp_path: Path) -> None:
    environment = {
        "DATABASE_URL": database_url,
        "BATTERY_ADMIN_PASSWORD": "admin",
        "DATA_DIR": str(tmp_path),
        "PATH": os.environ["PATH"],
    }
    command = [str(Path(sys.executable).with_name("battery-api")), "bootstrap"]
    done = await asyncio.to_thread(
        subprocess.run, command, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    assert done.stderr.startswith("Not started: BATTERY_ADMIN_PASSWORD: Use 12 to 256 characters")
    assert "Traceback" not in done.stderr


async def test_two_that_start_at_once_make_one_administrator(database_url: str) -> None:
    made = await asyncio.gather(*(run(database_url, simulator_api_key=KEY) for _ in range(4)))
    assert sorted(result.admin_created for result in made) == [False, False, False, True]


async def test_the_simulators_key_writes_telemetry_and_nothing_else(database_url: str) -> None:
    for _ in range(2):
        await run(database_url, simulator_api_key=KEY)
    async with opened_world(database_url) as world:
        headers = {"X-API-Key": KEY}
        assert (await world.client.post("telemetry", json={"readings": []}, headers=headers)).status_code == 200
        assert outcome(await world.client.get("locations", headers=headers)) == (403, "forbidden")
        (row,) = await world.rows("select * from api_key")
        assert (row["name"], row["scopes"], row["prefix"]) == ("simulator", ["telemetry:write"], "simulator")
        assert KEY not in str(row)
        assert len(await world.audit("api_key.set")) == 1


async def test_a_new_simulator_secret_replaces_the_old(database_url: str) -> None:
    await run(database_url, simulator_api_key=KEY)
    await run(database_url, simulator_api_key=KEY + "2")
    async with opened_world(database_url) as world:
        for key, status in ((KEY, 401), (KEY + "2", 200)):
            response = await world.client.post("telemetry", json={"readings": []}, headers={"X-API-Key": key})
            assert response.status_code == status


async def test_a_restart_does_not_restore_a_revoked_simulator_key(database_url: str) -> None:
    await run(database_url, simulator_api_key=KEY)
    async with opened_world(database_url) as world:
        await world.rows("update api_key set revoked_at = now()")
        await run(database_url, simulator_api_key=KEY)
        response = await world.client.post("telemetry", json={"readings": []}, headers={"X-API-Key": KEY})
        assert outcome(response) == (401, "not_authenticated")


@pytest.mark.parametrize("secret", [None, ""])
async def test_a_key_that_nobody_set_is_drawn_with_the_administrator_and_shown_once(
    database_url: str, secret: str | None
) -> None:
    made = await run(database_url, simulator_api_key=secret)
    key = made.generated_simulator_key
    assert key is not None
    assert key in made.as_text()
    assert key not in repr(made)
    again = await run(database_url, simulator_api_key=secret)
    assert again.generated_simulator_key is None
    assert again.as_text() == "There are users already; nothing changed."
    async with opened_world(database_url) as world:
        headers = {"X-API-Key": key}
        assert (await world.client.post("telemetry", json={"readings": []}, headers=headers)).status_code == 200
        assert key not in str(await world.rows("select * from api_key"))


async def test_no_key_is_drawn_for_a_platform_that_has_users(database_url: str) -> None:
    await run(database_url, simulator_api_key=KEY)
    async with opened_world(database_url) as world:
        await world.rows("delete from api_key")
    assert (await run(database_url, simulator_api_key=None)).generated_simulator_key is None
    async with opened_world(database_url) as world:
        assert await world.rows("select * from api_key") == []


def test_the_signing_secret_is_made_once_and_kept_private(tmp_path: Path) -> None:
    without_secret = GatewaySettings(_env_file=None, jwt_secret_key="", data_dir=tmp_path / "data")
    first = jwt_secret(without_secret)
    assert len(first) >= 32
    assert jwt_secret(without_secret) == first
    (file,) = (tmp_path / "data").iterdir()
    assert file.stat().st_mode & 0o777 == 0o600
    assert jwt_secret(GatewaySettings(_env_file=None, jwt_secret_key=SECRET, data_dir=tmp_path)) == SECRET


@pytest.mark.parametrize("content", ["", "short"])
def test_a_broken_secret_file_is_refused_not_used(tmp_path: Path, content: str) -> None:
    (tmp_path / "jwt-secret").write_text(content)
    with pytest.raises(ValueError, match="jwt-secret"):
        jwt_secret(GatewaySettings(_env_file=None, jwt_secret_key="", data_dir=tmp_path))


@pytest.mark.parametrize("secret", ["", "short"])
def test_production_refuses_a_missing_or_weak_secret(secret: str) -> None:
    with pytest.raises(ValueError, match="JWT_SECRET_KEY"):
        settings("postgresql://x/y", environment="production", service_token=TOKEN, jwt_secret_key=secret)
