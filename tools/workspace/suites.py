"""All suites of the project: run one after another, a failing one stops no other, counted together."""

import os
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from types import MappingProxyType
from xml.etree import ElementTree as ET

from environments import (
    BROWSER_TESTS,
    FRONTEND,
    MAIN_ENVIRONMENT,
    TIMESCALE_WASM,
    TaskFailed,
    ensure_dashboard,
    ensure_main_environment,
    ensure_member_environment,
    ensure_node,
    print_line,
)
from locks import find_addresses
from members import ROOT, Member, load_members
from structure import TASK_RUNNER

RESULTS = ROOT / "tests" / "results"
_CROSS_SERVICE = "battery-system-tests"
_SPECIAL = {_CROSS_SERVICE, "battery-benchmarks"}
_WORKERS = {"api": 2, "ml": 2, "sim": 2, "synth": 2, "twin": 2}
"""Workers of the suites that take longest and measure no time."""
_REASON_LENGTH = 200


@dataclass(frozen=True, slots=True)
class SuiteCount:
    """Counted results of one suite, or of several."""

    passed: int = 0
    failed: int = 0
    skipped: int = 0
    failures: tuple[str, ...] = ()
    """Each failed test or check with the first line of its reason."""

    def __add__(self, other: "SuiteCount") -> "SuiteCount":
        return SuiteCount(
            self.passed + other.passed,
            self.failed + other.failed,
            self.skipped + other.skipped,
            self.failures + other.failures,
        )


@dataclass(frozen=True, slots=True)
class Suite:
    """A named suite."""

    name: str
    run: Callable[[], SuiteCount]


def run_suites(names: Sequence[str]) -> int:
    """Run the named suites, or all of them; return the exit code."""
    shutil.rmtree(RESULTS, ignore_errors=True)
    RESULTS.mkdir(parents=True)
    suites = _suites()
    unknown = set(names) - {suite.name for suite in suites}
    if unknown:
        raise TaskFailed(
            f"Unknown suite: {', '.join(sorted(unknown))}. Suites: {', '.join(suite.name for suite in suites)}"
        )
    total = SuiteCount()
    lines = []
    for suite in suites:
        if names and suite.name not in names:
            continue
        print_line(f"\n━━━ {suite.name} " + "━" * max(0, 70 - len(suite.name)))
        began = time.monotonic()
        try:
            count = suite.run()
        except TaskFailed as failure:
            print_line(f"✗ {failure}")
            count = SuiteCount(failed=1, failures=(str(failure),))
        mark = "✗" if count.failed or not count.passed else "✓"
        if not count.passed and not count.failed:
            print_line("✗ the suite ran no test")
            count = SuiteCount(failed=1, skipped=count.skipped)
        counts = f"{count.passed:>5} passed {count.failed:>4} failed {count.skipped:>3} skipped"
        lines.append(f"{mark} {suite.name:<16} {counts} {time.monotonic() - began:7.1f} s")
        lines += [f"    {failure}" for failure in count.failures]
        total += count
    print_line("\n━━━ totals " + "━" * 64)
    for line in lines:
        print_line(line)
    print_line(
        f"\n{total.passed} passed, {total.failed} failed" + (f", {total.skipped} skipped" if total.skipped else "")
    )
    return 1 if total.failed else 0


def _suites() -> list[Suite]:
    members = load_members()
    suites = [Suite("lint", _lint)]
    ordinary = [member for member in members.values() if member.name not in _SPECIAL]
    suites.append(Suite("workspace", _run_workspace))
    suites += [Suite(member.label, partial(_run_pytest, member)) for member in ordinary]
    if (FRONTEND / "package.json").exists():
        suites.append(Suite("frontend", _run_vitest))
    suites.append(Suite("system", partial(_run_system, members[_CROSS_SERVICE])))
    if (BROWSER_TESTS / "package.json").exists():
        suites.append(Suite("browser", partial(_run_browser, members[_CROSS_SERVICE])))
    return suites


