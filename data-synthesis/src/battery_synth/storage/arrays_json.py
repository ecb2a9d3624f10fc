"""State with arrays as JSON: arrays as base64 of little-endian bytes, so that no precision is lost."""

import base64
from typing import Any

import numpy as np


def encoded(saved: Any) -> Any:
    """Return a nested state with its arrays as base64."""
    if isinstance(saved, dict):
        return {name: encoded(value) for name, value in saved.items()}
    if isinstance(saved, np.ndarray):
        kind = "<f8" if saved.dtype.kind == "f" else "<i8"
        return {"array": kind, "base64": base64.b64encode(saved.astype(kind).tobytes()).decode()}
    return saved


def decoded(content: Any) -> Any:
    """Return the state that `encoded` was given.

    Raises
    ------
    ValueError
        An array has an unknown type or broken base64, or holds a number that is not finite.
    """
    if not isinstance(content, dict):
        return content
    if set(content) != {"array", "base64"}:
        return {name: decoded(value) for name, value in content.items()}
    if content["array"] not in {"<f8", "<i8"}:
        raise ValueError(f"unknown array {content['array']!r}")
    array = np.frombuffer(base64.b64decode(content["base64"], validate=True), dtype=content["array"])
    if not np.isfinite(array).all():
        raise ValueError("not a number")
    return array.astype(np.float64 if content["array"] == "<f8" else np.int64)
