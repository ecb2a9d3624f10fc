"""One shape for every list."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Generic, TypeVar

from fastapi import Depends, Query
from pydantic import BaseModel

Item = TypeVar("Item")


class Page(BaseModel, Generic[Item]):
    """A stretch of a list; ``total`` is the real number of items that match, not the number shown."""

    items: Sequence[Item]
    total: int
    skip: int
    limit: int


@dataclass(frozen=True, slots=True)
class PageRequest:
    """Which stretch of a list the caller wants."""

    skip: int
    limit: int


def _page_request(
    skip: Annotated[int, Query(ge=0, le=10_000_000, description="Items to pass over.")] = 0,
    limit: Annotated[int, Query(ge=1, le=1000, description="Items to return at most.")] = 100,
) -> PageRequest:
    return PageRequest(skip, limit)


PageQuery = Annotated[PageRequest, Depends(_page_request)]
