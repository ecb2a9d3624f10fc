"""Plots of generated data, chosen as a battery engineer would."""

from collections.abc import Callable
from datetime import UTC, datetime
from io import BytesIO
from typing import Any, Final

import matplotlib as mpl
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from matplotlib.figure import Figure

from battery_synth.engine.day import room_course_c
from battery_synth.outside.climate import MONTHLY_MEAN_C
from battery_synth.outside.locations import LOCATIONS
from battery_synth.outside.surroundings import Surroundings
from battery_synth.realism.survival import SurvivalTimes, rate_per_year, survival
from battery_synth.realism.tables import DatasetTables, FloatArray, Population, instants_us, numbers, words

_BANGKOK_US: Final = 7 * 3_600_000_000
_DAY_US: Final = 86_400_000_000
_YEAR_DAYS: Final = 365.25
_COLOURS: Final = ("#2563eb", "#f97316", "#16a34a", "#9333ea", "#dc2626", "#0891b2")
_STYLE: Final[Any] = {
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "grid.alpha": 0.25,
    "font.size": 9,
    "axes.titlesize": 10,
    "axes.titleweight": "bold",
    "figure.facecolor": "white",
    "svg.hashsalt": "battery-synth",
}

Draw = Callable[..., Figure]


def as_svg(figure: Figure) -> str:
    """Return a figure as SVG for embedding in a page; equal figures give equal text."""
    buffer = BytesIO()
    with mpl.rc_context(_STYLE):
        figure.savefig(buffer, format="svg", bbox_inches="tight", metadata={"Date": None})
    text = buffer.getvalue().decode()
    return text[text.index("<svg") :]


def as_png(figure: Figure) -> bytes:
    """Return a figure as PNG."""
    buffer = BytesIO()
    figure.savefig(buffer, format="png", dpi=110, bbox_inches="tight", metadata={"Software": None})
    return buffer.getvalue()


def _canvas(
    columns: int = 1, *, height: float = 3.2, width: float = 9.5, rows: int = 1, **options: Any
) -> tuple[Figure, Any]:
    with mpl.rc_context(_STYLE):
        figure = Figure(figsize=(width, height), layout="constrained")
        axes = figure.subplots(rows, columns, **options)
    return figure, axes


def distributions(data: DatasetTables) -> Figure:
    """Plot the distributions of block voltage, temperature, resistance and float current on float."""
    rows = data.read("telemetry", ["voltage_v", "temperature_c", "internal_resistance_mohm"])
    strings = data.read("string_telemetry", ["float_current_ma", "mode"])
    probe = numbers(strings, "float_current_ma")[words(strings, "mode") == "float"]
    figure, axes = _canvas(4, height=2.6)
    panels = (
        (numbers(rows, "voltage_v"), "Block voltage, V", (13.2, 14.0)),
        (numbers(rows, "temperature_c"), "Block temperature, °C", None),
        (numbers(rows, "internal_resistance_mohm"), "Resistance, mΩ", (2.0, 8.0)),
        (probe, "Float current, mA", (0.0, 160.0)),
    )
    for axis, (values, title, span), colour in zip(axes, panels, _COLOURS, strict=False):
        axis.hist(values[np.isfinite(values)], bins=60, range=span, color=colour)
        axis.set(title=title, yticks=[])
    return figure


def one_day(data: DatasetTables) -> Figure:
    """Plot one day of one string: block voltages and temperatures."""
    first_us, string = _first_day(data)
    batteries = sorted(row.battery_id for row in data.fleet if row.battery_id.startswith(f"BAT-{string}"))
    rows = data.read("telemetry", ["time", "battery_id", "voltage_v", "temperature_c"], _of(batteries[::3]))
    at_us, names = instants_us(rows), words(rows, "battery_id")
    figure, (left, right) = _canvas(2, sharex=True)
    hours = ((at_us + _BANGKOK_US) % _DAY_US) / 3.6e9
    for name in sorted(set(names)):
        rows_of = np.flatnonzero((names == name) & (at_us < first_us + _DAY_US))
        order = rows_of[np.argsort(hours[rows_of])]
        left.plot(hours[order], numbers(rows, "voltage_v")[order], lw=0.8)
        right.plot(hours[order], numbers(rows, "temperature_c")[order], lw=0.8)
    left.set(title=f"One day of {string}: voltage, V", xlabel="hour in Bangkok")
    right.set(title="Temperature, °C", xlabel="hour in Bangkok")
    return figure


