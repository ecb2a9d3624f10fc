import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from battery_ml.cli import app
from battery_ml.registry.store import Registry
from tests.support.tiny_model import batch_of, fill, fleet


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    registry = tmp_path_factory.mktemp("registry")
    fill(registry, ("v1", "v2"))
    return registry


def run(folder: Path, *arguments: str) -> Result:
    return CliRunner().invoke(app, [*arguments, "--registry", str(folder)])


def test_promote_list_predict_and_roll_back(folder: Path, tmp_path: Path) -> None:
    request = tmp_path / "batch.json"
    request.write_text(batch_of(fleet(24, seed=3)).model_dump_json())
    none_yet = run(folder, "predict", str(request))
    assert none_yet.exit_code == 2
    assert "no version is champion" in none_yet.output
    assert run(folder, "promote", "v1").exit_code == 0
    assert run(folder, "promote", "v2").exit_code == 0
    assert "v2 [champion] mae_days=100" in run(folder, "models").output
    response = json.loads(run(folder, "predict", str(request)).output)
    assert (response["model_version"], len(response["predictions"])) == ("v2", 24)
    assert "v1 (before: v2)" in run(folder, "promote", "--rollback").output
    assert json.loads(run(folder, "predict", str(request)).output)["model_version"] == "v1"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [(["promote"], "needed"), (["promote", "v1", "--rollback"], "not both"), (["promote", "v9"], "no model has")],
)
def test_promotion_of_an_invalid_version_is_refused(folder: Path, arguments: list[str], message: str) -> None:
    before = Registry(str(folder)).history()
    refused = run(folder, *arguments)
    assert refused.exit_code == 2
    assert message in refused.output
    assert Registry(str(folder)).history() == before


def test_a_file_without_a_batch_is_refused(folder: Path, tmp_path: Path) -> None:
    file = tmp_path / "batch.json"
    file.write_text("{}")
    refused = run(folder, "predict", str(file))
    assert refused.exit_code == 2
    assert "as_of" in refused.output


def test_an_empty_registry_lists_no_models(tmp_path: Path) -> None:
    result = run(tmp_path, "models")
    assert result.exit_code == 0
    assert "no models in" in result.output


def test_an_incomplete_version_is_listed_with_its_fault(tmp_path: Path) -> None:
    fill(tmp_path, ("v1",))
    (tmp_path / "versions" / "v1" / "manifest.json").unlink()
    assert "v1 v1 is incomplete" in run(tmp_path, "models").output
    refused = run(tmp_path, "promote", "v1")
    assert (refused.exit_code, Registry(str(tmp_path)).history()) == (2, [])


def test_rollback_without_a_previous_champion_is_refused(tmp_path: Path) -> None:
    fill(tmp_path, ("v1",)).assign("v1")
    refused = run(tmp_path, "promote", "--rollback")
    assert refused.exit_code == 2
    assert "no version was champion before" in refused.output


def test_a_named_version_predicts_without_being_champion(folder: Path, tmp_path: Path) -> None:
    request = tmp_path / "batch.json"
    request.write_text(batch_of(fleet(2, seed=3)).model_dump_json())
    response = json.loads(run(folder, "predict", str(request), "--version", "v2").output)
    assert response["model_version"] == "v2"
    refused = run(folder, "predict", str(request), "--version", "v7")
    assert refused.exit_code == 2
    assert "no model has the version v7" in refused.output


def test_truth_in_a_batch_is_refused(folder: Path, tmp_path: Path) -> None:
    batch = batch_of(fleet(2, seed=3))
    truth = batch.model_copy(update={"daily": {"soh_pct": batch.daily["voltage_mean_v"]}})
    request = tmp_path / "batch.json"
    request.write_text(truth.model_dump_json())
    refused = run(folder, "predict", str(request), "--version", "v1")
    assert refused.exit_code == 2
    assert "truth cannot be an input: soh_pct" in refused.output


@pytest.mark.parametrize("command", ["predict", "evaluate"])
def test_an_absent_file_or_folder_is_refused(folder: Path, tmp_path: Path, command: str) -> None:
    absent = tmp_path / "absent"
    arguments = [str(absent)] if command == "predict" else ["--dataset", str(absent)]
    refused = run(folder, command, *arguments, "--version", "v1")
    assert refused.exit_code == 2
    assert "refused: " in refused.output


def test_evaluation_without_a_champion_is_refused(tmp_path: Path) -> None:
    refused = run(tmp_path, "evaluate", "--dataset", str(tmp_path))
    assert refused.exit_code == 2
    assert "no version is champion" in refused.output


@pytest.mark.parametrize(
    "arguments", [["train"], ["train", "--dataset", ".", "--trees", "0"], ["evaluate"], ["retrain"]]
)
def test_wrong_options_are_a_usage_error(tmp_path: Path, arguments: list[str]) -> None:
    assert run(tmp_path, *arguments).exit_code == 2


def test_the_registry_can_come_from_the_environment(folder: Path) -> None:
    result = CliRunner().invoke(app, ["models"], env={"MODEL_REGISTRY": str(folder)})
    assert result.exit_code == 0
    assert "v1" in result.output
