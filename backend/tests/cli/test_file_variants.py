"""Files as people have them: each is read with exact values and instants, or refused with its line or cell."""

import io
from collections.abc import Mapping
from datetime import UTC, datetime, time, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import xlsxwriter

from battery_api.cli.recording_refused import RecordingRefused
from battery_api.cli.run_files import Recording, read_recording
from battery_api.cli.run_times import TimeOptions

FIRST = datetime(2026, 6, 5, 1, 0, tzinfo=UTC)
"""Eight in the morning in Bangkok."""
MINUTE = timedelta(minutes=1)
THAI: dict[str, Any] = {"zone": ZoneInfo("Asia/Bangkok")}
BUDDHIST = THAI | {"buddhist": True}
ISO = "time,voltage_v\n2026-06-05T08:00:00+07:00,13.62\n2026-06-05T08:01:00+07:00,13.61\n"


def sheet(*rows: list[Any]) -> bytes:
    buffer = io.BytesIO()
    with xlsxwriter.Workbook(buffer, {"default_date_format": "dd/mm/yyyy hh:mm"}) as book:
        page = book.add_worksheet("Log")
        for number, row in enumerate(rows):
            page.write_row(number, 0, row)
    return buffer.getvalue()


def rows_of(header: str, *lines: str) -> str:
    return "\n".join([header, *lines]) + "\n"


def stamped(first: str, second: str, separator: str = ",") -> str:
    name = "date;time" if separator == ";" else "time"
    return rows_of(f"{name}{separator}voltage_v", f"{first}{separator}13.62", f"{second}{separator}13.61")


def read(tmp_path: Path, content: str | bytes, times: Mapping[str, Any], **options: Any) -> Recording:
    run = tmp_path / "run.csv"
    run.write_bytes(content if isinstance(content, bytes) else content.encode())
    return read_recording(run, times=TimeOptions(**times), **options)


MORNING = datetime.fromisoformat("2026-06-05T08:00:00")


@pytest.mark.parametrize(
    ("content", "times"),
    [
        (ISO, {}),
        (ISO.encode("utf-16"), {}),
        (ISO.encode("utf-8-sig").replace(b"\n", b"\r\n"), {}),
        (stamped("2026-06-05 01:00:00Z", "2026-06-05T01:01:00z"), {}),
        (stamped("2026-06-05 08:00", "2026-06-05 08:01"), THAI),
        (stamped("2026/06/05 8:00:00 AM", "2026/06/05 8:01:00 AM"), THAI),
        (stamped("05/06/2026 08:00", "05/06/2026 08:01"), THAI | {"date_order": "dmy"}),
        (stamped("6/5/2026 08:00", "6/5/2026 08:01"), THAI | {"date_order": "mdy"}),
        (stamped("2569-06-05 08:00", "2569-06-05 08:01"), BUDDHIST),
        (stamped("05/06/2569 08:00", "05/06/2569 08:01"), BUDDHIST | {"date_order": "dmy"}),
        (stamped("2569-06-05T08:00:00+07:00", "2569-06-05T08:01:00+07:00"), {"buddhist": True}),
        (stamped("2026-06-05;08:00", "2026-06-05;08:01", ";"), THAI),
        (stamped("1780621200", "1780621260"), {}),
        (stamped("1780621200000", "1780621260000"), {}),
        (stamped("1780621200000000", "1780621260000000"), {}),
        (stamped("1780621200000000000", "1780621260000000000"), {}),
        (stamped("46178.3333333333", "46178.3340277778"), THAI),
        (sheet(["Timestamp", "Voltage (V)"], [MORNING, 13.62], [MORNING + MINUTE, 13.61]), THAI),
        (
            sheet(["วันที่", "เวลา", "แรงดัน (V)"], [MORNING.date(), time(8), 13.62], [MORNING.date(), time(8, 1), 13.61]),
            THAI,
        ),
        (sheet(["datetime", "voltage_mv"], [46178.333333333336, 13620], [46178.33402777778, 13610]), THAI),
        (sheet(["epoch", "Volt [mV]"], [1780621200, 13620], [1780621260, 13610]), {}),
    ],
)
def test_instants_are_read_however_they_are_written(
    tmp_path: Path, content: str | bytes, times: Mapping[str, Any]
) -> None:
    recording = read(tmp_path, content, times)
    assert recording.origin == FIRST
    assert recording.time_s == [0, 60]
    assert recording.channels == {"voltage_v": [13.62, 13.61]}


