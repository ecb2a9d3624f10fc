"""Compile the twin's filter into NUMBA_CACHE_DIR by one estimate; used when its image is built."""

import sys

from battery_servicekit.health import CheckState
from battery_twin.api.readiness import check_estimator
from battery_twin.fleet.estimator import FleetEstimator
from battery_twin.fleet.models import BatteryModels

finding = check_estimator(FleetEstimator(BatteryModels(None)))
if finding.state is not CheckState.UP:
    sys.exit(f"The compiled filter does not estimate: {finding.reason}")
