"""What is kept of a string at an instant, and how it moves on with the readings."""

from base64 import b64decode, b64encode
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

import numpy as np

from battery_api.telemetry.ingest.intervals import learn_intervals
from battery_api.telemetry.ingest.locked_state import StringStates
from battery_api.telemetry.ingest.string_context import ModeTimeline
from battery_api.telemetry.store.columns import FloatArray, IntArray, as_stored
from battery_api.telemetry.store.indices import BatchSlots
from battery_api.telemetry.store.instants import NEVER, instant, microseconds_of
from battery_api.telemetry.store.string_modes import ModeState
from battery_contracts.enums import StringMode


def string_states(stored: Sequence[dict[str, Any] | None]) -> StringStates:
    """Rebuild the states of strings (n,) from what was kept of them, None for nothing."""
    rows = [row or {} for row in stored]
    modes = [None if row.get("mode") is None else StringMode(row["mode"]) for row in rows]
    since, discharged = times_of(rows, "mode_since").tolist(), times_of(rows, "last_discharge_at").tolist()
    return StringStates(
        last_us=times_of(rows, "time"),
        current_a=values_of(rows, "known_current_a"),
        current_us=times_of(rows, "known_current_at"),
        interval_s=np.array([row.get("reporting_interval_s") for row in rows], np.float64),
        mode=[ModeState(*state) for state in zip(modes, since, discharged, strict=True)],
        judged_us=np.full(len(rows), NEVER),
        rejudge_us=np.full(len(rows), NEVER),
        checkpoint_us=np.full(len(rows), NEVER),
        reestimate_us=np.full(len(rows), NEVER),
        snapshot_us=np.full(len(rows), NEVER),
        float_current_ma=values_of(rows, "known_float_current_ma"),
        float_current_us=times_of(rows, "known_float_current_at"),
        flatlines=[_bytes(row.get("flatlines")) for row in rows],
        trends=[_bytes(row.get("trends")) for row in rows],
        rule_state=[row.get("rule_state") for row in rows],
    )


def encoded_string(states: StringStates) -> dict[str, Any]:
    """Return what is kept of one string."""
    (mode,) = states.mode
    return {
        "time": time_or_none(states.last_us[0]),
        "known_current_a": value_or_none(states.current_a[0]),
        "known_current_at": time_or_none(states.current_us[0]),
        "known_float_current_ma": value_or_none(states.float_current_ma[0]),
        "known_float_current_at": time_or_none(states.float_current_us[0]),
        "mode": mode.mode,
        "mode_since": time_or_none(mode.since_us),
        "last_discharge_at": time_or_none(mode.discharged_us),
        "reporting_interval_s": value_or_none(states.interval_s[0]),
        "flatlines": _text(states.flatlines[0]),
        "trends": _text(states.trends[0]),
        "rule_state": states.rule_state[0],
    }


def advanced_strings(
    states: StringStates, string: BatchSlots, time_us: IntArray, values: dict[str, FloatArray], modes: ModeTimeline
) -> StringStates:
    """Return the states of strings (n,) after readings (m,) newer than them, sorted by string and time."""
    last_us = states.last_us.copy()
    last_us[string] = time_us
    current_us, current_a = _known(states.current_us, states.current_a, string, time_us, values["current_a"])
    float_us, float_ma = _known(
        states.float_current_us, states.float_current_ma, string, time_us, values["float_current_ma"]
    )
    return replace(
        states,
        last_us=last_us,
        current_a=current_a,
        current_us=current_us,
        float_current_ma=float_ma,
        float_current_us=float_us,
        interval_s=learn_intervals(states.interval_s, states.last_us, string, time_us).final_s,
        mode=modes.final(len(states.mode)),
    )


def _known(
    known_us: IntArray, known: FloatArray, string: BatchSlots, time_us: IntArray, values: FloatArray
) -> tuple[IntArray, FloatArray]:
    measured = np.flatnonzero(~np.isnan(values))
    times, newest = known_us.copy(), known.copy()
    times[string[measured]], newest[string[measured]] = time_us[measured], values[measured]
    return times, newest


def times_of(rows: Sequence[dict[str, Any]], name: str) -> IntArray:
    """Return instants (n,) of decoded JSON as microseconds, `NEVER` where there is none."""
    texts = [row.get(name) for row in rows]
    return microseconds_of([None if text is None else datetime.fromisoformat(text) for text in texts])


def values_of(rows: Sequence[dict[str, Any]], name: str) -> FloatArray:
    """Return values (n,) of decoded JSON, NaN where there is none."""
    return as_stored(np.array([row.get(name) for row in rows], np.float64))


def time_or_none(time_us: Any) -> datetime | None:
    """Return microseconds as an instant, None for `NEVER`."""
    return None if time_us == NEVER else instant(int(time_us))


def value_or_none(value: Any) -> float | None:
    """Return a value, None for NaN."""
    return None if np.isnan(value) else float(value)


def _bytes(text: str | None) -> bytes | None:
    return None if text is None else b64decode(text)


def _text(stored: bytes | None) -> str | None:
    return None if stored is None else b64encode(stored).decode()