@pytest.mark.parametrize(
    ("heading", "written", "channel", "value"),
    [
        ("Voltage (V)", "13.62", "voltage_v", 13.62),
        ("voltage_mv", "13620", "voltage_v", 13.62),
        ("Volt [mV]", "13620", "voltage_v", 13.62),
        ("U/V", "13.62", "voltage_v", 13.62),
        ("แรงดันไฟฟ้า (โวลต์)", "13.62", "voltage_v", 13.62),
        ("I (mA)", "-1500", "current_a", -1.5),
        ("Current, A", "-1.5", "current_a", -1.5),
        ("Temp °C", "25.4", "temperature_c", 25.4),
        ("Temp. (℃)", "25.4", "temperature_c", 25.4),
        ("temperature_f", "77.72", "temperature_c", 25.4),
        ("T [K]", "298.55", "temperature_c", 25.4),
        ("อุณหภูมิ (°C)", "25.4", "temperature_c", 25.4),
        ("R (mOhm)", "3.51", "internal_resistance_mohm", 3.51),
        ("r_uohm", "3510", "internal_resistance_mohm", 3.51),
        ("Internal Resistance (µΩ)", "3510", "internal_resistance_mohm", 3.51),
        ("resistance_ohm", "0.00351", "internal_resistance_mohm", 3.51),
        ("conductance_s", "250", "internal_resistance_mohm", 4.0),
        ("Conductance (mS)", "250000", "internal_resistance_mohm", 4.0),
    ],
)
def test_a_heading_with_a_unit_is_converted(
    tmp_path: Path, heading: str, written: str, channel: str, value: float
) -> None:
    recording = read(tmp_path, rows_of(f'time_s;"{heading}"', f"0;{written}"), {})
    assert recording.channels == {channel: [value]}
    assert (channel in recording.conversions) == (float(written) != value)
    if "onductance" in heading:
        assert "conductance converted" in recording.conversions[channel]


@pytest.mark.parametrize(
    ("content", "times", "fault"),
    [
        (stamped("2026-06-05 08:00", "2026-06-05 08:01"), {}, "have no zone"),
        (ISO, THAI, "--zone is for times without a zone"),
        (stamped("05/06/2026 08:00", "06/06/2026 08:00"), THAI, "line 2: 05/06/2026 08:00 has two readings"),
        (stamped("13/06/2026 08:00", "06/14/2026 08:00"), THAI, "13/06/2026 08:00 in line 2 and 06/14/2026"),
        (stamped("05/06/2026 08:00", "13/06/2026 08:00"), THAI | {"date_order": "mdy"}, "line 3: time 13/06/2026"),
        (stamped("2026-06-05 08:00", "5/6/2026 08:01"), THAI, "line 3 has 5/6/2026 08:01"),
        (stamped("2026-06-05 08:00", "2026-06-05T08:01:00Z"), THAI, "write every time in one form"),
        (stamped("2569-06-05 08:00", "2569-06-05 08:01"), THAI, "if 2026 is meant, give --calendar buddhist"),
        (stamped("2026-06-05 08:00", "2569-06-05 08:01"), THAI, "line 3: time 2569-06-05 08:01 is in the year 2569"),
        (stamped("2569-06-05 08:00", "2026-06-05 08:01"), BUDDHIST, "line 3: time 2026-06-05 08:01 is in"),
        (stamped("05/06/26 08:00", "05/06/26 08:01"), THAI, "line 2: time 05/06/26 08:00 has a year of two digits"),
        (stamped("2026-06-31 08:00", "2026-07-01 08:00"), THAI, "line 2: time 2026-06-31 08:00 is no day"),
        (stamped("2026-06-05", "2026-06-06"), THAI, "line 2: time 2026-06-05 has no time of day"),
        (stamped("08:00", "08:01"), THAI, "line 2: time 08:00 is a time of day without its day"),
        (stamped("123456", "123457"), {}, "line 2: time 123456 is in no unit that is clear"),
        (stamped("2026-06-05T08:00:00Z", "2026-06-05T08:00:00Z"), {}, "line 3: time 2026-06-05T08:00:00Z is not later"),
        (stamped("2026-06-05T25:00:00Z", "2026-06-05T08:00:00Z"), {}, "a time of day that does not exist"),
        (stamped("2026-10-25 02:30", "2026-10-25 04:00"), {"zone": ZoneInfo("Europe/Berlin")}, "occurs twice"),
        (stamped("2026-03-29 02:30", "2026-03-29 04:00"), {"zone": ZoneInfo("Europe/Berlin")}, "does not exist"),
        (rows_of("time_s,time,voltage_v", "0,1780621200,13.6"), {}, "--ignore time"),
        (rows_of("time_s,voltage_v", "0,13.6"), THAI, "the file has durations"),
        (rows_of("time_s,voltage_v", "0,13620"), {}, "13620 V, which no nameplate allows; it may be"),
        (rows_of("time_s,voltage_mv", "0,13.62"), {}, "13.62 V is 13.62 V"),
        (rows_of("time_s,temperature_c", "0,298.15"), {}, "298.15 K is 25 °C"),
        (rows_of("time_s,temperature_c", "0,77"), {}, "77 °F is 25 °C"),
        (rows_of("time_s,r_mohm", "0,0.0035"), {}, "0.0035 Ω is 3.5 mΩ"),
        (rows_of("time_s,r_mohm", "0,285"), {}, "285 S are 3.509 mΩ"),
        (rows_of("time_s,conductance_s", "0,0"), {}, "line 2: conductance_s is a conductance of 0"),
        (rows_of("time_s,Voltage", "0,13.6"), {}, "Voltage has no unit: write Voltage (V) or Voltage (mV)"),
        (rows_of("time_s,voltage_v,R (MΩ)", "0,13.6,3"), {}, "has the unit MΩ, which is not known"),
        (rows_of("time_s,voltage_v,voltage_mv", "0,13.6,13600"), {}, "voltage_v and voltage_mv are both"),
        (rows_of("time_s,voltage_v,volatge_mv", "0,13.6,1"), {}, "--ignore 'volatge_mv'"),
        (rows_of("time_s,battery_id,voltage_v", "0,,13.6"), {}, "line 2: battery_id is missing"),
        (rows_of("time_s,battery_id,voltage_v", "0,B1,13.6"), {}, "line 2: battery_id is 'B1', not a battery_id"),
        (sheet(["time_s", "voltage_v"], [0, MORNING]), {}, "row 2: voltage_v (B2) is the date 2026-06-05"),
        (sheet(["time_s", "voltage_v"], [0, 13.6], [60, "high"]), {}, "row 3: voltage_v (B3) is 'high'"),
        (sheet(["time", "voltage_v"], [MORNING, 13.6], ["13/06/2026 08:00", 13.6]), THAI, "row 3 has 13/06/2026 08:00"),
    ],
)  # fmt: skip
def test_what_is_not_clear_is_refused_by_line_or_cell(
    tmp_path: Path, content: str | bytes, times: Mapping[str, Any], fault: str
) -> None:
    with pytest.raises(RecordingRefused) as refused:
        read(tmp_path, content, times)
    assert fault in str(refused.value)


