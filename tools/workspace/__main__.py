"""Tasks behind the Makefile: ``python tools/workspace TASK``. Standard library only: they create the environments."""

import argparse
import sys

from environments import (
    TIMESCALE_WASM,
    TaskFailed,
    ensure_comparison_environment,
    ensure_dashboard,
    ensure_main_environment,
    ensure_node,
    print_line,
    run,
)
from locks import write_locks
from members import ROOT
from suites import run_suites


def main() -> int:
    """Run one task."""
    parser = argparse.ArgumentParser(prog="make")
    tasks = parser.add_subparsers(dest="task", required=True)
    setup = tasks.add_parser("setup")
    setup.add_argument("--for-up", action="store_true", help="only what `make up` needs")
    setup.add_argument("--quiet", action="store_true", help="leave the dashboard out")
    test = tasks.add_parser("test")
    test.add_argument("suites", nargs="*")
    tasks.add_parser("lock")
    tasks.add_parser("openapi")
    tasks.add_parser("comparison")
    arguments = parser.parse_args()
    try:
        if arguments.task == "test":
            return run_suites(arguments.suites)
        if arguments.task == "lock":
            write_locks()
        elif arguments.task == "comparison":
            ensure_comparison_environment()
        else:
            _set_up(
                for_up=arguments.task == "setup" and arguments.for_up,
                dashboard=arguments.task == "setup" and not arguments.quiet,
            )
        if arguments.task == "openapi":
            write_openapi()
    except TaskFailed as failure:
        print_line(f"✗ {failure}")
        return 1
    except KeyboardInterrupt:
        return 130
    return 0


def write_openapi() -> None:
    """Write the OpenAPI descriptions of all services."""
    script = ROOT / "tools" / "workspace" / "descriptions.py"
    run([ROOT / ".venv" / "bin" / "python", script, ROOT / "contracts" / "openapi"], quiet=False)


def _set_up(*, for_up: bool, dashboard: bool) -> None:
    ensure_main_environment()
    if dashboard:
        ensure_dashboard()
        if not for_up:
            ensure_node(TIMESCALE_WASM, "--legacy-peer-deps")


if __name__ == "__main__":
    sys.exit(main())
