"""The fleet file without the database: text, dates, cells and nameplates, and the remedy that each message gives."""

from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime

import pytest

from battery_api.fleet.catalogue_file.cells import cell_problems, identity
from battery_api.fleet.catalogue_file.dates import read_day, read_installation
from battery_api.fleet.catalogue_file.lines import check_line
from battery_api.fleet.catalogue_file.nameplate import location_warnings, nameplate_errors, unusable_baseline
from battery_api.fleet.catalogue_file.problems import InvalidCell
from battery_api.fleet.catalogue_file.text import BrokenRecord, Record, read_records
from battery_api.fleet.errors import ImportRefused
from battery_contracts.fleet import FLEET_COLUMNS

from .test_importer import catalogue, line

NOW = datetime(2026, 11, 29, 19, tzinfo=UTC)
"""30 November in Bangkok, 29 November in UTC."""


def test_today_is_the_day_in_bangkok() -> None:
    assert read_day("2026-11-30", NOW) == date(2026, 11, 30)
    assert read_day("1990-01-01", NOW) == date(1990, 1, 1)


@pytest.mark.parametrize(
    ("text", "code", "remedy"),
    [
        ("2567-01-15", "buddhist_era", "2567 is a Buddhist-era year; write 2024 (2024-01-15)"),
        ("2567-02-29", "buddhist_era", "write 2024 (2024-02-29)"),
        ("2533-01-01", "buddhist_era", "write 1990"),
        ("2036-01-15", "future", "today is 2026-11-30 in Asia/Bangkok"),
        ("2026-12-01", "future", "in the future"),
        ("1989-12-31", "too_old", "correct the year"),
        ("0001-01-01", "too_old", "correct the year"),
        ("2026-02-31", "not_a_date", "not a day of the calendar"),
        ("45306", "not_iso", "day number of a spreadsheet; format the column as text YYYY-MM-DD (2024-01-15"),
        ("45306.5", "not_iso", "day number of a spreadsheet"),
        ("20240115", "not_iso", "without hyphens; write 2024-01-15"),
        ("25670115", "not_iso", "without hyphens; write 2024-01-15"),
        ("1705276800", "not_iso", "seconds since 1970; write the day (2024-01-15"),
        ("1705276800000", "not_iso", "milliseconds since 1970"),
        ("15/01/2567", "not_iso", "year at the end; write 2024-01-15"),
        ("15.01.2024", "not_iso", "write 2024-01-15"),
        ("01/15/2024", "not_iso", "write 2024-01-15"),
        ("03/04/2024", "not_iso", "write YYYY-MM-DD"),
        ("15/01/67", "not_iso", "write YYYY-MM-DD"),
        ("2024/1/5", "not_iso", "write 2024-01-05"),
        ("2024-1-5", "not_iso", "write 2024-01-05"),
        ("\u0e52\u0e55\u0e56\u0e57-\u0e50\u0e51-\u0e51\u0e55", "not_iso", "digits 0 to 9; write 2024-01-15"),
        ("2024-01-15 00:00:00", "not_iso", "write the day alone (2024-01-15)"),
        ("2024-W03-1", "not_a_date", "write YYYY-MM-DD"),
        ("15 Jan 2024", "not_a_date", "write YYYY-MM-DD"),
        ("soon", "not_a_date", "write YYYY-MM-DD"),
    ],
)
def test_a_text_that_is_no_iso_date_is_named_with_its_remedy(text: str, code: str, remedy: str) -> None:
    with pytest.raises(InvalidCell) as caught:
        read_day(text, NOW)
    assert caught.value.code == code
    assert remedy in caught.value.detail
    assert caught.value.detail.startswith((text, text[:4]))


def test_an_installation_is_a_day_in_bangkok_or_an_instant() -> None:
    day = read_installation("2026-11-20", NOW)
    assert day == (date(2026, 11, 20), datetime(2026, 11, 19, 17, tzinfo=UTC), False)
    for text in ("2026-11-20T02:00+07:00", "2026-11-19T19:00:00Z", "2026-11-20 02:00:00+07:00"):
        assert read_installation(text, NOW) == (date(2026, 11, 20), datetime(2026, 11, 19, 19, tzinfo=UTC), True)


@pytest.mark.parametrize(
    ("text", "code", "remedy"),
    [
        ("2026-11-20 02:00", "no_zone", "2026-11-20T02:00+07:00"),
        ("2024-01-15 00:00:00", "no_zone", "write the day alone (2024-01-15)"),
        ("2026-11-30T02:01+07:00", "future", "now 2026-11-30 02:00"),
        ("2567-01-15T02:00+07:00", "buddhist_era", "write 2024"),
        ("2026-11-20T25:00+07:00", "not_a_date", "not a time that exists"),
        ("2026-12-01", "future", "in the future"),
    ],
)
def test_a_time_of_installation_needs_a_zone_and_lies_in_the_past(text: str, code: str, remedy: str) -> None:
    with pytest.raises(InvalidCell) as caught:
        read_installation(text, NOW)
    assert caught.value.code == code
    assert remedy in caught.value.detail


