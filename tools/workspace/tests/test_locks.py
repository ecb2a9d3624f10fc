import subprocess
from pathlib import Path

import locks
import pytest
from locks import find_addresses

from .conftest import Workspace


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(locks, "ROOT", tmp_path)
    monkeypatch.setattr(locks, "REQUIREMENTS", tmp_path / "requirements")
    (tmp_path / "requirements").mkdir()
    (tmp_path / "requirements" / "api.txt").write_text("httpx==0.28 \\\n    --hash=sha256:00\n")
    (tmp_path / "package-lock.json").write_text('{\n  "integrity": "sha512-x"\n}\n')
    for command in (["git", "init", "-q"], ["git", "add", "package-lock.json"]):
        subprocess.run(command, cwd=tmp_path, check=True, env={"PATH": "/usr/bin:/bin", "HOME": str(tmp_path)})
    return tmp_path


def test_clean_locks_name_no_host(repository: Path) -> None:
    assert find_addresses() == []
    assert locks._npm_locks() == [repository / "package-lock.json"]


@pytest.mark.parametrize(
    "line",
    [
        "httpx @ https://mirror.example/httpx.whl",
        "--index-url http://mirror.example/simple",
        "--extra-index-url=mirror.example",
        "--find-links /srv/wheels",
    ],
)
def test_a_planted_host_in_a_python_lock_is_found_with_its_line(repository: Path, line: str) -> None:
    lock = repository / "requirements" / "api.txt"
    lock.write_text(lock.read_text() + line + "\n")
    assert find_addresses() == [f"requirements/api.txt:3: {line}"]


def test_a_planted_address_in_an_npm_lock_is_found(repository: Path) -> None:
    line = '"resolved": "https://mirror.example/react.tgz",'
    (repository / "package-lock.json").write_text("{\n  " + line + "\n}\n")
    assert find_addresses() == [f"package-lock.json:2: {line}"]


def test_a_homepage_in_an_npm_lock_is_no_registry(repository: Path) -> None:
    (repository / "package-lock.json").write_text('{\n  "funding": "https://example.org/donate"\n}\n')
    assert find_addresses() == []


def test_locks_of_packages_that_are_not_ours_are_ignored(repository: Path) -> None:
    foreign = repository / "node_modules" / "x"
    foreign.mkdir(parents=True)
    (foreign / "package-lock.json").write_text('{"resolved": "https://mirror.example"}')
    assert find_addresses() == []


def test_lock_writes_every_member_with_and_without_tests(workspace: Workspace) -> None:
    done = workspace.make("lock")
    assert done.returncode == 0, done.stdout
    calls = workspace.calls()
    assert calls[0] == "uv lock --upgrade"
    exports = [call for call in calls if call.startswith("uv export")]
    assert all("--no-emit-workspace" in call and "--frozen" in call for call in exports)
    assert [call.split(" --no-emit")[0] for call in exports] == [
        "uv export --package battery-alpha --no-dev",
        "uv export --package battery-alpha",
        "uv export --package battery-beta --no-dev",
        "uv export --package battery-beta",
        "uv export --package battery-system-tests",
        "uv export --package battery-benchmarks",
        "uv export --all-packages",
        "uv export --only-group build",
        "uv export --only-group sbom",
    ]
    written = {path.name for path in (workspace.root / "requirements").glob("*.txt")}
    assert {"alpha.txt", "alpha.test.txt", "system-tests.test.txt", "workspace.txt", "build.txt", "sbom.txt"} <= written
    assert "system-tests.txt" not in written
    # Comments would change with the version of uv.
    assert (workspace.root / "requirements" / "alpha.txt").read_text() == "package==1 \\\n    --hash=sha256:00\n"


def test_a_failed_export_names_the_lock(workspace: Workspace) -> None:
    done = workspace.make("lock", FAILS="--package battery-beta --no-dev")
    assert done.returncode == 1
    assert "uv export for beta.txt failed" in done.stdout
    assert "planted failure" in done.stdout
