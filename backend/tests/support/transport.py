"""The ways in which the readings of a trace may come: cut, delayed, shuffled, alone."""

import random
from collections.abc import Iterator, Sequence
from typing import Any

Message = tuple[str, dict[str, Any]]
"""Kind and content of one reading, as in a request."""


def cut_and_shuffle(messages: Sequence[Message], seed: int) -> list[list[Message]]:
    """Cut a trace into batches of any length, delay some of them, and deal out a part of the rows alone."""
    rng = random.Random(seed)  # a repeatable cut, no secret
    kept: list[Message] = []
    loose: list[Message] = []
    for message in messages:
        (loose if rng.random() < 0.1 else kept).append(message)
    batches: list[tuple[float, list[Message]]] = []
    begin = 0
    while begin < len(kept):
        end = begin + rng.choice([1, 3, 8, 30, 120])
        delay = rng.choice([0, 0, 0, 40, 400])
        batches.append((begin + delay, kept[begin:end]))
        begin = end
    batches += [(rng.uniform(0, len(kept) + 200), [message]) for message in loose]
    batches.sort(key=lambda batch: batch[0])
    for _, batch in batches:
        rng.shuffle(batch)
    return [batch for _, batch in batches]


def bodies_of(batches: Sequence[Sequence[Message]]) -> Iterator[dict[str, Any]]:
    """Return batches as the bodies of requests."""
    for batch in batches:
        body: dict[str, list[dict[str, Any]]] = {}
        for kind, reading in batch:
            body.setdefault(kind, []).append(reading)
        yield body
