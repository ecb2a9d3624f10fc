"""Storage: exact round trips, files that are complete or absent, and refusals of what cannot be read."""

import hashlib
import json
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.csv as pc
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from battery_synth.storage.arrays_json import decoded, encoded
from battery_synth.storage.files import TableFile, write_atomically
from battery_synth.storage.partitions import MonthFiles
from battery_synth.storage.schemas import SCHEMAS
from battery_synth.storage.tables import environment_table, instants, samples_of_truth, string_table, telemetry_table
from tests.state.test_state import readings_of

ROWS = pa.table({"time": instants(np.array([0, 1_000_000])), "name": ["a", "b"], "value": [1.5, None]})


@given(
    floats=hnp.arrays(np.float64, st.integers(0, 20), elements=st.floats(allow_nan=False, allow_infinity=False)),
    integers=hnp.arrays(np.int64, st.integers(0, 20)),
    number=st.floats(allow_nan=False, allow_infinity=False),
)
def test_saved_arrays_come_back_bit_for_bit_through_json(
    floats: np.ndarray, integers: np.ndarray, number: float
) -> None:
    text = json.dumps(encoded({"a": {"floats": floats, "integers": integers}, "number": number, "name": "x"}))
    again = decoded(json.loads(text))
    assert again["a"]["floats"].tobytes() == floats.tobytes()
    np.testing.assert_array_equal(again["a"]["integers"], integers)
    assert (again["number"], again["name"]) == (number, "x")


@pytest.mark.parametrize(
    "content",
    [
        {"array": "<f4", "base64": ""},
        {"array": "<f8", "base64": "not base64!"},
        {"array": "<f8", "base64": "AAAA"},
        encoded(np.array([np.nan])),
        encoded({"deep": {"inside": np.array([np.inf])}}),
    ],
)
def test_broken_arrays_are_refused(content: object) -> None:
    with pytest.raises(ValueError, match=r".+"):
        decoded(content)


def test_a_file_is_replaced_whole_and_a_failure_keeps_the_old_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "deep" / "file.json"
    write_atomically(path, b"old")

    def fail(_descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", fail)
    with pytest.raises(OSError, match="space"):
        write_atomically(path, b"new")
    assert path.read_bytes() == b"old"
    monkeypatch.undo()
    write_atomically(path, b"new")
    assert path.read_bytes() == b"new"
    assert [item.name for item in path.parent.iterdir()] == ["file.json"]


def test_a_table_is_absent_until_it_is_finished(tmp_path: Path) -> None:
    file = TableFile(tmp_path / "folder" / "rows.parquet", ROWS.schema)
    file.add(ROWS)
    file.flush()
    file.add(ROWS)
    assert file.temporary.exists()
    assert not file.path.exists()
    entry = file.finish()
    assert entry == {"rows": 4, "sha256": hashlib.sha256(file.path.read_bytes()).hexdigest()}
    assert not file.temporary.exists()
    assert pq.read_table(file.path).equals(pa.concat_tables([ROWS, ROWS]))
    assert pq.read_metadata(file.path).num_row_groups == 2


def test_a_discarded_table_leaves_nothing(tmp_path: Path) -> None:
    file = TableFile(tmp_path / "rows.parquet", ROWS.schema)
    file.add(ROWS)
    file.flush()
    file.discard()
    file.discard()
    assert list(tmp_path.iterdir()) == []


def test_csv_spells_instants_in_iso_8601_and_dictionaries_as_text(tmp_path: Path) -> None:
    coded = ROWS.set_column(1, "name", ROWS["name"].dictionary_encode())
    file = TableFile(tmp_path / "rows.csv", coded.schema)
    file.add(coded)
    file.finish()
    assert file.path.read_text().splitlines()[2].startswith('"1970-01-01T00:00:01.000000Z","b"')
    assert pc.read_csv(file.path)["value"].to_pylist() == [1.5, None]


def test_a_month_lists_its_files_with_rows_and_bytes_and_skips_empty_tables(tmp_path: Path) -> None:
    month = MonthFiles(tmp_path, "DC-CNX-01", "2025-01", "DC-CNX-01-00", "parquet")
    month.add("telemetry", ROWS)
    month.add("truth/daily", ROWS)
    month.add("events/lives", ROWS.slice(0, 0))
    lines = month.finish()
    assert [line["table"] for line in lines] == ["telemetry", "truth/daily"]
    for line in lines:
        path = tmp_path / line["path"]
        assert path == tmp_path / line["table"] / "location_id=DC-CNX-01" / "month=2025-01" / "DC-CNX-01-00.parquet"
        assert (line["rows"], line["bytes"]) == (2, path.stat().st_size)
    assert month.finish() == []


def test_a_discarded_month_leaves_no_files(tmp_path: Path) -> None:
    month = MonthFiles(tmp_path, "DC-CNX-01", "2025-01", "DC-CNX-01-00", "parquet")
    month.add("telemetry", ROWS)
    month.discard()
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]


def test_readings_become_one_row_per_block_string_and_sample() -> None:
    readings = readings_of(2, width=3)
    readings.string[:] = (1, 0)
    readings.string = readings.string.astype(np.int32)
    readings.mode = np.zeros(2, np.int8)
    readings.hvac, readings.mains = np.zeros(3, np.int8), np.ones(3, bool)
    readings.at_us = np.array([5, 6])
    readings.voltage_v = readings.voltage_v.astype(np.float32).copy()
    readings.voltage_v[0, 1] = np.nan
    ids = [f"B{number}" for number in range(6)]
    blocks = telemetry_table(readings, ids)
    assert blocks.schema == SCHEMAS["telemetry"]
    assert blocks["battery_id"].to_pylist() == ["B3", "B4", "B5", "B0", "B1", "B2"]
    assert blocks["voltage_v"].to_pylist()[1] is None
    assert blocks["time"].cast(pa.int64()).to_pylist() == [5, 5, 5, 6, 6, 6]
    strings = string_table(readings, ["S0", "S1"])
    assert strings.schema == SCHEMAS["string_telemetry"]
    assert strings["string_id"].to_pylist() == ["S1", "S0"]
    rooms = environment_table(readings, "DC-CNX-01")
    assert rooms.schema == SCHEMAS["site_environment"]
    assert rooms["location_id"].to_pylist() == ["DC-CNX-01"] * 3
    assert samples_of_truth(readings, ids)["battery_id"].to_pylist() == blocks["battery_id"].to_pylist()
