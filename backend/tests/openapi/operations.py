"""Every operation of the OpenAPI description, with a request that it accepts, made from its own examples."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, Final

from battery_api.accounts.principal import Scope
from battery_api.app.main import create_app
from battery_api.app.openapi import describe
from battery_contracts.enums import Role

EXAMPLE_LOCATION: Final = "DC-CNX-01"
"""Location of the ids in the examples of the description."""
_NEEDS: Final = re.compile(r"Needs the role (\w+)(?: or a key with the scope `([\w:]+)`)?")
_RANK: Final = {"get": 0, "put": 1, "post": 1, "patch": 2, "delete": 3}
_SPAN: Final = {"start": "2026-11-20T00:00:00Z", "end": "2026-11-20T12:00:00Z"}


@dataclass(frozen=True, slots=True)
class Operation:
    """One method of one path."""

    method: str
    path: str
    """Below the prefix of the API, with names in braces."""
    description: Mapping[str, Any]

    @property
    def name(self) -> str:
        return f"{self.method.upper()} {self.path}"

    @property
    def role(self) -> Role | None:
        """Least role; None if it needs no credentials."""
        found = _NEEDS.search(self.description["description"])
        return None if found is None or not self.description["security"] else Role(found[1])

    @property
    def scope(self) -> Scope | None:
        """Scope that a key needs; None if keys are refused."""
        found = _NEEDS.search(self.description["description"])
        return None if found is None or found[2] is None else Scope(found[2])

    @property
    def statuses(self) -> frozenset[str]:
        return frozenset(self.description["responses"])

    @property
    def parameters(self) -> list[Mapping[str, Any]]:
        return list(self.description.get("parameters", ()))

    @property
    def content(self) -> Mapping[str, Any]:
        """Media types of the body; empty if it takes none."""
        body: Mapping[str, Any] = self.description.get("requestBody", {}).get("content", {})
        return body

    @property
    def body(self) -> Any:
        """Body of the example; None if it takes none."""
        return next((media["example"] for media in self.content.values() if "example" in media), None)

    def requests(self, ids: Mapping[str, Any]) -> list[dict[str, Any]]:
        """Return requests about the subjects of ``ids``, as the arguments of a client: one for each filter."""
        named = {parameter["name"] for parameter in self.parameters if parameter["in"] == "query"}
        query = {name: value for name, value in (_SPAN | {"power_w": "20000"}).items() if name in named}
        filters = [{name: ids[name]} for name in ids if name in named]
        return [self._request(ids, query | chosen) for chosen in (filters or [{}])]

    def _request(self, ids: Mapping[str, Any], query: Mapping[str, Any]) -> dict[str, Any]:
        arguments: dict[str, Any] = {
            "method": self.method.upper(),
            "url": self.path.format_map(ids),
            "params": dict(query),
        }
        if isinstance(self.body, str):
            text = self.body.replace(EXAMPLE_LOCATION, ids["location_id"])
            arguments |= {"content": text.encode(), "headers": {"Content-Type": "text/csv"}}
        elif self.body is not None:
            body = json.loads(json.dumps(self.body).replace(EXAMPLE_LOCATION, ids["location_id"]))
            if "hand-over" in self.path:
                body["user_id"] = ids["owner_id"]
            arguments["json"] = body
        return arguments


@cache
def operations() -> tuple[Operation, ...]:
    """Return all operations of the API: first those that read, last those that delete."""
    prefix = "/api/v1/"
    found = [
        Operation(method, path.removeprefix(prefix), operation)
        for path, item in describe(create_app())["paths"].items()
        for method, operation in item.items()
        if path.startswith(prefix)
    ]
    return tuple(sorted(found, key=lambda one: _RANK[one.method] + 0.5 * ("retire" in one.path)))


def protected() -> tuple[Operation, ...]:
    """Return the operations that need credentials."""
    return tuple(operation for operation in operations() if operation.role is not None)