def _lint() -> SuiteCount:
    ensure_main_environment()
    tools = MAIN_ENVIRONMENT / "bin"
    packages = [part for member in load_members().values() if member.is_package for part in ("-p", member.module)]
    total = _check("locks name no host", _locks_are_clean)
    total += _check_command("ruff check", [tools / "ruff", "check", "."])
    total += _check_command("ruff format", [tools / "ruff", "format", "--check", "."])
    total += _check_command("mypy", [tools / "mypy", *packages])
    total += _check_command("import-linter", [tools / "lint-imports"])
    total += _check_command("structure", [tools / "python", TASK_RUNNER / "structure.py"])
    for member in load_members().values():
        if member.is_package:
            total += _check_command(f"deptry {member.label}", [tools / "deptry", "--no-ansi", "src"], cwd=member.folder)
    for name, folder, target in _untyped_folders():
        variables = {"MYPYPATH": "src" if (folder / "src").is_dir() else "."}
        command: list[str | Path] = [tools / "mypy", "--config-file", ROOT / "pyproject.toml", target]
        total += _check_command(f"mypy {name}", command, cwd=folder, variables=variables)
    total += _check("openapi is current", _openapi_is_current)
    if (FRONTEND / "package.json").exists():
        ensure_node(FRONTEND)
        total += _check_command("eslint", ["npm", "run", "--silent", "lint"], cwd=FRONTEND)
        total += _check_command("biome", ["npm", "run", "--silent", "format:check"], cwd=FRONTEND)
        total += _check_command("tsc", ["npm", "run", "--silent", "typecheck"], cwd=FRONTEND)
    return total


def _untyped_folders() -> list[tuple[str, Path, str]]:
    """Return tests and benchmarks: name, folder, target. Each is checked alone: every test package is ``tests``."""
    members = [member for member in load_members().values() if (member.folder / "tests").is_dir()]
    folders = [(f"tests of {member.label}", member.folder, "tests") for member in members]
    return [
        *folders,
        ("tests of workspace", TASK_RUNNER, "tests"),
        ("system tests", ROOT, "tests"),
        ("benchmarks", ROOT / "benchmarks", "."),
    ]


def _run_pytest(member: Member) -> SuiteCount:
    if not (member.folder / "tests").is_dir():
        return SuiteCount()
    ensure_node(TIMESCALE_WASM, "--legacy-peer-deps")
    environment = ensure_member_environment(member)
    workers = _WORKERS.get(member.label)
    # By file: what a module sets up once stays with one worker.
    side_by_side = [] if workers is None else ["-n", str(workers), "--dist", "loadfile"]
    return _pytest(environment, member.label, member.folder, ["tests", *side_by_side])


def _run_workspace() -> SuiteCount:
    """Test this task runner."""
    ensure_main_environment()
    return _pytest(MAIN_ENVIRONMENT, "workspace", ROOT / "tools" / "workspace", ["tests", "-p", "no:asyncio"])


def _run_vitest() -> SuiteCount:
    ensure_node(FRONTEND)
    # The dashboard's configuration puts the report there.
    report = FRONTEND / "test-results" / "vitest.xml"
    report.unlink(missing_ok=True)
    code = _command(["npm", "run", "--silent", "test"], cwd=FRONTEND)
    return _count_report(report, code)


def _run_system(member: Member) -> SuiteCount:
    ensure_main_environment()
    ensure_node(TIMESCALE_WASM, "--legacy-peer-deps")
    environment = ensure_member_environment(member)
    return _pytest(environment, "system", ROOT, ["tests", "--ignore=tests/browser", "--ignore=tests/deployed"])


def _run_browser(member: Member) -> SuiteCount:
    ensure_main_environment()
    ensure_dashboard()
    ensure_node(BROWSER_TESTS)
    environment = ensure_member_environment(member)
    return _pytest(environment, "browser", ROOT, ["tests/browser"])


