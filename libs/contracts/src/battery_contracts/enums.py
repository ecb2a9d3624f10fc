"""Closed vocabularies of the wire: severities, modes, states, provenance and reason codes."""

from enum import IntFlag, StrEnum
from typing import Final


class SystemKind(StrEnum):
    """What a battery system feeds."""

    UPS = "UPS"
    RECTIFIER = "RECTIFIER"


class StringMode(StrEnum):
    """Operating mode of a string; float rules apply only in ``float``."""

    FLOAT = "float"
    RECHARGE = "recharge"
    DISCHARGE = "discharge"
    BOOST = "boost"
    TEST = "test"


DISCHARGING_MODES: Final = frozenset({StringMode.DISCHARGE, StringMode.TEST})
"""Modes in which a string feeds its load."""


class Severity(StrEnum):
    """How soon somebody must respond."""

    INFO = "info"
    WARNING = "warning"
    CRITICAL = "critical"

    @property
    def rank(self) -> int:
        """Order of urgency, larger is more urgent."""
        return _SEVERITY_RANK[self]


_SEVERITY_RANK = {Severity.INFO: 0, Severity.WARNING: 1, Severity.CRITICAL: 2}


class RespondWithin(StrEnum):
    """Time to respond; a warning allows either a month or a week."""

    MONTH = "30d"
    WEEK = "7d"
    SAME_DAY = "same_day"


class AlertType(StrEnum):
    """What an alert is about."""

    VOLTAGE_LOW = "voltage_low"
    VOLTAGE_HIGH = "voltage_high"
    TEMPERATURE_HIGH = "temperature_high"
    TEMPERATURE_DEVIATION = "temperature_deviation"
    CURRENT_HIGH = "current_high"
    RESISTANCE_DRIFT = "resistance_drift"
    STRING_IMBALANCE = "string_imbalance"
    THERMAL_RUNAWAY = "thermal_runaway"
    SOH_DEGRADED = "soh_degraded"
    RUL_WARNING = "rul_warning"
    RUL_CRITICAL = "rul_critical"
    RUL_CHANGE = "rul_change"
    SENSOR_FAULT = "sensor_fault"
    DATA_STALE = "data_stale"
    DATA_QUALITY = "data_quality"
    HVAC_FAILURE = "hvac_failure"
    MAINS_OUTAGE = "mains_outage"
    GRID_INSTABILITY = "grid_instability"


class HealthStatus(StrEnum):
    """Worst open condition of a battery; ``normal`` means no open condition, not proven health."""

    NORMAL = "normal"
    WARNING = "warning"
    CRITICAL = "critical"
    NO_DATA = "no_data"


class Provenance(StrEnum):
    """Kind of evidence behind an estimate, strongest first."""

    MEASURED = "measured"
    DISCHARGE_INFERRED = "discharge_inferred"
    OHMIC_INFERRED = "ohmic_inferred"
    PRIOR_ONLY = "prior_only"


class NoEstimateReason(StrEnum):
    """Why an estimate is withheld."""

    NO_ESTIMATE_YET = "no_estimate_yet"
    TWIN_UNAVAILABLE = "twin_unavailable"
    READING_TOO_OLD = "reading_too_old"
    CONTRADICTS_CIRCUIT = "contradicts_circuit"
    """The reading cannot be that of a healthy battery: a cell may be shorted, or the sense lead is off."""
    OUTSIDE_MODEL = "outside_model"
    """The reading, or the battery, lies outside what the digital twin models."""
    SENSOR_FAULT = "sensor_fault"
    """An open alert says that a sensor of the battery is at fault."""
    NO_EVIDENCE = "no_evidence"
    """There are estimates, but they rest on age and model alone."""


