"""Measure the structure of the Python members: sizes, directions, names. Run: python tools/workspace/structure.py.

Prints a table, and ends with an exit code of 1 when packages import each other, modules form a cycle, an identifier
uses a word that docs/nomenclature.md bans, or a class name has two meanings.
"""

import ast
import sys
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter
from pathlib import Path
from statistics import median

from environments import print_line
from identifiers import banned_identifiers, banned_words
from members import ROOT, Member, load_members

TASK_RUNNER = ROOT / "tools" / "workspace"


@dataclass(frozen=True, slots=True)
class Sizes:
    """Lines of each file and of each function, and the lines that count as source."""

    files: list[int]
    functions: list[int]
    source_lines: int


@dataclass(frozen=True, slots=True)
class MeasuredPart:
    """Sources and tests that belong together."""

    name: str
    sources: Path
    tests: Path
    package: str | None


def parts() -> list[MeasuredPart]:
    """Return every Python member with sources, and the task runner."""
    found = [_part(member) for member in load_members().values() if (member.folder / "src").is_dir()]
    return [*found, MeasuredPart("workspace", TASK_RUNNER, TASK_RUNNER / "tests", None)]


def _part(member: Member) -> MeasuredPart:
    return MeasuredPart(member.label, member.folder / "src" / member.module, member.folder / "tests", member.module)


def source_files(folder: Path) -> list[Path]:
    """Return the modules below a folder; tests and generated migrations do not count as source."""
    skipped = {"tests", "versions", "__pycache__"}
    files = (path for path in sorted(folder.rglob("*.py")) if not skipped & set(path.relative_to(folder).parts))
    return [path for path in files if path.read_text().strip()]


def counted_lines(text: str) -> int:
    """Count the lines that are neither blank nor a comment."""
    return sum(1 for line in text.splitlines() if line.strip() and not line.strip().startswith("#"))


def sizes_of(files: Sequence[Path]) -> Sizes:
    """Measure files and functions."""
    lengths: list[int] = []
    functions: list[int] = []
    source = 0
    for path in files:
        text = path.read_text()
        lengths.append(len(text.splitlines()))
        source += counted_lines(text)
        functions += [
            (node.end_lineno or node.lineno) - node.lineno + 1
            for node in ast.walk(ast.parse(text))
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        ]
    return Sizes(lengths, functions, source)


def import_graph(root: Path, package: str) -> dict[str, set[str]]:
    """Return which modules of a package import which others of it; names without the package's own."""
    modules = {_module_name(path, root): path for path in sorted(root.rglob("*.py")) if "__pycache__" not in path.parts}
    graph: dict[str, set[str]] = {}
    for name, path in modules.items():
        graph[name] = {
            target for target in _imports(ast.parse(path.read_text()), package, modules) if target not in {name, ""}
        }
    return graph


def _module_name(path: Path, root: Path) -> str:
    parts = path.relative_to(root).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def _imports(tree: ast.Module, package: str, modules: dict[str, Path]) -> Iterator[str]:
    prefix = f"{package}."
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module and f"{node.module}.".startswith(prefix):
            base = f"{node.module}."[len(prefix) :].rstrip(".")
            for alias in node.names:
                inner = f"{base}.{alias.name}".lstrip(".")
                yield inner if inner in modules else base
        elif isinstance(node, ast.Import):
            yield from (alias.name[len(prefix) :] for alias in node.names if alias.name.startswith(prefix))


def mutual_pairs(graph: dict[str, set[str]]) -> list[tuple[str, str]]:
    """Return the pairs of packages, siblings at any depth, that import each other."""
    arrows: set[tuple[str, str]] = set()
    for name, targets in graph.items():
        for target in targets:
            one, other = name.split("."), target.split(".")
            depth = next((i for i, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), None)
            if depth is not None:
                arrows.add((".".join(one[: depth + 1]), ".".join(other[: depth + 1])))
    return sorted((one, other) for one, other in arrows if one < other and (other, one) in arrows)


def find_cycle(graph: dict[str, set[str]]) -> list[str]:
    """Return modules that import each other in a circle, empty if there are none."""
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        circle: list[str] = error.args[1]
        return circle
    return []


def repeated_class_names(files: Sequence[Path]) -> dict[str, list[Path]]:
    """Return the public class names that more than one module defines."""
    places: dict[str, list[Path]] = defaultdict(list)
    for path in files:
        for node in ast.parse(path.read_text()).body:
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                places[node.name].append(path)
    return {name: paths for name, paths in sorted(places.items()) if len(paths) > 1}


def main() -> int:
    """Print the measurements; return the exit code."""
    all_files: list[Path] = []
    all_sizes = Sizes([], [], 0)
    faults: list[str] = []
    pair_count = cycle_count = 0
    print_line(_row("member", "files", "file med/p90/max", "fn med/p90/max", "source", "test", "t/s"))
    for part in parts():
        files = source_files(part.sources)
        sizes = sizes_of(files)
        test_lines = sum(counted_lines(path.read_text()) for path in part.tests.rglob("*.py"))
        ratio = test_lines / sizes.source_lines
        spreads = _spread(sizes.files), _spread(sizes.functions)
        print_line(_row(part.name, len(files), *spreads, sizes.source_lines, test_lines, f"{ratio:.2f}"))
        all_files += files
        all_sizes = Sizes(all_sizes.files + sizes.files, all_sizes.functions + sizes.functions, 0)
        if part.package is not None:
            graph = import_graph(part.sources, part.package)
            pairs, circle = mutual_pairs(graph), find_cycle(graph)
            pair_count, cycle_count = pair_count + len(pairs), cycle_count + bool(circle)
            faults += [f"{part.package}: {one} and {other} import each other" for one, other in pairs]
            faults += [f"{part.package}: cycle of {', '.join(circle)}"] if circle else []
    print_line(_row("all", len(all_files), _spread(all_sizes.files), _spread(all_sizes.functions), "", "", "") + "\n")
    repeated = repeated_class_names(all_files)
    words = banned_identifiers(ROOT, banned_words(ROOT / "docs" / "nomenclature.md"))
    faults += [
        f"class {name} has several meanings: {', '.join(map(_short, paths))}" for name, paths in repeated.items()
    ]
    faults += words
    print_line(f"{pair_count} mutual package pairs")
    print_line(f"{cycle_count} import cycles")
    print_line(f"{len(repeated)} class names with several meanings")
    print_line(f"{len(words)} banned words in identifiers")
    for fault in faults:
        print_line(f"  {fault}")
    return 1 if faults else 0


def _row(*cells: object) -> str:
    return "{:<12} {:>5} {:>18} {:>16} {:>7} {:>6} {:>5}".format(*cells)


def _spread(values: Sequence[int]) -> str:
    ordered = sorted(values) or [0]
    return f"{median(ordered):.0f}/{ordered[int(0.9 * (len(ordered) - 1))]}/{ordered[-1]}"


def _short(path: Path) -> str:
    return str(path.relative_to(ROOT))


if __name__ == "__main__":
    sys.exit(main())
