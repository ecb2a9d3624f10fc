import base64
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from battery_api.accounts.errors import NotAuthenticated
from battery_api.accounts.tokens import SessionTokens, new_api_key, new_secret

from .world import NOW, SECRET, World, bearer, claims_of, forged, outcome

TOKENS = SessionTokens(SECRET, timedelta(minutes=30))
SESSION = "00000000-0000-4000-8000-000000000001"
ISSUED = TOKENS.issue_access(user_id=7, session_id=SESSION, epoch=3, now=NOW)
CLAIMS = claims_of(ISSUED)


def test_an_issued_token_holds_user_and_expiry() -> None:
    assert set(CLAIMS) == {"typ", "iss", "sub", "sid", "epoch", "iat", "exp", "jti"}
    claims = TOKENS.verify_access(ISSUED)
    assert (claims.user_id, claims.session_id, claims.epoch) == (7, SESSION, 3)
    assert claims.expires_at == NOW + timedelta(minutes=30)
    # A token built by `forged` without changes is valid, so those below are refused for what they change.
    assert TOKENS.verify_access(forged(CLAIMS)) == claims


@pytest.mark.parametrize(
    "token",
    [
        pytest.param(forged(CLAIMS, alg="none", signed=False), id="alg none"),
        pytest.param(forged(CLAIMS, alg="NONE", signed=False), id="alg NONE"),
        pytest.param(forged(CLAIMS, alg="none"), id="alg none, signed"),
        pytest.param(forged(CLAIMS, signed=False), id="no signature"),
        pytest.param(forged(CLAIMS, alg="HS512", digest="sha512"), id="HS512 with the right secret"),
        pytest.param(forged(CLAIMS, alg="HS384", digest="sha384"), id="HS384 with the right secret"),
        pytest.param(forged(CLAIMS, alg="RS256"), id="another algorithm named"),
        pytest.param(forged(CLAIMS, alg=""), id="no algorithm"),
        pytest.param(forged(CLAIMS, secret="another secret, just as long as ours is"), id="another secret"),
        pytest.param(forged(CLAIMS, secret=""), id="empty secret"),
        pytest.param(forged({**CLAIMS, "typ": "refresh"}), id="another type"),
        pytest.param(forged({**CLAIMS, "iss": "elsewhere"}), id="another issuer"),
        pytest.param(forged({**CLAIMS, "sid": "no uuid"}), id="sid no uuid"),
        pytest.param(forged({**CLAIMS, "sub": "admin"}), id="sub no number"),
        pytest.param(forged({**CLAIMS, "exp": 10**30}), id="exp beyond time"),
        *(
            pytest.param(forged({name: value for name, value in CLAIMS.items() if name != gone}), id=f"without {gone}")
            for gone in ("typ", "iss", "sub", "sid", "epoch", "exp")
        ),
        pytest.param(new_secret(), id="a refresh token"),
        pytest.param("a.b.c", id="junk"),
        pytest.param("..", id="dots"),
        pytest.param("\xff\xfe.é.ü", id="no ASCII"),
        pytest.param(base64.urlsafe_b64encode(b"[" * 1500).decode() + ".e30.x", id="deep header"),
        pytest.param("x" * 100_000, id="long"),
    ],
)
def test_any_other_token_is_refused(token: str) -> None:
    with pytest.raises(NotAuthenticated):
        TOKENS.verify_access(token)


@given(index=st.integers(0, len(ISSUED) - 1), character=st.sampled_from("AZaz09-_."))
def test_a_changed_character_breaks_the_token_or_changes_nothing(index: int, character: str) -> None:
    changed = ISSUED[:index] + character + ISSUED[index + 1 :]
    try:
        claims = TOKENS.verify_access(changed)
    except NotAuthenticated:
        return
    # The last character of the signature has bits that base64 ignores.
    assert claims == TOKENS.verify_access(ISSUED)
    assert changed == ISSUED or index == len(ISSUED) - 1


def test_the_successor_is_one_and_needs_the_secret() -> None:
    first = new_secret()
    assert TOKENS.successor_of(first) == TOKENS.successor_of(first)
    assert TOKENS.successor_of(first) != SessionTokens(SECRET + ".", timedelta(1)).successor_of(first)
    assert len({TOKENS.successor_of(new_secret()) for _ in range(100)}) == 100
    assert len(base64.urlsafe_b64decode(TOKENS.successor_of(first) + "=")) == 32


def test_secrets_are_long_and_never_shown_by_accident() -> None:
    prefix, key = new_api_key()
    assert key.startswith(f"{prefix}_")
    assert len(base64.urlsafe_b64decode(key.removeprefix(f"{prefix}_") + "=")) == 32
    assert SECRET not in repr(TOKENS)


async def test_a_token_expires_after_half_an_hour(world: World) -> None:
    session = await world.session("malee")
    assert session["expires_in"] == 1800
    world.clock.advance(timedelta(seconds=1799))
    assert outcome(await world.me(session)) == (200, "")
    world.clock.advance(timedelta(seconds=1))
    response = await world.me(session)
    assert outcome(response) == (401, "token_expired")
    assert response.headers["www-authenticate"] == "Bearer"
    world.clock.advance(timedelta(hours=1))
    assert outcome(await world.me(session)) == (401, "token_expired")


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Authorization": "Bearer"},
        {"Authorization": "Bearer "},
        {"Authorization": "Basic bWFsZWU6eA=="},
        {"Authorization": "Bearer null"},
        {"X-API-Key": ""},
        {"X-API-Key": "bk_00000000_unknown"},
        {"X-API-Key": "é".encode("latin-1")},
    ],
)
async def test_without_credentials_there_is_a_challenge(world: World, headers: dict[str, Any]) -> None:
    response = await world.client.get("auth/me", headers=headers)
    assert outcome(response) == (401, "not_authenticated")
    assert response.headers["www-authenticate"] == "Bearer"


async def test_no_forged_token_reaches_an_account(world: World) -> None:
    session = await world.session("nok")
    claims = claims_of(session["access_token"])
    assert (await world.me({"access_token": forged(claims)})).json()["username"] == "nok"
    bad = [
        forged(claims, alg="none", signed=False),
        forged(claims, secret="guessed"),
        forged({**claims, "epoch": claims["epoch"] + 1}),
        forged({**claims, "sid": SESSION}),
        forged({**claims, "sub": "999999"}),
        forged({**claims, "sub": str(await world.user_id("admin"))}),
        session["refresh_token"],
    ]
    for token in bad:
        assert outcome(await world.me({"access_token": token})) == (401, "not_authenticated")
    assert outcome(await world.client.get("auth/users", headers=bearer(session))) == (200, "")