def one_outage(data: DatasetTables) -> Figure | None:
    """Plot the longest discharge of the set in detail; return None if there is none."""
    strings = data.read("string_telemetry", ["time", "string_id", "voltage_v", "current_a", "mode"])
    at_us, owner, mode = instants_us(strings), words(strings, "string_id"), words(strings, "mode")
    is_working = np.isin(mode, ("discharge", "test"))
    if not is_working.any():
        return None
    counts = {name: int(((owner == name) & is_working).sum()) for name in sorted(set(owner[is_working]))}
    string = max(counts, key=lambda name: counts[name])
    own = owner == string
    order = np.argsort(at_us[own])
    times, busy = at_us[own][order], is_working[own][order]
    edges = np.flatnonzero(np.diff(np.concatenate([[0], busy.astype(np.int8), [0]])))
    spans = edges.reshape(-1, 2)
    begin, end = spans[np.argmax(times[spans[:, 1] - 1] - times[spans[:, 0]])]
    length = max(times[end - 1] - times[begin], 60_000_000)
    near = (times >= times[begin] - length // 2) & (times <= times[end - 1] + 3 * length)
    minutes = (times[near] - times[begin]) / 6e7
    blocks = sum(row.string_id == string for row in data.fleet)
    figure, (top, bottom) = _canvas(rows=2, height=4.2, sharex=True)
    top.plot(minutes, numbers(strings, "voltage_v")[own][order][near] / blocks, ".-", color=_COLOURS[0], lw=1, ms=3)
    top.set(title=f"The longest discharge, {string}: mean block voltage, V")
    bottom.plot(minutes, numbers(strings, "current_a")[own][order][near], ".-", color=_COLOURS[1], lw=1, ms=3)
    bottom.set(title="Current, A (charging is positive)", xlabel="minutes from the start")
    return figure


def one_year(seed: int) -> Figure:
    """Plot a year of outdoor air per zone against the sourced monthly means, with a location's room."""
    start = datetime(2025, 1, 1, tzinfo=UTC).timestamp()
    hours: FloatArray = start + 3600.0 * np.arange(365 * 24, dtype=np.float64)
    figure, axes = _canvas(3, rows=2, height=5.2, sharex=True, sharey=True)
    zones = {location.climate_zone: location for location in LOCATIONS}
    for axis, (zone, location) in zip(axes.ravel(), sorted(zones.items()), strict=False):
        outside = Surroundings.of(seed, location, [f"{location.code}-UPS-01"], 1, 120.0)
        air = outside.outdoor_c(hours).reshape(365, 24)
        cells: FloatArray = start + 300.0 * (np.arange(365 * 288, dtype=np.float64) + 0.5)
        target, tau = outside.room_target_c(cells)
        room = room_course_c(float(target[0]), target, tau)[:-1].reshape(365, 288)
        days = np.arange(365)
        axis.fill_between(days, air.min(axis=1), air.max(axis=1), color=_COLOURS[1], alpha=0.25, lw=0)
        axis.plot(days, air.mean(axis=1), color=_COLOURS[1], lw=0.8, label="outdoors")
        axis.plot(days, room.mean(axis=1), color=_COLOURS[0], lw=0.9, label=f"room {location.code}")
        axis.plot(np.arange(12) * 30.4 + 15, MONTHLY_MEAN_C[zone], "k_", ms=9, label="sourced mean")
        axis.set(title=zone)
        axis.legend(fontsize=6, loc="lower center", ncols=3, frameon=False)
    axes[1][0].set(xlabel="day of the year", ylabel="°C")
    return figure


def ageing_fans(sample: Population) -> Figure:
    """Plot capacity over age at each location: median, middle half and middle 90 % of the batteries."""
    locations = sorted(set(sample.location.tolist()))
    figure, axes = _canvas(
        3, rows=int(np.ceil(len(locations) / 3)), height=5.6, sharex=True, sharey=True, squeeze=False
    )
    edges = np.arange(0.0, 9.01, 0.5)
    for axis, location in zip(axes.ravel(), locations, strict=False):
        own = sample.location == location
        years, health = sample.age_days[own] / _YEAR_DAYS, sample.health[own]
        bins = [health[(years >= low) & (years < low + 0.5)] for low in edges[:-1]]
        filled = [k for k, values in enumerate(bins) if len(values) >= 8]
        bands = np.array([np.quantile(bins[k], (0.05, 0.25, 0.5, 0.75, 0.95)) for k in filled]).reshape(-1, 5)
        middle = edges[filled] + 0.25
        axis.fill_between(middle, bands[:, 0], bands[:, 4], color=_COLOURS[0], alpha=0.15, lw=0)
        axis.fill_between(middle, bands[:, 1], bands[:, 3], color=_COLOURS[0], alpha=0.3, lw=0)
        axis.plot(middle, bands[:, 2], color=_COLOURS[0])
        axis.axhline(0.8, color=_COLOURS[4], lw=0.8, ls="--")
        axis.set(title=location, ylim=(0.5, 1.08), xlim=(0, 9))
    axes[-1][0].set(xlabel="age, years", ylabel="capacity / rated")
    return figure


def resistance_against_capacity(sample: Population) -> Figure:
    """Plot measured resistance against true capacity, by mechanism."""
    figure, axis = _canvas(height=4.2, width=7.0)
    for kind, colour in zip(sorted(set(sample.mechanism.tolist())), _COLOURS, strict=False):
        own = np.flatnonzero(sample.mechanism == kind)[::3]
        label = kind.replace("_", " ")
        axis.scatter(
            sample.health[own], 100 * sample.growth[own], s=2, alpha=0.3, color=colour, label=label, rasterized=True
        )
    axis.axhline(20, color="k", lw=0.8, ls="--")
    axis.axvline(0.8, color=_COLOURS[4], lw=0.8, ls="--")
    correlation = np.corrcoef(sample.health, sample.growth)[0, 1]
    axis.set(
        title=f"Resistance over baseline, % (r = {correlation:.2f}): it bounds the capacity, it does not reveal it",
        xlabel="capacity / rated", xlim=(0.5, 1.1), ylim=(-40, 160),
    )  # fmt: skip
    axis.legend(markerscale=5, fontsize=8, frameon=False)
    return figure


def failure_rates(lives: SurvivalTimes) -> Figure:
    """Plot failures per year by age, and the surviving share of batteries at each location."""
    figure, (left, right) = _canvas(2)
    years = np.arange(0.0, 10.0, 0.5)
    rates = [100 * rate_per_year(lives, low * _YEAR_DAYS, (low + 0.5) * _YEAR_DAYS) for low in years]
    left.bar(years + 0.25, np.nan_to_num(rates), width=0.45, color=_COLOURS[1])
    left.set(title="Failures per year, % of the surviving batteries", xlabel="age, years")
    for location, colour in zip(sorted(set(lives.location.tolist())), _COLOURS * 2, strict=False):
        ages, curve = survival(lives.of_location(location))
        right.step(ages / _YEAR_DAYS, 100 * curve, where="post", lw=1, color=colour, label=location)
    right.set(title="Surviving, %", xlabel="age, years", ylim=(0, 102))
    right.legend(fontsize=6, frameon=False)
    return figure


def _of(batteries: list[str]) -> Any:
    """Return the filter of the rows of some batteries."""
    return pc.field("battery_id").cast(pa.string()).isin(batteries)


def _first_day(data: DatasetTables) -> tuple[int, str]:
    strings = data.read("string_telemetry", ["time", "string_id"])
    return int(instants_us(strings).min()), str(min(words(strings, "string_id").tolist()))
