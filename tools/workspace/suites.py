"""Every suite of the project: run one after another, none hiding another, counted together."""

import os
import shutil
import subprocess
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
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
    say,
)
from locks import find_addresses
from members import ROOT, Member, load_members

RESULTS = ROOT / "tests" / "results"
_CROSS_SERVICE = "battery-system-tests"
_SPECIAL = {_CROSS_SERVICE, "battery-benchmarks"}


@dataclass(frozen=True, slots=True)
class Tally:
    """What a suite counted."""

    passed: int = 0
    failed: int = 0
    skipped: int = 0

    def __add__(self, other: "Tally") -> "Tally":
        return Tally(self.passed + other.passed, self.failed + other.failed, self.skipped + other.skipped)


@dataclass(frozen=True, slots=True)
class Suite:
    """A named suite."""

    name: str
    run: Callable[[], Tally]


def run_suites(names: Sequence[str]) -> int:
    """Run the named suites, or all; return the exit code."""
    shutil.rmtree(RESULTS, ignore_errors=True)
    RESULTS.mkdir(parents=True)
    suites = _suites()
    unknown = set(names) - {suite.name for suite in suites}
    if unknown:
        raise TaskFailed(
            f"no suite is named {', '.join(sorted(unknown))}; there are {', '.join(s.name for s in suites)}"
        )
    total = Tally()
    lines = []
    for suite in suites:
        if names and suite.name not in names:
            continue
        say(f"\n━━━ {suite.name} " + "━" * max(0, 70 - len(suite.name)))
        began = time.monotonic()
        try:
            tally = suite.run()
        except TaskFailed as failure:
            say(f"✗ {failure}")
            tally = Tally(failed=1)
        mark = "✗" if tally.failed or not tally.passed else "✓"
        if not tally.passed and not tally.failed:
            say("✗ the suite ran no test")
            tally = Tally(failed=1, skipped=tally.skipped)
        counts = f"{tally.passed:>5} passed {tally.failed:>4} failed {tally.skipped:>3} skipped"
        lines.append(f"{mark} {suite.name:<16} {counts} {time.monotonic() - began:7.1f} s")
        total += tally
    say("\n━━━ totals " + "━" * 64)
    for line in lines:
        say(line)
    say(f"\n{total.passed} passed, {total.failed} failed" + (f", {total.skipped} skipped" if total.skipped else ""))
    return 1 if total.failed else 0


def _suites() -> list[Suite]:
    members = load_members()
    suites = [Suite("lint", _lint)]
    ordinary = [member for member in members.values() if member.name not in _SPECIAL]
    suites += [Suite(member.label, partial(_run_pytest, member)) for member in ordinary]
    if (FRONTEND / "package.json").exists():
        suites.append(Suite("frontend", _run_vitest))
    suites.append(Suite("system", partial(_run_system, members[_CROSS_SERVICE])))
    if (BROWSER_TESTS / "package.json").exists():
        suites.append(Suite("browser", partial(_run_browser, members[_CROSS_SERVICE])))
    return suites


def _lint() -> Tally:
    ensure_main_environment()
    tools = MAIN_ENVIRONMENT / "bin"
    packages = [part for member in load_members().values() if member.is_package for part in ("-p", member.module)]
    total = _check("locks name no host", _locks_are_clean)
    total += _check_command("ruff check", [tools / "ruff", "check", "."])
    total += _check_command("ruff format", [tools / "ruff", "format", "--check", "."])
    total += _check_command("mypy", [tools / "mypy", *packages])
    total += _check_command("import-linter", [tools / "lint-imports"])
    total += _check("openapi is current", _openapi_is_current)
    if (FRONTEND / "package.json").exists():
        ensure_node(FRONTEND)
        total += _check_command("eslint", ["npm", "run", "--silent", "lint"], cwd=FRONTEND)
        total += _check_command("biome", ["npm", "run", "--silent", "format:check"], cwd=FRONTEND)
        total += _check_command("tsc", ["npm", "run", "--silent", "typecheck"], cwd=FRONTEND)
    return total


def _run_pytest(member: Member) -> Tally:
    if not (member.folder / "tests").is_dir():
        return Tally()
    ensure_node(TIMESCALE_WASM, "--legacy-peer-deps")
    environment = ensure_member_environment(member)
    return _pytest(environment, member.label, member.folder, ["tests"])


def _run_vitest() -> Tally:
    ensure_node(FRONTEND)
    # The dashboard's own configuration writes the report there.
    report = FRONTEND / "test-results" / "vitest.xml"
    report.unlink(missing_ok=True)
    code = _command(["npm", "run", "--silent", "test"], cwd=FRONTEND)
    return _count(report, code)


def _run_system(member: Member) -> Tally:
    ensure_main_environment()
    ensure_node(TIMESCALE_WASM, "--legacy-peer-deps")
    environment = ensure_member_environment(member)
    return _pytest(environment, "system", ROOT, ["tests", "--ignore=tests/browser"])


def _run_browser(member: Member) -> Tally:
    ensure_main_environment()
    ensure_dashboard()
    ensure_node(BROWSER_TESTS)
    environment = ensure_member_environment(member)
    return _pytest(environment, "browser", ROOT, ["tests/browser"])


def _pytest(environment: Path, name: str, folder: Path, arguments: Sequence[str]) -> Tally:
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
    return _count(report, _command(command, cwd=folder))


def _command(command: Sequence[str | Path], *, cwd: Path = ROOT) -> int:
    environment = {**os.environ, "PATH": f"{MAIN_ENVIRONMENT / 'bin'}{os.pathsep}{os.environ.get('PATH', '')}"}
    return subprocess.run([str(part) for part in command], cwd=cwd, check=False, env=environment).returncode  # noqa: S603


def _check_command(name: str, command: Sequence[str | Path], *, cwd: Path = ROOT) -> Tally:
    return _check(name, lambda: _command(command, cwd=cwd) == 0)


def _check(name: str, action: Callable[[], bool]) -> Tally:
    is_good = action()
    say(f"{'✓' if is_good else '✗'} {name}")
    return Tally(passed=1) if is_good else Tally(failed=1)


def _locks_are_clean() -> bool:
    found = find_addresses()
    for line in found:
        say(f"  {line}")
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
            say(f"  contracts/openapi/{name} differs from the code; `make openapi` writes it")
    return expected == present


def _count(report: Path, exit_code: int) -> Tally:
    """Read a junit report; a suite that broke without a counted failure counts as one."""
    tally = Tally()
    if report.exists():
        for suite in ET.parse(report).getroot().iter("testsuite"):  # noqa: S314  # written by our own test runners
            bad = int(suite.get("failures", 0)) + int(suite.get("errors", 0))
            skipped = int(suite.get("skipped", 0))
            tally += Tally(int(suite.get("tests", 0)) - bad - skipped, bad, skipped)
    if exit_code != 0 and not tally.failed:
        tally += Tally(failed=1)
    return tally
