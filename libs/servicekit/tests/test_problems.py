import httpx
import pytest
from structlog.testing import LogCapture

from battery_servicekit.problems import MEDIA_TYPE, Conflict, DomainError, NotFound, Problem, problems
from tests.example import SECRET_CAUSE, create_app


async def get_problem(client: httpx.AsyncClient, path: str) -> tuple[httpx.Response, Problem]:
    response = await client.request("GET", path, headers={"X-Request-Id": "r-1"})
    assert response.headers["content-type"] == MEDIA_TYPE
    return response, Problem.model_validate_json(response.content)


@pytest.mark.parametrize(
    ("kind", "status", "code", "title", "detail"),
    [
        ("missing", 404, "not_found", "Not Found", "Battery 7 does not exist."),
        ("conflict", 409, "conflict", "Conflict", "The battery is already replaced."),
        ("unavailable", 503, "unavailable", "Service Unavailable", "The database does not respond."),
        ("quota", 429, "quota_exceeded", "Too Many Requests", "Too many exports."),
        ("http", 418, "i_m_a_teapot", "I'm a Teapot", "short and stout"),
    ],
)
async def test_expected_errors_share_one_shape(
    client: httpx.AsyncClient, *, kind: str, status: int, code: str, title: str, detail: str
) -> None:
    response, problem = await get_problem(client, f"/failures/{kind}")
    assert response.status_code == status
    assert response.json() == {
        "type": "about:blank",
        "title": title,
        "status": status,
        "detail": detail,
        "code": code,
        "instance": f"/failures/{kind}",
        "request_id": "r-1",
    }
    assert problem.errors is None


async def test_headers_of_an_error_reach_the_caller(client: httpx.AsyncClient) -> None:
    assert (await client.get("/failures/unavailable")).headers["retry-after"] == "7"
    assert (await client.get("/failures/http")).headers["x-pot"] == "tea"


async def test_a_domain_error_lists_its_fields(client: httpx.AsyncClient) -> None:
    response, _ = await get_problem(client, "/failures/invalid")
    assert response.status_code == 422
    assert response.json()["errors"] == [{"field": "low", "code": "order", "detail": "must be below high"}]


async def test_validation_errors_name_every_field_by_its_path(client: httpx.AsyncClient) -> None:
    response = await client.post("/items", json={"name": "", "sizes": [{"width_mm": 5}, {"width_mm": 0}]})
    problem = response.json()
    assert (response.status_code, problem["code"]) == (422, "validation_failed")
    assert [(error["field"], error["code"]) for error in problem["errors"]] == [
        ("name", "string_too_short"),
        ("sizes.1.width_mm", "greater_than"),
    ]
    assert problem["detail"].startswith("name: ")
    assert "sizes.1.width_mm: " in problem["detail"]


async def test_an_invalid_path_parameter_is_named(client: httpx.AsyncClient) -> None:
    response, problem = await get_problem(client, "/items/seven")
    assert response.status_code == 422
    assert problem.errors is not None
    assert [error.field for error in problem.errors] == ["item_id"]


async def test_a_body_that_is_no_json_is_a_validation_error(client: httpx.AsyncClient) -> None:
    response = await client.post("/items", content=b"{torn", headers={"Content-Type": "application/json"})
    assert (response.status_code, response.json()["code"]) == (422, "validation_failed")
    assert response.json()["errors"][0]["code"] == "json_invalid"


async def test_many_field_errors_are_cut_to_a_hundred(client: httpx.AsyncClient) -> None:
    response = await client.post("/items", json={"name": "x", "sizes": [{"width_mm": 0}] * 200})
    problem = response.json()
    assert len(problem["errors"]) == 100
    # The detail is for people: the first three are enough.
    assert problem["detail"].count("width_mm") == 3


async def test_unknown_paths_and_methods_have_the_same_shape(client: httpx.AsyncClient) -> None:
    response, problem = await get_problem(client, "/nowhere")
    assert (response.status_code, problem.code, problem.instance) == (404, "not_found", "/nowhere")
    response = await client.delete("/items/1")
    assert (response.status_code, response.json()["code"]) == (405, "method_not_allowed")
    assert response.headers["allow"] == "GET"


async def test_an_unexpected_error_hides_its_cause_and_names_the_request(
    client: httpx.AsyncClient, log: LogCapture
) -> None:
    response, problem = await get_problem(client, "/failures/unexpected")
    assert (response.status_code, problem.code, problem.request_id) == (500, "internal_error", "r-1")
    assert "swordfish" not in response.text
    assert "RuntimeError" not in response.text
    logged = next(entry for entry in log.entries if entry["log_level"] == "error")
    assert (logged["request_id"], logged["path"]) == ("r-1", "/failures/unexpected")
    assert str(logged["exc_info"]) == f"connection failed: {SECRET_CAUSE}"


async def test_a_failure_after_the_first_byte_is_not_answered_twice(log: LogCapture) -> None:
    transport = httpx.ASGITransport(app=create_app())
    async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
        with pytest.raises(RuntimeError, match="swordfish"):
            await client.get("/half")
    # The server logs this one and drops the connection; the access line is there all the same.
    assert [entry["event"] for entry in log.entries] == ["request"]


def test_problems_group_the_codes_of_a_status() -> None:
    class AlreadyDone(Conflict):
        code = "already_done"

    described = problems(NotFound, Conflict, AlreadyDone, Conflict)
    assert list(described) == [404, 409]
    assert described[409]["description"] == "Problem details; code: already_done, conflict"
    declared = described[404]["content"]["application/problem+json"]
    assert declared["schema"] == {"$ref": "#/components/schemas/Problem"}
    assert Problem.model_validate(declared["examples"]["not_found"]["value"] | {"request_id": "r-1"}).status == 404


def test_a_domain_error_is_an_exception_with_its_detail_as_message() -> None:
    error = DomainError("what went wrong", headers={"A": "b"})
    assert str(error) == error.detail == "what went wrong"
    assert (error.status, error.code, error.errors, error.headers) == (400, "error", None, {"A": "b"})
