"""The reader of recordings: what it understands, and what it refuses by line, column and remedy."""

import gzip
from pathlib import Path

import pytest

from battery_api.cli.recording_refused import RecordingRefused
from battery_api.cli.run_files import Recording, read_recording

HEADER = "time_s,voltage_v,temperature_c\n"


def read(tmp_path: Path, content: str | bytes, **options: bool | list[str]) -> Recording:
    run = tmp_path / "run.csv"
    run.write_bytes(content if isinstance(content, bytes) else content.encode())
    return read_recording(run, **options)  # type: ignore[arg-type]  # both options of the reader


def refusal(tmp_path: Path, content: str | bytes, **options: bool | list[str]) -> str:
    with pytest.raises(RecordingRefused) as refused:
        read(tmp_path, content, **options)
    return str(refused.value)


@pytest.mark.parametrize(
    "content",
    [
        "time_s,voltage_v,temperature_c\n0,13.62,25.4\n60,13.61,\n",
        "time_s, voltage_v, temperature_c\n0, 13.62, 25.4 \n60, 13.61, \n",
        "\ufefftime_s,voltage_v,temperature_c\r\n0,+13.62,2.54e1\r\n60,13.61,\r\n",
        "sep=,\ntime_s,voltage_v,temperature_c\n0,13.62,25.4\n60,13.61,\n",
        "sep=;\r\ntime_s;voltage_v;temperature_c\r\n0;13,62;25,4\r\n60;13,61;\r\n;;\r\n",
        "time_s;voltage_v;temperature_c\n0;13.62;25.4\n60;13.61;\n",
        "time_s\tvoltage_v\ttemperature_c\n0\t13,62\t25,4\n\n60\t13,61\t\n",
        'time_s,voltage_v,temperature_c\n0,"13,62","25,4"\n60,"13,61",\n',
        "time_s,voltage_v,temperature_c\n0,13.62,25.4\n60,13.61,",
    ],
)
def test_every_way_to_write_a_table_gives_the_same_readings(tmp_path: Path, content: str) -> None:
    recording = read(tmp_path, content)
    assert recording.time_s == [0, 60]
    assert recording.channels == {"voltage_v": [13.62, 13.61], "temperature_c": [25.4, None]}


@pytest.mark.parametrize(
    ("rows", "fault"),
    [
        ("0,13,62,25,4\n", "line 2: 5 cells where the header has 3; decimal commas are the usual cause"),
        ("0,13.6\n", "line 2: 2 cells where the header has 3"),
        ("0,13.6,25\n60,13.", "line 3: the file ends within this line, after 2 of 3 cells"),
        ("0,13.6,25\n60,13.5,13.", "line 3: temperature_c is '13.', a number without its last digits"),
        ("0,13.6,25.4\n60,13.6,25.3\n120,13.6,2", "line 4: temperature_c 2 has fewer decimals than the lines above"),
        ("0,13.6,25.4\n60,13.6,25.3\n120,13.6,", "line 4: temperature_c is empty, unlike the lines above"),
        ("0,1_3.62,25\n", "line 2: voltage_v is '1_3.62', not a number"),
        ("0,inf,25\n", "line 2: voltage_v is 'inf', which is not finite"),
        ("0,13.6,-Infinity\n", "line 2: temperature_c is '-Infinity', which is not finite"),
        ("0,NaN,25\n", "line 2: voltage_v is 'NaN', which is not finite"),
        ("nan,13.6,25\n", "line 2: time_s is 'nan', which is not finite"),
        ("0,0x1F,25\n", "line 2: voltage_v is '0x1F', not a number"),
        ("0,๑๓.๖,25\n", "line 2: voltage_v is '๑๓.๖', not a number in the digits 0 to 9"),
        ("0,\u221213.6,25\n", "not a number in the digits 0 to 9"),
        ("0,13.6 V,25\n", "line 2: voltage_v is '13.6 V', not a number; write it like 13.62, without units"),
        ("0,1e999,25\n", "line 2: voltage_v is '1e999', too large"),
        ("0,n/a,25\n", "line 2: voltage_v is 'n/a', not a number; leave the cell empty"),
        ("0,,\n", "line 2: no value of voltage_v, temperature_c"),
        (",13.6,25\n", "line 2: time_s is missing"),
        ("120,13.6,25\n60,13.6,25\n", "line 3: time_s 60 is not later than 120 in line 2"),
        ("60,13.6,25\n60,13.6,25\n", "line 3: time_s 60 is not later than 60 in line 2"),
        ("1e-8,13.6,25\n2e-8,13.6,25\n", "line 3: time_s 2e-08 is not later than 1e-08 in line 2"),
        ('0,"13.6,25\n', "line 2: the record is not CSV (unexpected end of data); close its quotation marks"),
    ],
)
def test_a_line_that_is_not_understood_is_named_with_the_remedy(tmp_path: Path, rows: str, fault: str) -> None:
    assert fault in refusal(tmp_path, HEADER + rows)


