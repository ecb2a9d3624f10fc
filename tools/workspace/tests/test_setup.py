"""Setting up: what is installed, and that nothing happens when nothing changed."""

import sys
from pathlib import Path

import environments
import pytest
from environments import digest

from .conftest import STAND_IN, Workspace

SYNC = "uv pip sync"


def installed(calls: list[str]) -> list[str]:
    return [" ".join(call.split()[:3]) for call in calls]


def test_the_first_setup_installs_by_hash_and_the_second_does_nothing(workspace: Workspace) -> None:
    first = workspace.make("setup")
    assert first.returncode == 0, first.stdout
    calls = workspace.calls()
    assert installed(calls) == ["uv venv --quiet", SYNC, "uv pip install", "npm ci --no-audit"]
    assert "--require-hashes" in calls[1]
    assert calls[1].endswith("requirements/workspace.txt")
    # Members are installed in place and bring no dependencies of their own.
    assert "--no-deps" in calls[2]
    assert f"-e {workspace.root / 'libs/alpha'} -e {workspace.root / 'libs/beta'}" in calls[2]
    assert str(workspace.root / "benchmarks") not in calls[2]

    second = workspace.make("setup")
    assert (second.returncode, second.stdout, workspace.calls()) == (0, "", [])


@pytest.mark.parametrize(
    "changed",
    ["requirements/workspace.txt", "requirements/build.txt", "libs/alpha/pyproject.toml"],
)
def test_a_changed_lock_or_project_installs_again(workspace: Workspace, changed: str) -> None:
    workspace.make("setup")
    workspace.calls()
    path = workspace.root / changed
    path.write_text(path.read_text() + "\n# changed\n")
    assert workspace.make("setup").returncode == 0
    assert installed(workspace.calls()) == [SYNC, "uv pip install"]
    assert workspace.make("setup").stdout == ""


def test_a_changed_npm_lock_installs_only_npm_packages(workspace: Workspace) -> None:
    workspace.make("setup")
    workspace.calls()
    workspace.write("tools/timescale-wasm/package-lock.json", '{"changed": true}')
    workspace.make("setup")
    assert workspace.calls() == ["npm ci --no-audit --no-fund --legacy-peer-deps"]


def test_setting_up_for_up_leaves_the_test_database_out(workspace: Workspace) -> None:
    assert workspace.make("setup", "--for-up").returncode == 0
    assert not any(call.startswith("npm") for call in workspace.calls())


def test_the_dashboard_is_built_when_its_sources_change(workspace: Workspace) -> None:
    for name in ("package.json", "package-lock.json", "src/main.ts"):
        workspace.write(f"frontend/{name}", "{}")
    assert workspace.make("setup", "--for-up").returncode == 0
    assert workspace.calls()[-2:] == ["npm ci --no-audit --no-fund", "npm run build"]
    workspace.write("frontend/test-results/vitest.xml", "<generated/>")
    workspace.make("setup", "--for-up")
    assert workspace.calls() == []
    workspace.write("frontend/src/main.ts", "changed")
    workspace.make("setup", "--for-up", "--quiet")
    assert workspace.calls() == []
    workspace.make("setup", "--for-up")
    assert workspace.calls() == ["npm run build"]


@pytest.mark.parametrize("failing", ["uv pip sync", "uv pip install", "npm ci"])
def test_a_failed_installation_is_shown_and_tried_again(workspace: Workspace, failing: str) -> None:
    failed = workspace.make("setup", FAILS=failing)
    assert failed.returncode == 1
    assert "✗" in failed.stdout
    assert "planted failure" in failed.stdout
    workspace.calls()
    assert workspace.make("setup").returncode == 0
    assert any(call.startswith(failing) for call in workspace.calls())


def test_a_missing_lock_is_named_with_the_remedy(workspace: Workspace) -> None:
    (workspace.root / "requirements" / "workspace.txt").unlink()
    failed = workspace.make("setup")
    assert (failed.returncode, failed.stdout) == (1, "✗ requirements/workspace.txt is missing; `make lock` writes it\n")


@pytest.mark.parametrize(("version", "accepted"), [("v20.19.0", True), ("v24.0.1", True), ("v20.18.9", False)])
def test_an_old_node_is_refused(workspace: Workspace, version: str, accepted: bool) -> None:
    done = workspace.make("setup", NODE_IS=version)
    assert done.returncode == (0 if accepted else 1)
    assert ("Node >= 20.19 is needed" in done.stdout) is not accepted


def test_a_uv_of_another_version_is_passed_over(workspace: Workspace) -> None:
    own = STAND_IN.read_text().replace('"UV_IS"', '"OWN_UV_IS"').replace("[NAME,", '["own-uv",')
    workspace.write(".tools/uv/bin/uv", f"#!{sys.executable}\n{own}").chmod(0o755)
    done = workspace.make("setup", UV_IS="uv 0.1.0")
    assert done.returncode == 0, done.stdout
    assert f"Installing uv {environments.UV_VERSION}" not in done.stdout
    assert {call.split()[0] for call in workspace.calls()} == {"own-uv", "npm"}


def test_unknown_tasks_are_a_usage_error(workspace: Workspace) -> None:
    done = workspace.make("install")
    assert done.returncode == 2
    assert "invalid choice: 'install'" in done.stdout


def test_the_digest_depends_on_names_contents_and_options(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(environments, "ROOT", tmp_path)
    one, two = tmp_path / "one", tmp_path / "two"
    one.write_text("a")
    two.write_text("b")
    original = digest([one, two], "")
    assert digest([one, two], "") == original
    assert digest([one, two], "option") != original
    two.write_text("c")
    assert digest([one, two], "") != original
    two.write_text("b")
    two.rename(tmp_path / "three")
    assert digest([one, tmp_path / "three"], "") != original
