from hmac import compare_digest

import pytest

from battery_servicekit.testing.asgi import asgi_client
from tests.example import TOKEN, create_app


@pytest.mark.parametrize(
    ("header", "status"),
    [
        (f"Bearer {TOKEN}", 200),
        (None, 401),
        ("", 401),
        ("Bearer ", 401),
        (f"Bearer {TOKEN}x", 401),
        (f"Bearer {TOKEN[:-1]}", 401),
        (f"Bearer {TOKEN.upper()}", 401),
        (f"Basic {TOKEN}", 401),
    ],
)
async def test_only_the_exact_token_opens(header: str | None, status: int) -> None:
    headers = {} if header is None else {"Authorization": header}
    async with asgi_client(create_app()) as client:
        response = await client.get("/private", headers=headers)
    assert response.status_code == status
    if status == 401:
        assert response.json()["code"] == "service_token_missing"
        assert TOKEN not in response.text


@pytest.mark.parametrize("header", [None, "", "Bearer ", "Bearer", "Bearer x"])
async def test_an_empty_configured_token_opens_to_nobody(header: str | None) -> None:
    headers = {} if header is None else {"Authorization": header}
    async with asgi_client(create_app(token="")) as client:
        assert (await client.get("/private", headers=headers)).status_code == 401


async def test_characters_outside_ascii_are_compared_not_rejected_with_an_error() -> None:
    async with asgi_client(create_app(token="schlüssel")) as client:
        response = await client.get("/private", headers=[(b"Authorization", "Bearer schlössel".encode("latin-1"))])
        assert response.status_code == 401


async def test_the_comparison_takes_constant_time(monkeypatch: pytest.MonkeyPatch) -> None:
    compared: list[tuple[bytes, bytes]] = []

    def recording(presented: bytes, expected: bytes) -> bool:
        compared.append((presented, expected))
        return compare_digest(presented, expected)

    monkeypatch.setattr("battery_servicekit.service_token.compare_digest", recording)
    async with asgi_client(create_app()) as client:
        for presented in ("x", TOKEN):
            await client.get("/private", headers={"Authorization": f"Bearer {presented}"})
    # `==` would stop at the first byte that differs; every token must go through compare_digest.
    assert compared == [(b"x", TOKEN.encode()), (TOKEN.encode(), TOKEN.encode())]
