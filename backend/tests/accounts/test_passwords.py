import pytest

from battery_api.accounts.errors import WeakPassword
from battery_api.accounts.passwords import check_strength


@pytest.mark.parametrize(
    "password",
    [
        "password1234!",
        "abcdefghijkl",
        "123456789abc",
        "Battery12345!",
        "Welcome12345!",
        "P@ssw0rd1234",
        "iloveyou12345",
        "qwerty123456!",
        "football1234",
        "monkey123456",
        "Thailand2026!",
        "DataCenter2026!",
        "hunter2hunter2",
        "adminadminadmin",
        "1q2w3e4r5t6y",
        "zaq12wsx!QAZ",
        "qwertyuiop[]",
        "24/12/199024121990",
        "กขคงจฉชซฌญฎฏ",
        "aaaaaaaaaaaaaaaaaaaa" * 12,
        # Full-width letters are the same password.
        "\uff50\uff41\uff53\uff53\uff57\uff4f\uff52\uff44\uff11\uff12\uff13\uff14",
    ],
)
async def test_what_everybody_tries_first_is_refused(password: str) -> None:
    with pytest.raises(WeakPassword, match="unrelated words"):
        await check_strength(password, username="malee")


@pytest.mark.parametrize(
    ("password", "username", "display_name"),
    [
        ("Somchai-7319-kQ", "somchai", None),
        ("7319 jaidee kQx", "somchai", "Somchai Jaidee"),
        ("7319 jaidee kQx", "somchai.jaidee", None),
        ("Nok123456789!", "nok", None),
        ("malee malee malee", "MALEE", None),
    ],
)
async def test_the_users_own_name_is_refused(password: str, username: str, display_name: str | None) -> None:
    with pytest.raises(WeakPassword, match="unrelated words"):
        await check_strength(password, username=username, display_name=display_name)


@pytest.mark.parametrize(
    "password",
    ["correct horse battery", "staple under the lamp", "vQ3k-9sLm2Xa", "ช้างสามตัวข้ามแม่น้ำ", "mooncake lantern 7" * 14],
)
async def test_unrelated_words_and_random_characters_pass(password: str) -> None:
    await check_strength(password, username="malee", display_name="Malee")


@pytest.mark.parametrize("password", ["", "vQ3k-9sLm2X", "vQ3k-9sLm2Xa " * 20])
async def test_the_length_is_named(password: str) -> None:
    with pytest.raises(WeakPassword, match=f"12 to 256 characters; this password has {len(password)}"):
        await check_strength(password, username="malee")
