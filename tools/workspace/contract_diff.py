"""Compare two folders of OpenAPI files: python tools/workspace/contract_diff.py BEFORE AFTER.

Paths, parameters, fields, types and status codes must be equal; descriptions, summaries, titles, the names of component
schemas and ``info.version`` may differ. Prints each difference; the exit code is 1 if there are any.
"""

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from environments import print_line

_PROSE = frozenset({"description", "summary", "title"})


def differences(before: dict[str, Any], after: dict[str, Any]) -> list[str]:
    """Return one line per difference between two OpenAPI documents."""
    return list(_compare(_shape(before), _shape(after), ""))


def _shape(document: dict[str, Any]) -> Any:
    """Return a document without prose, with each reference replaced by what it refers to."""
    components = document.get("components", {})
    schemas = components.get("schemas", {})
    rest = {name: value for name, value in document.items() if name != "components"}
    info = {name: value for name, value in document.get("info", {}).items() if name != "version"}
    return _resolve(rest | {"info": info, "securitySchemes": components.get("securitySchemes")}, schemas, ())


def _resolve(node: Any, schemas: dict[str, Any], path: tuple[str, ...]) -> Any:
    if isinstance(node, list):
        return [_resolve(item, schemas, path) for item in node]
    if not isinstance(node, dict):
        return node
    if "$ref" in node:
        name = node["$ref"].rsplit("/", 1)[-1]
        # A schema that contains itself is named by how far up it stands.
        return (
            {"recursion": len(path) - path.index(name)}
            if name in path
            else _resolve(schemas[name], schemas, (*path, name))
        )
    kept = {key: value for key, value in node.items() if not (key in _PROSE and isinstance(value, str))}
    return {key: _resolve(value, schemas, path) for key, value in kept.items()}


def _compare(before: Any, after: Any, path: str) -> Iterator[str]:
    if isinstance(before, dict) and isinstance(after, dict):
        for key in sorted(before.keys() | after.keys()):
            if key not in before or key not in after:
                yield f"{path}/{key} is only {'before' if key in before else 'after'}"
            else:
                yield from _compare(before[key], after[key], f"{path}/{key}")
    elif isinstance(before, list) and isinstance(after, list) and len(before) == len(after):
        for number, (one, other) in enumerate(zip(before, after, strict=True)):
            yield from _compare(one, other, f"{path}[{number}]")
    elif before != after:
        yield f"{path}: {before!r} became {after!r}"


def main(before: Path, after: Path) -> int:
    """Compare every file of the two folders; return the exit code."""
    count = 0
    for name in sorted({path.name for folder in (before, after) for path in folder.glob("*.json")}):
        documents = [folder / name for folder in (before, after)]
        if not all(path.exists() for path in documents):
            lines = [f"{name} is missing on one side"]
        else:
            lines = differences(*(json.loads(path.read_text()) for path in documents))
        count += len(lines)
        print_line(f"{name}: {len(lines)} differences")
        for line in lines:
            print_line(f"  {line}")
    return 1 if count else 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), Path(sys.argv[2])))
