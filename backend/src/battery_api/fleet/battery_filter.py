"""Which batteries a list shows and in which order, and of which of them that cannot be decided."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

STATUS_RANK: Final = "array_position(array['critical', 'no_data', 'warning', 'normal'], x.status)"


def _shown(quantity: str) -> str:
    """Return the SQL for an estimate as the list shows it: without its spread or its evidence it shows none."""
    is_whole = f"x.{quantity}_sd_pct is not null and x.{quantity}_provenance is not null"
    return f"(case when {is_whole} then x.{quantity}_pct end)"


DEVIATION_SORT: Final = "voltage_deviation_v"
SORTS: Final[Mapping[str, str]] = {
    "battery_id": "x.code",
    "voltage_v": "x.voltage_v",
    "temperature_c": "x.temperature_c",
    "internal_resistance_mohm": "x.internal_resistance_mohm",
    "resistance_drift_pct": "x.resistance_drift_pct",
    DEVIATION_SORT: "abs(x.voltage_deviation_v)",
    "soc_pct": _shown("soc"),
    "soh_pct": _shown("soh"),
    "rul_days": "x.rul_days",
    "rul_p10_days": "x.rul_p10_days",
    "installed_at": "x.installed_at",
    "age_years": "(- date_part('epoch', x.installed_at))",
    "status": STATUS_RANK,
    "time": "x.time",
}
"""Sort keys of the battery list; a leading ``-`` reverses the order."""
_ALWAYS_KNOWN: Final = frozenset({"battery_id", "installed_at", "age_years", "status"})


@dataclass(frozen=True, slots=True)
class BatteryFilter:
    """Which batteries to list; None means any. ``visible`` holds the caller's locations, None for all.

    A battery that is named by its id is found whether it is retired or not. ``not_judged_keys`` are the database keys
    of the batteries of which the rules cannot judge something, needed if ``not_judged`` is set.
    """

    visible: frozenset[str] | None = None
    include_retired: bool = False
    location_id: str | None = None
    system_id: str | None = None
    string_id: str | None = None
    battery_id: str | None = None
    status: str | None = None
    has_alerts: bool | None = None
    not_judged: bool | None = None
    not_judged_keys: frozenset[int] = frozenset()
    rul_below_days: float | None = None
    text: str | None = None

    def conditions(self) -> tuple[str, dict[str, Any]]:
        """Return the SQL condition on the joined row, and the parameters of every condition of the filter."""
        clauses, values = self._on_what_is_known()
        for clause in self._comparisons().values():
            clauses.append(clause)
            values["rul_below_days"] = self.rul_below_days
        return _all(clauses), values

    def unknown_condition(self) -> str | None:
        """Return the SQL condition that the rest of the filter holds and a comparison has no value; None without one.

        Its parameters are those of `conditions`.
        """
        compared = self._comparisons()
        if not compared:
            return None
        missing = " or ".join(f"{column} is null" for column in compared)
        return _all([*self._on_what_is_known()[0], f"({missing})"])

    def _comparisons(self) -> dict[str, str]:
        """Return the SQL condition on each column that can be null."""
        return {} if self.rul_below_days is None else {"x.rul_days": "x.rul_days < :rul_below_days"}

    def _on_what_is_known(self) -> tuple[list[str], dict[str, Any]]:
        clauses: list[str] = []
        values: dict[str, Any] = {}
        exact = {
            "x.location_code": self.location_id,
            "x.system_code": self.system_id,
            "x.string_code": self.string_id,
            "x.code": self.battery_id,
            "x.status": self.status,
        }
        for column, value in exact.items():
            if value is not None:
                name = column.removeprefix("x.")
                clauses.append(f"{column} = :{name}")
                values[name] = value
        if not self.include_retired and self.battery_id is None:
            clauses.append("x.retired_at is null")
        if self.visible is not None:
            clauses.append("x.location_code = any(:visible)")
            values["visible"] = sorted(self.visible)
        if self.has_alerts is not None:
            clauses.append(f"(x.open_info + x.open_warning + x.open_critical > 0) = {str(self.has_alerts).lower()}")
        if self.not_judged is not None:
            clauses.append(f"(x.key = any(cast(:not_judged_keys as int[]))) = {str(self.not_judged).lower()}")
            values["not_judged_keys"] = sorted(self.not_judged_keys)
        if self.text:
            clauses.append("(x.code ilike :text or x.serial_number ilike :text)")
            escaped = self.text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
            values["text"] = f"%{escaped}%"
        return clauses, values


def unknown_sql(battery_filter: BatteryFilter, sort: str) -> str | None:
    """Return the SQL condition on batteries that a comparison leaves out, or the sort puts last, for want of a value.

    None if nothing that is compared or sorted by can be missing. Its parameters are those of the filter's
    `BatteryFilter.conditions`.
    """
    left_out = battery_filter.unknown_condition()
    name = sort.removeprefix("-")
    if name in _ALWAYS_KNOWN:
        return left_out
    last = f"{battery_filter.conditions()[0]} and {SORTS[name]} is null"
    return last if left_out is None else f"({left_out}) or ({last})"


def _all(clauses: list[str]) -> str:
    return " and ".join(clauses) or "true"