@pytest.mark.parametrize(
    ("cells", "code", "remedy"),
    [
        ({"baseline_resistance_mohm": "3,51"}, "decimal_comma", "write 3.51"),
        ({"latitude": "1,234.5"}, "not_a_number", "without thousands separators"),
        ({"baseline_temperature_c": "25 \N{DEGREE SIGN}C"}, "not_a_number", "without \N{DEGREE SIGN}C"),
        ({"rated_power_kva": "nan"}, "not_a_number", "(kVA)"),
        ({"position": "1_0"}, "not_a_number", "write only the number"),
        ({"altitude_m": "#REF!"}, "spreadsheet_error", "write the value"),
        ({"serial_number": "4.57812E+08"}, "shortened", "write every digit"),
        ({"serial_number": "SN\u200b1"}, "hidden_character", "U+200B; remove it"),
        ({"serial_number": "#N/A"}, "spreadsheet_error", "write the value"),
        ({"serial_number": "n/a"}, "no_serial_number", "on the battery's label"),
        ({"region": "north\x07"}, "control_character", "U+0007; remove it"),
    ],
)
def test_a_cell_that_a_spreadsheet_spoils_is_named_with_its_remedy(
    cells: Mapping[str, str], code: str, remedy: str
) -> None:
    (problem,) = cell_problems(cells)
    assert (problem.column, problem.code) == (next(iter(cells)), code)
    assert remedy in problem.detail


def test_sound_cells_have_no_problem() -> None:
    cells = {"latitude": "-1.5e1", "position": "7", "serial_number": "HX 24-0012/E", "altitude_m": "5."}
    assert cell_problems(cells) == []


def test_serial_numbers_keep_their_identity_without_leading_zeros_case_and_spaces() -> None:
    assert identity("000457812") == identity("457812") == identity(" 457812.0")
    assert identity("SN-0001") != identity("SN-1")


@pytest.mark.parametrize(
    ("value", "model", "likely"),
    [
        (980.0, "CSB-HX12-120", "S (1.02 m"),
        (285.0, "CSB-HX12-120", "S (3.51 m"),
        (285_714.0, "CSB-HX12-120", "mS (3.5 m"),
        (0.0035, "CSB-HX12-120", "\N{GREEK CAPITAL LETTER OMEGA} (3.5 m"),
        (3500.0, "CSB-HX12-120", "\N{MICRO SIGN}\N{GREEK CAPITAL LETTER OMEGA} (3.5 m"),
        (77.0, "GENERIC-12-17", "S (13 m"),
        (0.69, "CSB-HX12-120", "nominal 3.5 m"),
        (17.6, "CSB-HX12-120", "nominal 3.5 m"),
    ],
)
def test_a_baseline_far_from_the_nameplate_is_left_out_and_its_likely_unit_named(
    value: float, model: str, likely: str
) -> None:
    problem = unusable_baseline({"baseline_resistance_mohm": value}, model)
    assert problem is not None
    assert (problem.column, problem.code) == ("baseline_resistance_mohm", "unit")
    assert f"{value:g} m" in problem.detail
    assert likely in problem.detail
    assert "imported without a baseline" in problem.detail


@pytest.mark.parametrize(("value", "model"), [(0.7, "CSB-HX12-120"), (17.5, "CSB-HX12-120"), (20.0, "GENERIC-12-17")])
def test_a_baseline_within_a_factor_of_five_is_accepted(value: float, model: str) -> None:
    assert unusable_baseline({"baseline_resistance_mohm": value}, model) is None


def test_a_negative_baseline_is_refused() -> None:
    (problem,) = nameplate_errors({"baseline_resistance_mohm": -3.5}, "CSB-HX12-120")
    assert (problem.column, problem.code) == ("baseline_resistance_mohm", "unit")


@pytest.mark.parametrize(
    ("numbers", "column", "remedy"),
    [
        ({"baseline_temperature_c": 298.15}, "baseline_temperature_c", "K (25.0 \N{DEGREE SIGN}C)"),
        ({"baseline_temperature_c": 77.0}, "baseline_temperature_c", "\N{DEGREE SIGN}F (25.0 \N{DEGREE SIGN}C)"),
        ({"baseline_temperature_c": 0.0}, "baseline_temperature_c", "outside 5 to 50"),
        ({"rated_power_kva": 200_000.0}, "rated_power_kva", "200000 VA are 200 kVA"),
        ({"latitude": 102.82, "longitude": 16.43}, "latitude", "exchange latitude and longitude"),
    ],
)
def test_values_in_other_units_are_named(numbers: Mapping[str, float], column: str, remedy: str) -> None:
    (problem,) = nameplate_errors(numbers, "CSB-HX12-120")
    assert problem.column == column
    assert remedy in problem.detail.replace("2e+05", "200000")


