import httpx
import pytest

from tests.example import ITEM_COUNT


async def test_the_default_is_the_first_hundred_of_all(client: httpx.AsyncClient) -> None:
    page = (await client.get("/items")).json()
    assert page == {"items": list(range(100)), "total": ITEM_COUNT, "skip": 0, "limit": 100}


async def test_pages_cover_the_list_once(client: httpx.AsyncClient) -> None:
    items: list[int] = []
    for skip in range(0, ITEM_COUNT, 1000):
        items += (await client.get("/items", params={"skip": skip, "limit": 1000})).json()["items"]
    assert items == list(range(ITEM_COUNT))


async def test_a_page_behind_the_end_is_empty_and_keeps_the_total(client: httpx.AsyncClient) -> None:
    page = (await client.get("/items", params={"skip": ITEM_COUNT})).json()
    assert (page["items"], page["total"]) == ([], ITEM_COUNT)


@pytest.mark.parametrize(
    ("parameter", "value", "accepted"),
    [
        ("limit", 1, True),
        ("limit", 1000, True),
        ("limit", 0, False),
        ("limit", 1001, False),
        ("limit", "all", False),
        ("skip", 0, True),
        ("skip", 10_000_000, True),
        ("skip", -1, False),
        ("skip", 10_000_001, False),
    ],
)
async def test_limits(client: httpx.AsyncClient, parameter: str, value: object, accepted: bool) -> None:
    response = await client.get("/items", params={parameter: str(value)})
    assert response.status_code == (200 if accepted else 422)
    if not accepted:
        assert [error["field"] for error in response.json()["errors"]] == [parameter]