class JudgedSignal(StrEnum):
    """What the alert rules judge of a battery."""

    VOLTAGE = "voltage"
    VOLTAGE_VS_STRING = "voltage_vs_string"
    DISCHARGE_VOLTAGE = "discharge_voltage"
    """The limits that apply during a discharge; judged means that a discharge would be noticed."""
    TEMPERATURE = "temperature"
    TEMPERATURE_OVER_ROOM = "temperature_over_room"
    TEMPERATURE_OVER_STRING = "temperature_over_string"
    RESISTANCE = "resistance"


class NotJudgedReason(StrEnum):
    """Why the rules cannot judge a signal of a battery at present."""

    NEVER_MEASURED = "never_measured"
    READING_TOO_OLD = "reading_too_old"
    NO_TEMPERATURE = "no_temperature"
    """Neither a temperature of the battery nor one of its room refers the resistance to 25 °C."""
    NO_ROOM_TEMPERATURE = "no_room_temperature"
    TOO_FEW_PEERS = "too_few_peers"
    """Too few batteries of the string have present values to compare with."""
    NO_CURRENT = "no_current"
    """No present current or mode of the string: a discharge would not be noticed."""
    NOT_SETTLED = "not_settled"
    """The string discharges, recharges, or did so less than 72 h ago; its batteries cannot be compared yet."""
    RETIRED = "retired"
    """Nothing watches a battery that is out of service."""


class ReadingQuality(IntFlag):
    """Flags stored with a reading; zero means none applies."""

    NONE = 0
    TWIN_UNAVAILABLE = 1
    """No SOC or SOH: the digital twin gave no estimate for this reading."""
    DANGEROUS = 2
    """A value outside the safe region that is stored and alarmed, never dropped."""
    CURRENT_FROM_STRING = 4
    """The battery's current is that of its string."""
    LATE = 8
    """Older than the newest reading when it arrived; fills the history only."""
    BULK_LOADED = 16
    """Part of a history load, not of the live path; no rule ever judged it."""
    VOLTAGE_MISSING = 32
    """The reading carried no voltage."""
    CORRECTED = 64
    """A later message of the same instant changed a value; the overwritten one is kept."""
    CONTRADICTS_CIRCUIT = 128
    """No SOC or SOH: the digital twin found that the reading contradicts the battery's circuit."""
    OUTSIDE_MODEL = 256
    """No SOC or SOH: the reading or the battery lies outside what the digital twin models."""

    SENSOR_FAULT = 512
    """An open alert says that a sensor of the battery is at fault; its estimates are withheld."""

    def codes(self) -> list[str]:
        """Return the set flags as lower-case codes in bit order."""
        return [flag.name.lower() for flag in type(self) if flag in self and flag.name is not None]


class RejectCode(StrEnum):
    """Why a reading of a batch was rejected."""

    MALFORMED = "malformed"
    MISSING_FIELD = "missing_field"
    UNKNOWN_ID = "unknown_id"
    """Nothing that the caller may write to has this id."""
    NOT_FINITE = "not_finite"
    NOT_AVAILABLE = "not_available"
    """The value is what a register sends when it has none."""
    WRONG_SCALE = "wrong_scale"
    OUT_OF_RANGE = "out_of_range"
    BAD_TIME = "bad_time"
    FUTURE = "future"
    TOO_OLD = "too_old"
    RETIRED = "retired"
    NO_VALUES = "no_values"
    REPEATED_IN_BATCH = "repeated_in_batch"


class Role(StrEnum):
    """What a user may do; each role includes the one before it."""

    VIEWER = "viewer"
    ENGINEER = "engineer"
    ADMIN = "admin"

    @property
    def rank(self) -> int:
        """Order of rights, a larger rank may do more."""
        return _ROLE_RANK[self]


_ROLE_RANK = {Role.VIEWER: 0, Role.ENGINEER: 1, Role.ADMIN: 2}


class HvacState(StrEnum):
    """State of a battery room's air conditioning as the location reports it."""

    RUNNING = "running"
    DEGRADED = "degraded"
    FAILED = "failed"
    OFF = "off"


class ServiceState(StrEnum):
    """Whether a dependency answers."""

    UP = "up"
    DOWN = "down"
