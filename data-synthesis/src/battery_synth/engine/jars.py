"""Which jar stands where: what it was born with, what wear has made of it, and its replacement."""

from typing import Any, Final

import numpy as np

from battery_synth.engine.arrays import Blocks, BoolArray, FloatArray, IntArray, State
from battery_synth.engine.layout import SiteLayout
from battery_synth.engine.readings import DayTruth
from battery_synth.life.condition import Condition, Wear, activation_ev, condition, next_sudden_after
from battery_synth.life.lives import LifeEvent
from battery_synth.life.nature import Nature
from battery_synth.life.policy import Policy
from battery_synth.streams import stream
