import copy
import json
from pathlib import Path
from typing import Any

import pytest
from contract_diff import differences, main
from members import ROOT

DOCUMENT: dict[str, Any] = {
    "info": {"title": "Gateway", "version": "1"},
    "paths": {
        "/a": {
            "get": {
                "summary": "List.",
                "responses": {"200": {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/A"}}}}},
            }
        }
    },
    "components": {
        "schemas": {
            "A": {
                "type": "object",
                "description": "One.",
                "properties": {"x": {"type": "number"}, "next": {"$ref": "#/components/schemas/A"}},
            }
        }
    },
}


def renamed() -> dict[str, Any]:
    changed: dict[str, Any] = json.loads(json.dumps(DOCUMENT).replace("schemas/A", "schemas/B"))
    changed["components"]["schemas"]["B"] = changed["components"]["schemas"].pop("A")
    changed["components"]["schemas"]["B"]["description"] = "Another text."
    changed["info"]["version"] = "2"
    changed["paths"]["/a"]["get"]["summary"] = "List all."
    return changed


def test_prose_schema_names_and_version_are_no_difference() -> None:
    assert differences(DOCUMENT, renamed()) == []


def test_a_changed_type_a_missing_field_and_a_new_path_are() -> None:
    changed = copy.deepcopy(DOCUMENT)
    changed["components"]["schemas"]["A"]["properties"]["x"]["type"] = "string"
    (line,) = [line for line in differences(DOCUMENT, changed) if "next" not in line]
    assert line.endswith("/properties/x/type: 'number' became 'string'")
    del changed["components"]["schemas"]["A"]["properties"]["x"]
    assert any(line.endswith("/properties/x is only before") for line in differences(DOCUMENT, changed))
    changed["paths"]["/b"] = {}
    assert "/paths//b is only after" in differences(DOCUMENT, changed)


def test_a_field_called_description_is_compared() -> None:
    before, after = copy.deepcopy(DOCUMENT), copy.deepcopy(DOCUMENT)
    before["components"]["schemas"]["A"]["properties"]["description"] = {"type": "string"}
    after["components"]["schemas"]["A"]["properties"]["description"] = {"type": "integer"}
    assert differences(before, after)


def test_the_command_counts_the_differences(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    committed = ROOT / "contracts" / "openapi"
    assert main(committed, committed) == 0
    for path in committed.glob("*.json"):
        (tmp_path / path.name).write_text(path.read_text())
    (tmp_path / "twin.json").unlink()
    assert main(committed, tmp_path) == 1
    assert "twin.json is missing on one side" in capsys.readouterr().out