@pytest.mark.parametrize(
    ("time", "looks_like"),
    [
        ("1764403200", "an epoch in seconds (2025-11-29T08:00:00Z)"),
        ("1764403200000", "an epoch in milliseconds (2025-11-29T08:00:00Z)"),
        ("1764403200000000", "an epoch in microseconds (2025-11-29T08:00:00Z)"),
        ("1764403200000000000", "an epoch in nanoseconds (2025-11-29T08:00:00Z)"),
        ("1e300", "an epoch or another unit"),
        ("315576001", "an epoch in seconds (1980-01-01T12:00:01Z)"),
    ],
)
def test_an_instant_is_no_duration(tmp_path: Path, time: str, looks_like: str) -> None:
    reason = refusal(tmp_path, f"{HEADER}{time},13.62,25.4\n")
    assert "line 2: time_s counts seconds from --start" in reason
    assert f"this looks like {looks_like}" in reason


def test_dates_of_a_spreadsheet_are_no_durations(tmp_path: Path) -> None:
    rows = "46355.5,13.62,25.4\n46355.500694,13.61,25.4\n"
    assert "looks like a date of a spreadsheet in days" in refusal(tmp_path, HEADER + rows)


@pytest.mark.parametrize(
    ("content", "fault"),
    [
        ("time_s,voltage_v,voltage_v\n0,13.6,0.1\n", "line 1: column voltage_v occurs twice"),
        ("sep=,\ntime_s, time_s ,voltage_v\n0,0,13.6\n", "line 2: column time_s occurs twice"),
        ("time_s,voltage_v,temperatur_c\n0,13.6,25\n", "unknown column 'temperatur_c' (is it temperature_c?)"),
        ("time_s,voltage_v,\n0,13.6,\n", "line 1: a column has no name"),
        ("time_s;voltage_v,temperature_c\n0;13.6,25\n", "the header contains a comma and a semicolon"),
        ("sep=#\ntime_s#voltage_v\n0#13.6\n", "names no separator that is understood"),
        ("time_s;voltage_v\n0;13,62\n60;13.61\n", "line 2: voltage_v is '13,62', but line 3 has voltage_v '13.61'"),
        ("time_s;voltage_v\n0;13,620\n60;13,610\n", "a decimal comma or a separator of thousands"),
        (b"time_s,voltage_v\n0,13\xff\n", "save it as CSV UTF-8"),
        ("time_s,voltage_v\n0,13.6\0\n", "line 2 holds a NUL byte"),
        ("", "the file is empty"),
    ],
)
def test_a_file_that_is_unclear_as_a_whole_is_refused(tmp_path: Path, content: str | bytes, fault: str) -> None:
    assert fault in refusal(tmp_path, content, skip_refused=True)


def test_columns_that_are_not_sent_are_listed(tmp_path: Path) -> None:
    content = "time_s,voltage_v,soc_ref,note\n0,13.6,1.0,first row\n"
    assert "--ignore 'note'" in refusal(tmp_path, content)
    recording = read(tmp_path, content, ignore=["note"])
    assert (recording.ignored, recording.channels) == (["soc_ref", "note"], {"voltage_v": [13.6]})
    assert "--ignore time_s: time_s is needed" in refusal(tmp_path, content, ignore=["time_s"])
    assert "--ignore notes: notes is no column" in refusal(tmp_path, content, ignore=["notes"])


def test_refused_lines_are_left_out_on_request_alone(tmp_path: Path) -> None:
    content = f"{HEADER}0,13.6,25\n60,high,25\n120,13.4,25\n90,13.5,25\n"
    reason = refusal(tmp_path, content)
    assert "Nothing was sent: 2 of 4 lines are refused." in reason
    recording = read(tmp_path, content, skip_refused=True)
    assert (recording.time_s, recording.line) == ([0, 120], [2, 4])
    assert [fault.line for fault in recording.faults] == [3, 5]


def test_a_torn_archive_is_refused(tmp_path: Path) -> None:
    run = tmp_path / "run.csv.gz"
    packed = gzip.compress(f"{HEADER}0,13.6,25\n".encode())
    for torn in (packed[:-9], packed[:12] + b"\xff" * 20):
        run.write_bytes(torn)
        with pytest.raises(RecordingRefused, match="the gzip archive is"):
            read_recording(run)
