"""State with arrays as JSON: numbers as base64 of little-endian bytes, so that nothing is lost on the way."""

import base64
from typing import Any

import numpy as np


def encoded(saved: Any) -> Any:
    """Return what was saved with its arrays as base64."""
    if isinstance(saved, dict):
        return {name: encoded(value) for name, value in saved.items()}
    if isinstance(saved, np.ndarray):
        kind = "<f8" if saved.dtype.kind == "f" else "<i8"
        return {"array": kind, "base64": base64.b64encode(saved.astype(kind).tobytes()).decode()}
    return saved


def decoded(content: Any) -> Any:
    """Return what `encoded` took.

    Raises
    ------
    ValueError
        An array is not what it should be, or holds a number that is none.
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
