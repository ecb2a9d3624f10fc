import gzip
from pathlib import Path

import numpy as np
import pytest

from battery_twin.runs import RecordedRun, RunInvalid, parse_run, read_run

RECORDINGS = Path(__file__).parent / "data" / "vrla_recording"
HEADER = "time_s,current_a,voltage_v,temperature_c\n"


@pytest.mark.parametrize(("name", "rows", "ampere_hours"), [("cycle2", 1424, -19.83), ("cycle6", 2368, -18.99)])
def test_reads_real_recordings_and_counts_their_charge(name: str, rows: int, ampere_hours: float) -> None:
    run = read_run(RECORDINGS / f"bboxx_A_{name}.csv.gz")
    assert len(run) == rows
    assert run.charge_ah.min() == pytest.approx(ampere_hours, abs=0.05)


def test_plain_file_other_columns_and_their_order(tmp_path: Path) -> None:
    path = tmp_path / "run.csv"
    path.write_text("note,voltage_v,temperature_c,current_a,time_s\na,12.5,25,-12,0\n\nb,12.4,25,-12,60\n")
    run = read_run(path)
    assert run.voltage_v.tolist() == [12.5, 12.4]
    assert run.charge_ah.tolist() == pytest.approx([0, -0.2])
    assert run.dt_s.tolist() == [0, 60]


@pytest.mark.parametrize(
    ("text", "column", "row"),
    [
        ("", "time_s", None),
        (HEADER.replace("current_a", "current"), "current_a", None),
        ("time_s,time_s,current_a,voltage_v,temperature_c\n0,0,0,0,0\n", "time_s", None),
        (HEADER, None, None),
        (HEADER + "0,0,12,25\n", None, None),
        (HEADER + "0,0,12,25\n1,x,12,25\n", "current_a", 2),
        (HEADER + "0,0,12,25\n1,0,nan,25\n", "voltage_v", 2),
        (HEADER + "0,0,12,25\n1,0,12,\n", "temperature_c", 2),
        (HEADER + "0,0,12,25\n1,0,12,300\n", "temperature_c", 2),
        (HEADER + "0,0,12,25\n1,5000,12,25\n", "current_a", 2),
        (HEADER + "0,0,12,25\n1,0,327,25\n", "voltage_v", 2),
        (HEADER + "0,0,12,25\n1,0,12,25\n1,0,12,25\n", "time_s", 3),
        (HEADER + "5,0,12,25\n1,0,12,25\n", "time_s", 2),
        (HEADER + "0,0,12,25\n1,0,12\n", None, 2),
    ],
)
def test_wrong_input_is_refused_by_name(text: str, column: str | None, row: int | None) -> None:
    with pytest.raises(RunInvalid) as refused:
        parse_run(text)
    assert (refused.value.column, refused.value.row) == (column, row)
    assert column is None or column in str(refused.value)


def test_unreadable_files_are_refused(tmp_path: Path) -> None:
    (tmp_path / "cut.csv.gz").write_bytes(gzip.compress(HEADER.encode())[:10])
    (tmp_path / "image.csv").write_bytes(b"\x89PNG\xff\xfe")
    for name in ("cut.csv.gz", "image.csv", "absent.csv"):
        with pytest.raises(RunInvalid, match=name):
            read_run(tmp_path / name)


def test_columns_of_different_lengths_are_refused() -> None:
    columns = {name: np.zeros(3) for name in ("current_a", "voltage_v", "temperature_c")}
    with pytest.raises(RunInvalid) as refused:
        RecordedRun.of({"time_s": np.arange(2.0), **columns})
    assert refused.value.column == "current_a"
