from pathlib import Path

import pytest
import suites
from suites import SuiteCount

from .conftest import FAILING, PASSING, Workspace


def report(tmp_path: Path, *suites_of_report: str) -> Path:
    path = tmp_path / "report.xml"
    path.write_text(f"<testsuites>{''.join(suites_of_report)}</testsuites>")
    return path


def suite(**counts: int) -> str:
    return "<testsuite " + " ".join(f'{name}="{count}"' for name, count in counts.items()) + "/>"


@pytest.mark.parametrize(
    ("parts", "exit_code", "expected"),
    [
        ([suite(tests=5, failures=0, errors=0, skipped=0)], 0, SuiteCount(5, 0, 0)),
        ([suite(tests=5, failures=1, errors=1, skipped=1)], 1, SuiteCount(2, 2, 1)),
        ([suite(tests=3), suite(tests=2, failures=1)], 1, SuiteCount(4, 1, 0)),
        # Collected and passed, but the runner failed afterwards: one failure, never a success.
        ([suite(tests=5)], 1, SuiteCount(5, 1, 0, ("the runner ended with code 1",))),
        ([], 0, SuiteCount(0, 0, 0)),
    ],
    ids=["all pass", "mixed", "two parts", "broken after passing", "nothing"],
)
def test_counts_come_from_the_report(tmp_path: Path, parts: list[str], exit_code: int, expected: SuiteCount) -> None:
    assert suites._count_report(report(tmp_path, *parts), exit_code) == expected


@pytest.mark.parametrize(("exit_code", "failed"), [(0, 0), (1, 1), (2, 1), (-11, 1)])
def test_a_suite_that_wrote_no_report_fails_by_its_exit_code(tmp_path: Path, exit_code: int, failed: int) -> None:
    count = suites._count_report(tmp_path / "missing.xml", exit_code)
    assert (count.passed, count.failed, count.skipped) == (0, failed, 0)


def test_counts_add_up() -> None:
    total = SuiteCount(1, 2, 3, ("first",)) + SuiteCount(10, 20, 30, ("second",))
    assert total == SuiteCount(11, 22, 33, ("first", "second"))


def totals(output: str) -> str:
    return output.strip().splitlines()[-1]


def test_named_suites_run_with_real_pytest_and_add_up(workspace: Workspace) -> None:
    done = workspace.make("test", "alpha", "beta", "workspace")
    assert done.returncode == 0, done.stdout
    assert totals(done.stdout) == "3 passed, 0 failed"
    assert "━━━ alpha" in done.stdout
    assert "system" not in done.stdout
    assert (workspace.root / "tests" / "results" / "workspace.xml").exists()


def test_a_members_environment_has_its_own_lock_and_its_workspace_dependencies_only(workspace: Workspace) -> None:
    workspace.make("test", "alpha")
    calls = workspace.calls()
    assert any(call.startswith("uv pip sync") and call.endswith("requirements/alpha.test.txt") for call in calls)
    install = next(call for call in calls if call.startswith("uv pip install"))
    assert str(workspace.root / "libs" / "beta") not in install
    workspace.make("test", "beta")
    install = next(call for call in workspace.calls() if call.startswith("uv pip install"))
    assert install.index("libs/alpha") < install.index("libs/beta")


def test_a_failing_suite_stops_no_other_and_fails_the_run(workspace: Workspace) -> None:
    workspace.write("libs/alpha/tests/test_more.py", FAILING)
    done = workspace.make("test", "alpha", "beta")
    assert done.returncode == 1
    assert totals(done.stdout) == "2 passed, 1 failed"
    end = done.stdout.partition("━━━ totals")[2]
    assert "✗ alpha" in end
    assert "✓ beta" in end
    # The end alone says what failed: a long log is often cut to it.
    assert "    tests.test_more test_two: assert 1 == 2" in end


def test_a_suite_that_cannot_be_collected_counts_as_failed(workspace: Workspace) -> None:
    workspace.write("libs/alpha/tests/test_alpha.py", "import nothing_of_this_name\n")
    done = workspace.make("test", "alpha")
    assert (done.returncode, totals(done.stdout)) == (1, "0 passed, 1 failed")


def test_a_suite_that_crashes_its_interpreter_counts_as_failed(workspace: Workspace) -> None:
    workspace.write("libs/alpha/tests/test_alpha.py", "import os\n\ndef test_crash():\n    os.abort()\n")
    done = workspace.make("test", "alpha")
    assert (done.returncode, totals(done.stdout)) == (1, "0 passed, 1 failed")


@pytest.mark.parametrize("content", ["", "def helper():\n    pass\n"], ids=["empty file", "no test"])
def test_an_empty_suite_fails(workspace: Workspace, content: str) -> None:
    workspace.write("libs/alpha/tests/test_alpha.py", content)
    done = workspace.make("test", "alpha")
    assert (done.returncode, totals(done.stdout)) == (1, "0 passed, 1 failed")


