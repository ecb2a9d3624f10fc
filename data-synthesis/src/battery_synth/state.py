"""What the world integrates, and its checkpoint. Everything else is a function of seed, identity and time."""

import base64
import json
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any, Final

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]

CHECKPOINT_VERSION: Final = 2


@dataclass(slots=True)
class State:
    """Temperatures, charge and wear at an instant.

    ``surface`` (g,) is the share of its float overvoltage that a string's electrodes hold (1 on float, 0 after some
    time of discharge); ``tripped`` (g,) is 1 once a string has reached its cut-off in the discharge that lasts.
    ``deficit_ah`` (n,) is the charge missing to full; ``fast_v`` and ``slow_v`` (n,) are the polarisation branches.
    """

    room_c: FloatArray
    block_c: FloatArray
    deficit_ah: FloatArray
    fast_v: FloatArray
    slow_v: FloatArray
    effective_age_days: FloatArray
    surface: FloatArray
    tripped: FloatArray

    def fits(self, other: "State") -> bool:
        """Say whether all arrays have the other's lengths."""
        return all(getattr(self, item.name).shape == getattr(other, item.name).shape for item in fields(State))


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A world that was put away."""

    seed: int
    time: datetime
    fleet: str
    state: State

    def encoded(self) -> bytes:
        """Return bytes that `decoded` turns back into exactly this."""
        arrays = {
            item.name: base64.b64encode(getattr(self.state, item.name).astype("<f8").tobytes()).decode()
            for item in fields(State)
        }
        header = {"version": CHECKPOINT_VERSION, "seed": self.seed, "time": self.time.isoformat(), "fleet": self.fleet}
        return json.dumps({**header, "state": arrays}).encode()

    @classmethod
    def decoded(cls, data: bytes) -> "Checkpoint":
        """Read a checkpoint.

        Raises
        ------
        ValueError
            The bytes are no checkpoint, or one of another version.
        """
        try:
            content: dict[str, Any] = json.loads(data)
            version = content["version"]
        except (KeyError, TypeError, ValueError) as error:
            raise ValueError("not a checkpoint of the world") from error
        if version != CHECKPOINT_VERSION:
            raise ValueError(f"checkpoint version {version}, this code reads {CHECKPOINT_VERSION}")
        try:
            arrays = {item.name: _array(content["state"][item.name]) for item in fields(State)}
            at = datetime.fromisoformat(content["time"])
            read = cls(int(content["seed"]), at, str(content["fleet"]), State(**arrays))
        except (KeyError, TypeError, ValueError) as error:
            raise ValueError("not a checkpoint of the world") from error
        if at.tzinfo is None or not all(np.isfinite(array).all() for array in arrays.values()):
            raise ValueError("not a checkpoint of the world")
        return read


def _array(text: str) -> FloatArray:
    return np.frombuffer(base64.b64decode(text, validate=True), dtype="<f8").astype(np.float64)
