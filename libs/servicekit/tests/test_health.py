import pytest

from battery_servicekit.health import Check, CheckState, Finding, Readiness, assess
from battery_servicekit.testing.asgi import asgi_client
from tests.example import create_app


def check(name: str, *, up: bool = True, required: bool = True) -> Check:
    async def probe() -> Finding:
        return Finding(CheckState.UP) if up else Finding(CheckState.DOWN, f"{name}_timeout")

    return Check(name, probe, required=required)


@pytest.mark.parametrize(
    ("checks", "status", "http_status"),
    [
        ([], "ready", 200),
        ([check("database"), check("twin", required=False)], "ready", 200),
        ([check("database"), check("twin", up=False, required=False)], "degraded", 200),
        ([check("database", up=False), check("twin", required=False)], "unavailable", 503),
        ([check("database", up=False), check("twin", up=False, required=False)], "unavailable", 503),
    ],
    ids=["no checks", "all up", "optional down", "required down", "both down"],
)
async def test_readiness_follows_the_checks(checks: list[Check], status: str, http_status: int) -> None:
    async with asgi_client(create_app(checks)) as client:
        response = await client.get("/health/ready")
    assert response.status_code == http_status
    assert response.json()["status"] == status


async def test_the_report_says_of_each_check_whether_it_is_required_and_why_it_failed() -> None:
    checks = [check("database"), check("twin", up=False, required=False)]
    async with asgi_client(create_app(checks)) as client:
        response = await client.get("/health/ready")
    assert response.json()["checks"] == {
        "database": {"state": "up", "required": True, "reason": None},
        "twin": {"state": "down", "required": False, "reason": "twin_timeout"},
    }
    assert Readiness.model_validate_json(response.content).checks["twin"].state is CheckState.DOWN


async def test_liveness_probes_nothing() -> None:
    probed: list[str] = []

    async def probe() -> Finding:
        probed.append("database")
        return Finding(CheckState.DOWN)

    async with asgi_client(create_app([Check("database", probe, required=True)])) as client:
        response = await client.get("/health")
        assert response.status_code == 200
        assert response.json() == {"status": "alive", "service": "example", "version": "1.2.3"}
        assert probed == []
        await client.get("/health/ready")
        assert probed == ["database"]


async def test_a_recovered_dependency_makes_the_service_ready_again() -> None:
    states = iter([CheckState.DOWN, CheckState.UP])

    async def probe() -> Finding:
        return Finding(next(states))

    checks = [Check("database", probe, required=True)]
    assert [(await assess(checks)).status, (await assess(checks)).status] == ["unavailable", "ready"]


async def test_a_probe_that_raises_is_an_internal_error_that_hides_its_cause() -> None:
    async def probe() -> Finding:
        raise OSError("no route to db.internal")

    async with asgi_client(create_app([Check("database", probe, required=True)])) as client:
        response = await client.get("/health/ready")
    assert (response.status_code, response.json()["code"]) == (500, "internal_error")
    assert "db.internal" not in response.text
