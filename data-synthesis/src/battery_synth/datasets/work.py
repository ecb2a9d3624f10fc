"""Making one part of a dataset month by month; after a kill the next run resumes where the last month ended."""

import json
from dataclasses import fields
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import numpy as np
import pyarrow as pa

from battery_synth.datasets.daily import Daily, daily_of
from battery_synth.datasets.spec import LocationPart
from battery_synth.engine.plant import Plant
from battery_synth.engine.strings import DISCHARGE, TEST
from battery_synth.life.events import LifeEvent
from battery_synth.life.traits import MECHANISMS
from battery_synth.state.readings import DayTruth
from battery_synth.storage.arrays_json import decoded, encoded
from battery_synth.storage.files import write_atomically
from battery_synth.storage.partitions import MonthFiles
from battery_synth.storage.tables import environment_table, instants, samples_of_truth, string_table, telemetry_table

_DAY_S: Final = 86_400.0
_DAY_US: Final = 86_400_000_000


def make_part(part: LocationPart, directory: str) -> list[dict[str, Any]]:
    """Make the files of a part below a folder; return the manifest's entries.

    After each month its files and the state at its end are on disk: killed at any instant, the next call resumes there,
    and the bytes are those of an undisturbed run.
    """
    work = _Work(part, Path(directory))
    while work.plant.time_s < work.end_s:
        work.month()
    return work.lines


class _Work:
    """The progress of one part: its plant, the entries so far and the file that records them."""

    def __init__(self, part: LocationPart, directory: Path) -> None:
        self._part, self._directory, self._spec = part, directory, part.spec
        self.end_s = part.spec.end.timestamp()
        self._mark = progress_file(directory, part)
        saved = _saved(self._mark, part.spec.digest())
        scenario = part.spec.scenario if part.spec.scenario_location in {None, part.location_id} else None
        self.plant = Plant(
            part.spec.seed,
            part.spec.fleet,
            start_s=part.spec.start.timestamp(),
            policy=part.spec.policy,
            scenario=scenario,
            saved=None if saved is None else decoded(saved["state"]),
            with_sensor_faults=part.spec.with_sensor_faults,
        )
        self.lines: list[dict[str, Any]] = [] if saved is None else saved["lines"]
        self._first = saved is None

    def month(self) -> None:
        """Make the rest of the present month."""
        time = datetime.fromtimestamp(self.plant.time_s, UTC)
        next_month = datetime(time.year + time.month // 12, time.month % 12 + 1, 1, tzinfo=UTC)
        until_s = min(next_month.timestamp(), self.end_s)
        files = MonthFiles(
            self._directory, self._part.location_id, f"{time:%Y-%m}", self._part.name, self._spec.file_format
        )
        try:
            if self._first:
                self._note_lives(files, self.plant.installations())
                self._first = False
            while self.plant.time_s < until_s:
                self._day(files, min(until_s, (self.plant.time_s // _DAY_S + 1) * _DAY_S))
            self.lines += files.finish()
        except BaseException:
            files.discard()
            raise
        state = {"spec": self._spec.digest(), "lines": self.lines, "state": encoded(self.plant.saved())}
        write_atomically(self._mark, json.dumps(state).encode())

    def _day(self, files: MonthFiles, until_s: float) -> None:
        readings = self.plant.run(until_s, self._spec.sampling)
        layout, location = self.plant.layout, self._part.location_id
        truth = self.plant.truth()
        files.add("truth/daily", _truth(truth, layout.battery_ids))
        self._note_lives(files, self.plant.take_events())
        if self._spec.kind == "training":
            room_c = float(np.mean(readings.ambient_c))
            daily = daily_of(
                readings, strings=len(layout.string_ids), every_s=self._spec.sampling.every_s, room_c=room_c
            )
            files.add("telemetry_daily", _daily(daily, layout.battery_ids, truth))
            is_working = np.isin(readings.mode, (DISCHARGE, TEST))
            working = readings.at_rows(is_working)
            files.add("discharge/telemetry", telemetry_table(working, layout.battery_ids))
            files.add("discharge/string_telemetry", string_table(working, layout.string_ids))
            return
        files.add("telemetry", telemetry_table(readings, layout.battery_ids))
        files.add("string_telemetry", string_table(readings, layout.string_ids))
        if self._part.number == 0:
            files.add("site_environment", environment_table(readings, location))
        if self._spec.with_samples_of_truth:
            files.add("truth/samples", samples_of_truth(readings, layout.battery_ids))

    def _note_lives(self, files: MonthFiles, events: list[LifeEvent]) -> None:
        files.add("truth/lives", _lives(events))
        # A failure is truth: people learn of it when they replace the battery.
        files.add("events/lives", _lives([event for event in events if event.kind != "failed"]))


def progress_file(directory: Path, part: LocationPart) -> Path:
    """Return the file that records the progress of a part."""
    return directory / ".progress" / f"{part.name}.json"


def months_done(directory: Path, part: LocationPart) -> int:
    """Return how many months of a part are on disk."""
    saved = _saved(progress_file(directory, part), part.spec.digest())
    return 0 if saved is None else len({line["month"] for line in saved["lines"]})


def _saved(path: Path, digest: str) -> dict[str, Any] | None:
    """Return what an interrupted run of the same spec recorded; an unreadable record counts as none."""
    try:
        saved: dict[str, Any] = json.loads(path.read_bytes())
    except (OSError, ValueError):
        return None
    return saved if saved.get("spec") == digest else None


def _ids(battery_ids: list[str]) -> pa.DictionaryArray:
    return pa.DictionaryArray.from_arrays(np.arange(len(battery_ids), dtype=np.int32), pa.array(battery_ids))


def _daily(daily: Daily, battery_ids: list[str], truth: DayTruth) -> pa.Table:
    columns = {"time": instants(np.full(len(battery_ids), _day_us(truth))), "battery_id": _ids(battery_ids)}
    # The generation at each position is public: the maintenance records state it.
    columns["generation"] = pa.array(truth.generation)
    for name, values in zip(Daily._fields, daily, strict=True):
        missing = np.isnan(values)
        columns[name] = pa.array(np.round(values, 4), mask=missing)
    return pa.table(columns)


def _day_us(truth: DayTruth) -> int:
    """Return the start of the day that ends at the time of this truth, in us since 1970."""
    return (truth.at_us - 1) // _DAY_US * _DAY_US


def _truth(truth: DayTruth, battery_ids: list[str]) -> pa.Table:
    columns = {"time": instants(np.full(len(battery_ids), _day_us(truth))), "battery_id": _ids(battery_ids)}
    for item in fields(DayTruth):
        values = getattr(truth, item.name)
        if item.name == "at_us":
            continue
        if item.name == "mechanism":
            columns["mechanism"] = pa.DictionaryArray.from_arrays(values, pa.array(MECHANISMS))
        elif values.dtype == np.float32:
            columns[item.name] = pa.array(np.round(values, 4))
        else:
            columns[item.name] = pa.array(values)
    return pa.table(columns)


def _lives(events: list[LifeEvent]) -> pa.Table:
    at_us = np.array([round(event.at_s * 1e6) for event in events], np.int64)
    return pa.table(
        {
            "time": instants(at_us),
            "kind": pa.array([event.kind for event in events], pa.string()),
            "battery_id": pa.array([event.battery_id for event in events], pa.string()),
            "generation": pa.array([event.generation for event in events], pa.int32()),
            "serial_number": pa.array([event.serial_number for event in events], pa.string()),
            "reason": pa.array([event.reason for event in events], pa.string()),
        }
    )