def _pytest(environment: Path, name: str, folder: Path, arguments: Sequence[str]) -> SuiteCount:
    report = RESULTS / f"{name}.xml"
    config = ["-c", str(ROOT / "tests" / "pyproject.toml"), "--rootdir", str(ROOT)] if folder == ROOT else []
    command: list[str | Path] = [
        environment / "bin" / "python",
        "-m",
        "pytest",
        "-q",
        *config,
        f"--junit-xml={report}",
        *arguments,
    ]
    # Hypothesis then draws the same examples in each run and does not judge by the clock: a busy machine is no failure.
    # The matrices of the tests are small: threads of the linear algebra would only wait for each other.
    variables = {"CI": "true", "OPENBLAS_NUM_THREADS": "1"}
    return _count_report(report, _command(command, cwd=folder, variables=variables))


def _command(
    command: Sequence[str | Path], *, cwd: Path = ROOT, variables: Mapping[str, str] = MappingProxyType({})
) -> int:
    path = f"{MAIN_ENVIRONMENT / 'bin'}{os.pathsep}{os.environ.get('PATH', '')}"
    environment = {**os.environ, "PATH": path, **variables}
    return subprocess.run([str(part) for part in command], cwd=cwd, check=False, env=environment).returncode  # noqa: S603


def _check_command(
    name: str,
    command: Sequence[str | Path],
    *,
    cwd: Path = ROOT,
    variables: Mapping[str, str] = MappingProxyType({}),
) -> SuiteCount:
    return _check(name, lambda: _command(command, cwd=cwd, variables=variables) == 0)


def _check(name: str, action: Callable[[], bool]) -> SuiteCount:
    is_good = action()
    print_line(f"{'✓' if is_good else '✗'} {name}")
    return SuiteCount(passed=1) if is_good else SuiteCount(failed=1, failures=(name,))


def _locks_are_clean() -> bool:
    found = find_addresses()
    for line in found:
        print_line(f"  {line}")
    return not found


def _openapi_is_current() -> bool:
    committed, fresh = ROOT / "contracts" / "openapi", RESULTS / "openapi"
    script = ROOT / "tools" / "workspace" / "descriptions.py"
    if _command([MAIN_ENVIRONMENT / "bin" / "python", script, fresh]) != 0:
        return False
    expected = {file.name: file.read_bytes() for file in fresh.iterdir()}
    present = {file.name: file.read_bytes() for file in committed.glob("*.json")}
    for name in sorted(expected.keys() | present.keys()):
        if expected.get(name) != present.get(name):
            print_line(f"  contracts/openapi/{name} differs from the code; `make openapi` writes it")
    return expected == present


def _count_report(report: Path, exit_code: int) -> SuiteCount:
    """Read a JUnit report; a suite that broke without a counted failure counts as one failure."""
    count = SuiteCount()
    if report.exists():
        for suite in ET.parse(report).getroot().iter("testsuite"):  # noqa: S314  # written by our own test runners
            bad = int(suite.get("failures", 0)) + int(suite.get("errors", 0))
            skipped = int(suite.get("skipped", 0))
            failures = tuple(_failures(suite))
            count += SuiteCount(int(suite.get("tests", 0)) - bad - skipped, bad, skipped, failures)
    if exit_code != 0 and not count.failed:
        count += SuiteCount(failed=1, failures=(f"the runner ended with code {exit_code}",))
    return count


def _failures(suite: ET.Element) -> Iterator[str]:
    """Yield the failed tests of a JUnit suite, each with the first line of its reason."""
    for case in suite.iter("testcase"):
        for outcome in (*case.iter("failure"), *case.iter("error")):
            reason = (outcome.get("message") or "").strip().partition("\n")[0]
            yield f"{case.get('classname')} {case.get('name')}: {reason[:_REASON_LENGTH]}"
