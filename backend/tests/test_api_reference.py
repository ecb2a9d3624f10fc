import re
from pathlib import Path

from battery_api.app.main import create_app
from battery_api.app.openapi import describe

REFERENCE = Path(__file__).resolve().parents[2] / "API_REFERENCE.md"
LINE = re.compile(r"^\| `(?P<method>[A-Z]+) (?P<path>/\S*)` \| (?P<text>.+) \|$")


def listed() -> dict[str, str]:
    """Return what the reference's endpoint table says, by method and path."""
    table = REFERENCE.read_text(encoding="utf-8").partition("## Endpoints")[2]
    found = [LINE.match(line) for line in table.splitlines() if line.startswith("| `")]
    assert all(found), "a line of the table has another form"
    lines = [(f"{line['method']} {line['path']}", line["text"]) for line in found if line]
    assert len(dict(lines)) == len(lines), "an endpoint is listed twice"
    return dict(lines)


def served() -> dict[str, str]:
    """Return the endpoints of the gateway with the first paragraph of their descriptions."""
    paths = describe(create_app())["paths"]
    return {
        f"{method.upper()} {path}": " ".join(operation["description"].partition("\n\n")[0].split())
        for path, operations in paths.items()
        for method, operation in operations.items()
    }


def test_the_reference_lists_every_endpoint_and_no_other() -> None:
    assert set(listed()) == set(served())


def test_the_reference_describes_each_endpoint_as_the_endpoint_does() -> None:
    descriptions = served()
    assert {name: text for name, text in listed().items() if descriptions.get(name) != text} == {}