def test_one_day_above_twelve_shows_the_order_of_every_date(tmp_path: Path) -> None:
    recording = read(tmp_path, stamped("05/06/2026 08:00", "13/06/2026 08:00"), THAI)
    assert (recording.origin, recording.time_s) == (FIRST, [0, 8 * 86_400])
    assert "order dmy, zone Asia/Bangkok" in recording.time_description


def test_a_leap_day_of_the_buddhist_era_is_read(tmp_path: Path) -> None:
    recording = read(tmp_path, stamped("29/02/2567 08:00", "29/02/2567 08:01"), BUDDHIST)
    assert recording.origin == datetime(2024, 2, 29, 1, tzinfo=UTC)


def test_times_of_several_batteries_rise_for_each(tmp_path: Path) -> None:
    one, two = (f"BAT-DC-CNX-01-UPS-01-STR-01-00{position}" for position in (1, 2))
    lines = [f"{time_s},{battery},{volts}" for time_s in (0, 60) for battery, volts in ((one, 13.6), (two, 13.5))]
    recording = read(tmp_path, rows_of("time_s,battery_id,voltage_v", *lines), {})
    assert recording.battery_ids == [one, two, one, two]
    assert recording.time_s == [0, 0, 60, 60]


def test_values_far_from_the_nameplate_are_kept_on_request(tmp_path: Path) -> None:
    content = rows_of("time_s,temperature_c", "0,77")
    assert read(tmp_path, content, {}, keep_units=True).channels == {"temperature_c": [77.0]}
    for single in ("0", "0.5", "-13.6", "2.25"):
        assert read(tmp_path, rows_of("time_s,voltage_v", f"0,{single}"), {}).channels == {"voltage_v": [float(single)]}


def test_fractions_of_a_second_keep_every_digit(tmp_path: Path) -> None:
    times = ("2026-06-05T08:00:00.000001+07:00", "2026-06-05T08:00:00.123456+07:00")
    recording = read(tmp_path, stamped(*times), {})
    assert recording.origin is not None
    assert [recording.origin + timedelta(seconds=time_s) for time_s in recording.time_s] == [
        datetime.fromisoformat(written) for written in times
    ]
