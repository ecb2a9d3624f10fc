"""Sizes of noises, thresholds and physical constants of the compiled filter, with the reason for each."""

# Voltage error (V): correlation time, and its deviation while the voltage is uninformative.
ERROR_TAU_S = 6 * 3600.0
CHARGE_ERROR_SD_V = 0.6
# After float the charge is known better than the voltage: the first rows show how far the circuit is off.
CLOSING_ERROR_SD_V = 0.2
# Current sensor (A): deviation of its bias and the time over which the bias drifts.
BIAS_SD_A = 0.2
BIAS_TAU_S = 5 * 86400.0
# A gap hides what flowed in it; the current is then taken as the mean of its ends.
LONG_GAP_S, MAX_MOVED_IN_GAP = 900.0, 0.5

YEAR_S = 365.25 * 86400.0
# Process noise. The sizes are engineering judgement, tested for consistency (NEES, NIS) in tests/test_consistency.py;
# where a reason exists it is given.
# Variance of charge per minute (1/min): self-discharge and side reactions that are not modelled.
SOC_WALK_VAR_PER_MIN = 2e-5**2
# Gain error of the current sensor, as a share of the charge moved.
CURRENT_GAIN_SD = 0.01
# Uncertainty of the charge moved in a long gap, whose current is known at its ends only.
GAP_SD = 0.2
# Variance of a uniform distribution of unit width: when within a step the current changed is unknown.
UNIFORM_VAR = 1.0 / 12.0
# Error of the polarisation voltage as a share of current times resistance, and a floor (V2) of 0.1 mV squared.
POLARISATION_SD, POLARISATION_VAR_MIN_V2 = 0.03, 1e-8
# Additional voltage error (V) of an empty block, growing by this much per EMPTY_SOC_SPAN below EMPTY_SOC: the curve
# falls off steeply there, at a charge that differs from block to block.
EMPTY_ERROR_SD_V, EMPTY_SOC_SPAN = 0.10, 0.1
# Ageing continues unobserved: an interval of 8 points widens to 11 in a year.
CAPACITY_WALK_VAR_PER_S = 0.045**2 / YEAR_S
# Resistance may change by 10 % in 30 days.
RESISTANCE_WALK_VAR_PER_S = 0.1**2 / (30 * 86400.0)
# Charge lies between 0 and 1: a wider deviation has no meaning.
MAX_SOC_SD = 0.3

# After charge or float the electrodes hold an overvoltage, and the voltage dips and recovers (coup de fouet): for this
# share of the rated capacity the voltage of a discharge depends on neither charge nor resistance alone.
SURFACE_SHARE = 0.04
# Above these a block is on charge or float, or was a moment ago.
RESTED_V, CHARGE_C_RATE = 13.05, 0.004
REST_S = 4 * 3600.0  # within which a block at rest loses its overvoltage
# Above the rest voltage for this long, with no more current than float and a biased sensor account for, it is full.
FLOAT_C_RATE, FLOAT_HELD_S, MAX_FLOAT_STEP_S = 0.005, 600.0, 300.0
FLOAT_BIAS_MARGIN_A = 1.5 * BIAS_SD_A
# What is still missing then, and the uncertainty of that, fall with the time on float.
FULL_SOC, FULL_SOC_SD = 0.98, 0.02
FULL_TAU_S, LEAST_FULL_SOC_SD = 2 * 3600.0, 0.01
UNWATCHED_S, UNWATCHED_SHARE = 5e8, 0.15
# A charge that tapers lacks this many hours of its current.
TAPER_H = 2.0
# A discharge is evidence of capacity from this share of the rated capacity on; below it the voltage noise dominates.
EVIDENCE_SHARE = 0.15
# Gassing takes what the plates do not (Tafel, per Ah of rated capacity; Schiffer et al. 2007).
GAS_A_PER_AH, GAS_PER_V, GAS_PER_C, GAS_CELL_V = 1e-4, 11.0, 0.06, 2.23
MAX_GAS_EXPONENT = 8.0  # against overflow on voltages of a broken sensor
OUTLIER_NIS = 16.0  # four sigma: beyond it the model, not the state, is wrong
# The squared innovations are averaged over this time; where they exceed what is stated, the noises grow with them.
NIS_TAU_S = 900.0
# Above this mean the readings are not those of the block that the circuit describes: its estimate says so by its width.
MISFIT_NIS = 5.0
MISFIT_SOC_VAR, MISFIT_LOG_Q_VAR = 0.3**2, 0.25**2
# A block on charge is not below its rest voltage, and one that is discharged is not on float, by more than this (V).
CONTRADICTION_SD_V, REST_MARGIN_V = 0.1, 0.15
MAX_DISCHARGED_V, MAX_BLOCK_V = 13.2, 16.0
# A slow error beyond this is no error of the circuit: what the voltage shows did not happen in the current.
MAX_ERROR_V = 0.25
# Bounds of capacity over rated capacity: what lead-acid blocks can be.
MIN_SOH, MAX_SOH = 0.3, 1.3
# A block that delivers more than its parameter set's is empty a little below zero charge.
MIN_SOC = -0.05
# Cut-off voltages of a 12 V block by the hours in which the current would empty the rated capacity, and their slack.
# A discharge slower than this ends where the 10 h discharge does, within this charge.
SLOW_C_RATE, EMPTY_SOC_SD = 0.15, 0.01
FAST_CUT_OFF, SLOW_CUT_OFF = 1.0, 2.0
# A first reading far below the cut-off comes from rows that lie far apart, not from so much more charge.
MAX_PAST_CUT_OFF_SOC = 0.02
# The voltage falls by at least this much per whole charge where a discharge ends.
LEAST_END_SLOPE_V = 0.5
# Grades of evidence of capacity; a discharge begins full above this charge, once the first percents are drawn.
FROM_PART, FROM_FULL, MEASURED = 1.0, 2.0, 3.0
NEARLY_FULL_SOC, NEARLY_FULL_SD = 0.9, 0.035
REFERENCE_C_RATE, MAX_UNUSABLE_SOC, BISECTIONS = 0.1, 0.2, 13
FAST_H, MEDIUM_H, FAST_CUT_OFF_V, MEDIUM_CUT_OFF_V, SLOW_CUT_OFF_V, CUT_OFF_SLACK_V = 0.6, 3.0, 10.0, 10.5, 10.8, 0.05
# Acid strength and transport change over years.
ACID_WALK_VAR_PER_S, DEPLETION_WALK_VAR_PER_S = 0.03**2 / YEAR_S, 0.1**2 / YEAR_S
# While the string floats, a sensor's offset is its reading less the probe's, or less the usual float current.
CALIBRATION_VAR_A2 = 0.05**2
DISCHARGE_C_RATE = 0.02
REST_BIAS_SD_A = 0.1
# Deviation of the float current of a block without a probe, once full and while a charge tapers.
FLOAT_SD_C_RATE, TAPER_SD_C_RATE = 0.0006, 0.004
# Error of the open-circuit curve's shape: variance per charge moved (V2).
CURVE_ERROR_VAR_V2 = 0.07**2
# Ohmic readings: repeatability, bias of the instrument, drift of the true value, and the time after a discharge during
# which readings are not representative.
OHMIC_REPEAT, OHMIC_BIAS, OHMIC_WALK_VAR_PER_S = 0.01, 0.02, 0.02**2 / (30 * 86400.0)
OHMIC_WAIT_S = 72 * 3600.0
