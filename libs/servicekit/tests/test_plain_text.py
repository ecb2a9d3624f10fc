"""Texts of people: what cannot be seen is refused, every language is taken."""

import pytest
from pydantic import TypeAdapter, ValidationError

from battery_servicekit.plain_text import PlainLine, PlainText

TEXT: TypeAdapter[str] = TypeAdapter(PlainText)
LINE: TypeAdapter[str] = TypeAdapter(PlainLine)


@pytest.mark.parametrize(
    "text", ["", "Battery 7 bulged,\nreplaced.\t(2 mΩ)", "เปลี่ยนแบตเตอรี่แล้ว", "naïve 🔋", "a\u200db"]
)
def test_what_people_write_is_taken_as_it_is(text: str) -> None:
    assert TEXT.validate_python(f"  {text}\n") == text


def test_a_line_has_no_breaks_and_composed_characters() -> None:
    assert LINE.validate_python(" Jose\u0301 ") == "José"
    with pytest.raises(ValidationError, match=r"character 2 is U\+000A"):
        LINE.validate_python("a\nb")


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("a\x00b", "character 2 is U+0000"),
        ("\x1b[31mred", "character 1 is U+001B"),
        ("ok \u202egnp.exe", "character 4 is U+202E"),
        ("\u2066x", "character 1 is U+2066"),
        ("a\x7f", "character 2 is U+007F"),
        ("a\x85b", "character 2 is U+0085"),
    ],
)
def test_what_cannot_be_seen_is_refused_with_its_position(text: str, named: str) -> None:
    for kind in (TEXT, LINE):
        with pytest.raises(ValidationError, match=named.replace("+", r"\+")):
            kind.validate_python(text)
