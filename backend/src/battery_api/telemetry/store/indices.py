"""The index spaces of the fleet, as types, so that a key never passes for a position in an array.

A *key* is a primary key of the database. A *fleet slot* is a position in the arrays of `FleetIndex`, which hold the
whole fleet in key order. A *batch slot* is a position among the subjects that one batch touches.
"""

from typing import NewType

import numpy as np
import numpy.typing as npt

BatteryKey = NewType("BatteryKey", int)
StringKey = NewType("StringKey", int)
LocationKey = NewType("LocationKey", int)
FleetSlot = NewType("FleetSlot", int)
BatchSlot = NewType("BatchSlot", int)

Keys = NewType("Keys", npt.NDArray[np.int64])
"""Primary keys (n,) of one kind of subject."""
FleetSlots = NewType("FleetSlots", npt.NDArray[np.int64])
"""Fleet slots (n,) of one kind of subject."""
BatchSlots = NewType("BatchSlots", npt.NDArray[np.int64])
"""Batch slots (n,) of one kind of subject."""
