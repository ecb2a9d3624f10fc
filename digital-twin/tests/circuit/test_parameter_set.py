import json

import pytest

from battery_twin.circuit.data_sheet import data_sheet_parameters
from battery_twin.circuit.parameter_set import FORMAT, ParameterSet, ParametersInvalid


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"rated_ah": -1}, "rated_ah"),
        ({"tau2_s": "slow"}, "tau2_s"),
        ({"ocv_v": [1, 2]}, "ocv_v"),
        ({"ocv_v": [12.0] * 13}, "ocv_v"),
        ({"r0_ohm": [float("nan")] * 7}, "r0_ohm"),
        ({"calibrated": 1}, "calibrated"),
        ({"format": "other"}, "format"),
    ],
)
def test_wrong_parameter_file_is_refused_by_field(change: dict[str, object], field: str) -> None:
    content = data_sheet_parameters(17.0).to_mapping() | change
    with pytest.raises(ParametersInvalid, match=f"^{field}"):
        ParameterSet.from_mapping(content)


def test_a_set_survives_its_json() -> None:
    written = data_sheet_parameters(17.0)
    assert ParameterSet.from_json(written.to_json()) == written
    assert ParameterSet.from_mapping(written.to_mapping()) == written
    assert json.loads(written.to_json())["format"] == FORMAT


def test_a_set_of_the_first_version_is_refused_by_its_format() -> None:
    content = data_sheet_parameters(17.0).to_mapping() | {"format": "battery-twin-parameters/1"}
    with pytest.raises(ParametersInvalid, match=r"^format: 'battery-twin-parameters/2' is expected"):
        ParameterSet.from_json(json.dumps(content))


@pytest.mark.parametrize(
    "name", ["tau_d_s", "depletion_h", "depletion_relative_sd", "polarisation_relative_sd", "voltage_error_sd_v"]
)
def test_a_set_without_what_the_second_version_added_is_refused(name: str) -> None:
    content = data_sheet_parameters(17.0).to_mapping()
    del content[name]
    with pytest.raises(ParametersInvalid, match=f"^{name}: missing"):
        ParameterSet.from_mapping(content)


def test_missing_field_and_broken_json_are_refused() -> None:
    content = data_sheet_parameters(17.0).to_mapping()
    del content["knee_a"]
    with pytest.raises(ParametersInvalid, match="knee_a: missing"):
        ParameterSet.from_mapping(content)
    with pytest.raises(ParametersInvalid, match="not JSON"):
        ParameterSet.from_json("{")
