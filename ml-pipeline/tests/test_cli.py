import json
from pathlib import Path

import pytest
from tiny_model import batch_of, fill, fleet
from typer.testing import CliRunner, Result

from battery_ml.cli import app
from battery_ml.registry.store import Registry


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("registry")
    fill(made, ("v1", "v2"))
    return made


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
    answer = json.loads(run(folder, "predict", str(request)).output)
    assert (answer["model_version"], len(answer["predictions"])) == ("v2", 24)
    assert "v1 (before: v2)" in run(folder, "promote", "--rollback").output
    assert json.loads(run(folder, "predict", str(request)).output)["model_version"] == "v1"


@pytest.mark.parametrize(
    ("arguments", "says"),
    [(["promote"], "needed"), (["promote", "v1", "--rollback"], "not both"), (["promote", "v9"], "no model has")],
)
def test_what_cannot_be_promoted_is_refused(folder: Path, arguments: list[str], says: str) -> None:
    before = Registry(str(folder)).history()
    refused = run(folder, *arguments)
    assert refused.exit_code == 2
    assert says in refused.output
    assert Registry(str(folder)).history() == before


def test_a_file_that_is_no_batch_is_refused(folder: Path, tmp_path: Path) -> None:
    file = tmp_path / "batch.json"
    file.write_text("{}")
    refused = run(folder, "predict", str(file))
    assert refused.exit_code == 2
    assert "as_of" in refused.output
