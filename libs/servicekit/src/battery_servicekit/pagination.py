"""One shape for all paginated lists."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Generic, TypeVar

from fastapi import Depends, Query
from pydantic import BaseModel, ConfigDict

Item = TypeVar("Item")


def _describe_page(schema: dict[str, Any]) -> None:
    # A page of a kind of item is made where it is used, and has no docstring of its own.
    schema.setdefault("description", "One page of a list.")


class Page(BaseModel, Generic[Item]):
    """One page of a list; ``total`` counts all matching items, not only those of the page."""

    model_config = ConfigDict(use_attribute_docstrings=True, json_schema_extra=_describe_page)

    items: Sequence[Item]
    """The items of this page, in the order of the list."""
    total: int
    """All items that match, on every page."""
    skip: int
    """Number of items before this page."""
    limit: int
    """Largest number of items that the page could have."""


@dataclass(frozen=True, slots=True)
class PageRequest:
    """The page of a list that the caller requests."""

    skip: int
    limit: int


def _page_request(
    skip: Annotated[int, Query(ge=0, le=10_000_000, description="Number of items to skip.")] = 0,
    limit: Annotated[int, Query(ge=1, le=1000, description="Maximum number of items to return.")] = 100,
) -> PageRequest:
    return PageRequest(skip, limit)


PageQuery = Annotated[PageRequest, Depends(_page_request)]
