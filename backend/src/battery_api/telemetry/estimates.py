"""What the digital twin says about the readings of a batch."""

from dataclasses import dataclass

from battery_api.telemetry.checks import CheckedRows
from battery_api.telemetry.live_state import BatteryStates
from battery_api.telemetry.rows import BoolArray, FloatArray, IntArray
from battery_api.telemetry.writer import Column


class EstimatesOutdated(Exception):
    """The estimator state of a battery moved between the call to the twin and the lock on the battery."""


@dataclass(frozen=True, slots=True)
class Estimated:
    """Estimates (m,) of readings; NaN where the twin withheld one."""

    soc_pct: FloatArray
    soh_pct: FloatArray

    def state_columns(self, newest: IntArray) -> tuple[list[Column], list[str]]:
        """Return the columns that bring state rows to some readings' estimates, and further assignments."""
        raise NotImplementedError


@dataclass(frozen=True, slots=True)
class Estimates:
    """Estimates made before the transaction, with the versions of the states they began from."""

    def require_unmoved(self, states: BatteryStates) -> None:
        """Raise `EstimatesOutdated` if another batch was faster for one of the batteries."""

    def of(self, rows: CheckedRows, is_late: BoolArray) -> Estimated:
        """Return the estimates of some readings."""
        raise NotImplementedError