def test_a_member_without_tests_fails_instead_of_passing_unnoticed(workspace: Workspace) -> None:
    (workspace.root / "libs" / "alpha" / "tests" / "test_alpha.py").unlink()
    (workspace.root / "libs" / "alpha" / "tests").rmdir()
    done = workspace.make("test", "alpha", "beta")
    assert (done.returncode, totals(done.stdout)) == (1, "1 passed, 1 failed")
    assert "the suite ran no test" in done.stdout


def test_skipped_tests_alone_are_no_success(workspace: Workspace) -> None:
    workspace.write("libs/alpha/tests/test_alpha.py", "import pytest\n\n@pytest.mark.skip\n" + PASSING)
    done = workspace.make("test", "alpha")
    assert (done.returncode, totals(done.stdout)) == (1, "0 passed, 1 failed, 1 skipped")


def test_an_unknown_suite_is_named_with_the_known_ones(workspace: Workspace) -> None:
    done = workspace.make("test", "backend", "alpha")
    assert done.returncode == 1
    assert done.stdout == "✗ Unknown suite: backend. Suites: lint, workspace, alpha, beta, system\n"


def test_an_environment_that_cannot_be_made_fails_its_suite_only(workspace: Workspace) -> None:
    done = workspace.make("test", "alpha", "beta", FAILS="requirements/alpha.test.txt")
    assert (done.returncode, totals(done.stdout)) == (1, "1 passed, 1 failed")
    assert "planted failure" in done.stdout


def test_results_of_an_earlier_run_are_not_counted(workspace: Workspace) -> None:
    workspace.write("libs/alpha/tests/test_more.py", FAILING)
    workspace.make("test", "alpha")
    (workspace.root / "libs/alpha/tests/test_more.py").unlink()
    assert totals(workspace.make("test", "alpha").stdout) == "1 passed, 0 failed"
    assert {path.name for path in (workspace.root / "tests" / "results").iterdir()} == {"alpha.xml"}


DESCRIBE = """
import sys, pathlib
folder = pathlib.Path(sys.argv[1])
folder.mkdir(parents=True, exist_ok=True)
(folder / "ml.json").write_text("{}")
"""


STRUCTURE = """
from pathlib import Path
TASK_RUNNER = Path(__file__).resolve().parent
"""


@pytest.fixture
def linted(workspace: Workspace) -> Workspace:
    workspace.write("tools/workspace/descriptions.py", DESCRIBE)
    workspace.write("contracts/openapi/ml.json", "{}")
    workspace.write("benchmarks/ingest.py", "")
    # What it measures is tested in test_structure; the packages of this workspace are empty.
    workspace.write("tools/workspace/structure.py", STRUCTURE)
    return workspace


def test_lint_runs_every_checker_over_every_package(linted: Workspace) -> None:
    done = linted.make("test", "lint")
    assert (done.returncode, totals(done.stdout)) == (0, "14 passed, 0 failed")
    calls = linted.calls()
    assert "mypy -p battery_alpha -p battery_beta" in calls
    assert {"ruff check .", "ruff format --check .", "lint-imports"} <= set(calls)


@pytest.mark.parametrize("failing", ["ruff check", "ruff format", "mypy -p", "lint-imports"])
def test_each_checker_can_fail_the_lint(linted: Workspace, failing: str) -> None:
    done = linted.make("test", "lint", FAILS=failing)
    assert (done.returncode, totals(done.stdout)) == (1, "13 passed, 1 failed")


def test_undeclared_imports_fail_the_lint_of_each_package(linted: Workspace) -> None:
    done = linted.make("test", "lint", FAILS="deptry")
    assert (done.returncode, totals(done.stdout)) == (1, "12 passed, 2 failed")


def test_a_lock_with_a_host_fails_the_lint_and_is_shown(linted: Workspace) -> None:
    linted.write("requirements/workspace.txt", "--index-url https://mirror.example/simple\n")
    done = linted.make("test", "lint")
    assert (done.returncode, totals(done.stdout)) == (1, "13 passed, 1 failed")
    assert "requirements/workspace.txt:1: --index-url" in done.stdout


@pytest.mark.parametrize("name", ["ml.json", "left_over.json"])
def test_a_stale_or_surplus_description_fails_the_lint(linted: Workspace, name: str) -> None:
    linted.write(f"contracts/openapi/{name}", '{"old": true}')
    done = linted.make("test", "lint")
    assert done.returncode == 1
    assert f"contracts/openapi/{name} differs from the code; `make openapi` writes it" in done.stdout


def test_openapi_writes_the_descriptions(linted: Workspace) -> None:
    linted.write("contracts/openapi/ml.json", '{"old": true}')
    assert linted.make("openapi").returncode == 0
    assert (linted.root / "contracts" / "openapi" / "ml.json").read_text() == "{}"


def test_commands_see_the_main_environment_first(workspace: Workspace) -> None:
    check = "import os\n\ndef test_path():\n    assert os.environ['PATH'].split(os.pathsep)[0].endswith('.venv/bin')\n"
    workspace.write("libs/alpha/tests/test_alpha.py", check)
    assert workspace.make("test", "alpha").returncode == 0