def test_coordinates_outside_thailand_are_doubtful_and_inside_are_not() -> None:
    assert [found.column for found in location_warnings({"latitude": 1.35, "longitude": 103.8})] == ["latitude"]
    assert list(location_warnings({"latitude": 13.7, "longitude": 100.5})) == []


def test_each_column_of_a_line_has_one_error_with_its_remedy() -> None:
    cells = {name: str(value) for name, value in line(1).items()}
    wrong = cells | {
        "location_id": "DC-Kkn-01",
        "location_name": "",
        "latitude": "102.82",
        "longitude": "16.43",
        "system_kind": "Generator",
        "rated_power_kva": "-200",
        "position": "1.5",
        "baseline_resistance_mohm": "-3.5",
    }
    checked = check_line(Record(2, wrong), NOW)
    assert checked.line is None
    found = {problem.column: problem.detail for problem in checked.errors}
    assert len(found) == len(checked.errors) == 7
    assert "write it like DC-CNX-01" in found["location_id"]
    assert found["location_name"] == "location_name is empty; fill it in."
    assert "use one of 'UPS' or 'RECTIFIER'" in found["system_kind"]
    assert "-200 is not above 0" in found["rated_power_kva"]
    assert "1.5" in found["position"]


@pytest.mark.parametrize("delimiter", [";", "\t", "|"])
def test_other_delimiters_are_found_in_the_header(delimiter: str) -> None:
    commas = list(read_records(catalogue(line(1), line(2))))
    assert list(read_records(catalogue(line(1), line(2)).replace(b",", delimiter.encode()))) == commas
    hinted = b"sep=" + delimiter.encode() + b"\r\n" + catalogue(line(1)).replace(b",", delimiter.encode())
    (record,) = read_records(hinted)
    assert isinstance(record, Record)
    assert record.line == 3


def test_headers_are_trimmed_and_lines_may_end_in_any_way() -> None:
    padded = catalogue(line(1)).replace(b",", b" , ").replace(b"\n", b"\r")
    assert list(read_records(padded)) == list(read_records(catalogue(line(1))))


def test_a_record_counts_from_the_line_on_which_it_begins() -> None:
    header, first, second = catalogue(line(1, location_name='"Khon"'), line(2)).decode().splitlines()
    text = "\n".join([header, "", "   ", first.replace('"Khon"', '"Khon\n\nKaen"'), ",,", second])
    assert [record.line for record in read_records(text.encode())] == [4, 8]


@pytest.mark.parametrize(
    ("broken", "code", "remedy"),
    [
        (lambda text: text.replace("3.51", "3,51"), "surplus_fields", "write decimals with a point"),
        (lambda text: text.rsplit(",", 4)[0], "missing_fields", "serial_number, installed_on"),
        (lambda text: text.replace("Khon", '"Khon'), "not_csv", "close its quotation marks"),
        (lambda text: text.replace("Khon Kaen", '"Khon" Kaen'), "not_csv", "double those within a value"),
    ],
)
def test_a_record_with_other_fields_than_the_header_is_named(
    broken: Callable[[str], str], code: str, remedy: str
) -> None:
    header, record = catalogue(line(1)).decode().splitlines()
    (found,) = read_records(f"{header}\n{broken(record)}\n".encode())
    assert isinstance(found, BrokenRecord)
    assert (found.line, found.code) == (2, code)
    assert remedy in found.detail


def test_optional_fields_at_the_end_may_be_absent() -> None:
    header, record = catalogue(line(1)).decode().splitlines()
    (found,) = read_records(f"{header}\n{record.rsplit(',', 2)[0]}".encode())
    assert isinstance(found, Record)
    assert (found.cells["baseline_resistance_mohm"], found.cells["serial_number"]) == ("", "SN-0001")


HEADER = ",".join(FLEET_COLUMNS)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (HEADER.replace("region", "Region").encode(), r"Missing: region; .* Unknown: Region \(region\?\)"),
        (f"{HEADER},region".encode(), "More than once: region; keep one"),
        (f"{HEADER},".encode(), "Unknown: column 21 without a name"),
        (HEADER.replace(",", ";").replace("position", "pos").encode(), "separated by semicolons. Missing: position;"),
        (
            b"\xff\xfe" + "caf\N{LATIN SMALL LETTER E WITH ACUTE}".encode("utf-16-le")[:-1],
            "begins as UTF-16 .* save it",
        ),
        (f"{HEADER}\nDC,\u0e01".encode("utf-16-le"), "Line 1 holds a NUL byte .* save it as CSV UTF-8"),
        (f"{HEADER}\nDC,\u0e01".encode("cp874"), "Line 2 is not UTF-8 text .* Windows-874.* save it as CSV UTF-8"),
        (catalogue(line(1), line(2, region="a\0b")), "Line 3 holds a NUL byte"),
        (f"{HEADER.replace('region', chr(34))}".encode(), "Line 1: the record is not CSV"),
    ],
)
def test_a_file_without_the_expected_text_or_header_is_refused(content: bytes, message: str) -> None:
    with pytest.raises(ImportRefused, match=message):
        list(read_records(content))
