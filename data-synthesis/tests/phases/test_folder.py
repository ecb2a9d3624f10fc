"""Folders of phases: stretches of flags, files complete or absent, and a record that is written last."""

import json
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from battery_synth.phases.folder import Phase, PhaseRefused, run_phase, runs
from battery_synth.realism.tables import DatasetTables, NotADataset, numbers, words

ROWS = pa.table({"value": [1.0, None, 3.0], "word": ["a", "b", "a"]})


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    manifest = {"kind": "fleet", "spec": "abc", "version": "1", "rows": {"telemetry": 3, "empty": 0}, "files": []}
    (tmp_path / "manifest.json").write_text(json.dumps(manifest))
    return tmp_path


def phase(*tables: str, needs: tuple[str, ...] = ("telemetry",), fails: bool = False) -> Phase:
    def make(_data: DatasetTables) -> Iterator[tuple[str, pa.Table]]:
        for table in tables:
            yield table, ROWS
        if fails:
            raise RuntimeError("interrupted")

    return Phase("made", needs, make, "rows")


@given(st.lists(st.booleans(), max_size=60))
def test_stretches_cover_exactly_the_true_flags_and_do_not_touch(flags: list[bool]) -> None:
    found = runs(np.array(flags, bool))
    covered = np.zeros(len(flags), bool)
    for first, last in found:
        assert first < last
        covered[first:last] = True
    assert covered.tolist() == flags
    assert all(before[1] < after[0] for before, after in pairwise(found))


def test_a_phase_writes_its_tables_and_its_record(folder: Path) -> None:
    assert run_phase(phase("a", "deep/b", "a"), folder) == {"a": 6, "deep/b": 3}
    assert pq.read_table(folder / "deep" / "b" / "part.parquet").equals(ROWS)
    record = json.loads((folder / "phases" / "made.json").read_text())
    assert (record["phase"], record["of"], record["tables"]["a"]["rows"]) == ("made", "abc", 6)


def test_a_failure_removes_the_record_and_leaves_no_rows(folder: Path) -> None:
    run_phase(phase("a"), folder)
    with pytest.raises(RuntimeError, match="interrupted"):
        run_phase(phase("a", "b", fails=True), folder)
    assert not (folder / "phases" / "made.json").exists()
    assert not [path for name in ("a", "b") for path in (folder / name).rglob("*") if path.is_file()]


def test_a_table_without_rows_is_no_source(folder: Path) -> None:
    with pytest.raises(PhaseRefused, match="has no empty or absent: made cannot be made from a fleet set"):
        run_phase(phase("a", needs=("empty", "absent")), folder)
    assert run_phase(phase("a", needs=("empty", "telemetry")), folder) == {"a": 3}


@pytest.mark.parametrize("content", ["", "{", "\x00"])
def test_a_broken_manifest_is_no_dataset(content: str, tmp_path: Path) -> None:
    (tmp_path / "manifest.json").write_text(content)
    with pytest.raises(NotADataset, match="no complete dataset"):
        DatasetTables.open(tmp_path)


def test_columns_become_numbers_with_nan_and_words() -> None:
    np.testing.assert_array_equal(numbers(ROWS, "value"), [1.0, np.nan, 3.0])
    assert words(ROWS, "word").tolist() == ["a", "b", "a"]
