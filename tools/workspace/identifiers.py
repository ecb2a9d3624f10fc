"""Find identifiers that use a word which docs/nomenclature.md bans, in Python and TypeScript."""

import ast
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

_HEADING = "## Words that identifiers do not use"
# Names on the wire, in the database and in files keep their first spelling.
_KEPT = re.compile(
    r"site_(readings|environment|interval_s|ids?)|strings_per_site|"
    r"[a-z_]*tell_?tale|sites?_?py|displace\w*|marketplace|placeholder\w*|replace\w*|workplace",
    re.IGNORECASE,
)
_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+")
_TYPESCRIPT_NAME = re.compile(
    r"\b(?:const|let|function|class|interface|type|enum)\s+([A-Za-z_$][\w$]*)|"
    r"(?<=[(,{])\s*([A-Za-z_$][\w$]*)\s*(?=[:=,)}])"
)
_GENERATED = ("schema.gen.ts", "/migrations/versions/")


def banned_words(nomenclature: Path) -> frozenset[str]:
    """Return the words in the last section of the nomenclature."""
    text = nomenclature.read_text()
    section = text[text.index(_HEADING) :]
    return frozenset(re.findall(r"`([a-z]+)`", section))


def banned_identifiers(root: Path, words: frozenset[str]) -> list[str]:
    """Return one line per identifier that uses a banned word, with file and line."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "*.py", "*.ts", "*.tsx"]
    listed = subprocess.run(command, cwd=root, check=True, capture_output=True, text=True)  # noqa: S603  # fixed arguments
    faults = []
    for name in sorted(set(listed.stdout.split())):
        path = root / name
        if path.is_file() and not any(part in name for part in _GENERATED):
            names = python_names(path) if path.suffix == ".py" else typescript_names(path)
            faults += [f"{name}:{line}: {found}" for found, line in names if is_banned(found, words)]
    return faults


def is_banned(name: str, words: frozenset[str]) -> bool:
    """Return whether an identifier contains a banned word."""
    return any(word.lower() in words for word in _WORD.findall(_KEPT.sub("", name)))


def python_names(path: Path) -> Iterator[tuple[str, int]]:
    """Yield every name that a module defines, with its line."""
    tree = ast.parse(path.read_text())
    yield path.stem, 1
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            yield node.name, node.lineno
        elif isinstance(node, ast.arg):
            yield node.arg, node.lineno
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            yield node.id, node.lineno
        elif isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store):
            yield node.attr, node.lineno


def typescript_names(path: Path) -> Iterator[tuple[str, int]]:
    """Yield the names that a TypeScript file defines, with their lines."""
    yield path.stem, 1
    for number, line in enumerate(path.read_text().splitlines(), start=1):
        code = line.split("//")[0]
        for match in _TYPESCRIPT_NAME.finditer(code):
            yield match.group(1) or match.group(2), number
