"""Names of metrics and labels: those that the code declares, and those that expressions use."""

import ast
import re
from collections.abc import Iterable, Mapping
from pathlib import Path

_SUFFIXES = {
    "Counter": ("",),
    "Gauge": ("",),
    "Histogram": ("_bucket", "_sum", "_count"),
    "Summary": ("_sum", "_count"),
}
# What Prometheus adds to every series, and the name it gives to a label of ours that is called `job`.
_ADDED = frozenset({"job", "instance", "exported_job"})
# Series of Prometheus and of the blackbox exporter.
_FOREIGN: Mapping[str, frozenset[str]] = {
    "up": frozenset(),
    "probe_success": frozenset(),
    "probe_http_status_code": frozenset(),
}
# Aggregations stand before `by` as if they were names.
_WORDS = frozenset({"and", "or", "unless", "bool", "offset", "sum", "min", "max", "avg", "count", "topk"})
_STRING = re.compile(r'"(?:[^"\\]|\\.)*"')
_GROUPING = re.compile(r"\b(?:by|without|on|ignoring)\s*\(([^)]*)\)")
_SELECTOR = re.compile(r"([A-Za-z_:][\w:]*)?\s*\{([^}]*)\}")
_NAME = re.compile(r"(?<![\w.])([A-Za-z_:][\w:]*)(?!\s*\()(?![\w:])")
_DURATION = re.compile(r"\[[^\]]*\]")

Metrics = Mapping[str, frozenset[str]]


def declared_metrics(folders: Iterable[Path]) -> dict[str, frozenset[str]]:
    """Return the series that the code below some folders exposes, with their labels."""
    found = dict(_FOREIGN)
    for folder in folders:
        for path in folder.rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text())):
                found.update(_declared_by(node))
    return found


def _declared_by(node: ast.AST) -> dict[str, frozenset[str]]:
    if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in _SUFFIXES):
        return {}
    # Name and description are texts; that also tells it from collections.Counter.
    texts = [argument.value for argument in node.args[:2] if isinstance(argument, ast.Constant)]
    if len(texts) < 2 or not isinstance(texts[0], str):
        return {}
    labels = {str(value) for value in ast.literal_eval(node.args[2])} if len(node.args) > 2 else set()
    if node.func.id == "Histogram":
        labels.add("le")
    return {texts[0] + suffix: frozenset(labels) for suffix in _SUFFIXES[node.func.id]}


def unknown_names(expression: str, metrics: Metrics) -> list[str]:
    """Return what an expression uses and nothing exposes: metrics, and labels that none of its metrics has."""
    plain = _DURATION.sub("", _STRING.sub('""', expression))
    labels = {name.strip() for group in _GROUPING.findall(plain) for name in group.split(",") if name.strip()}
    for _, matchers in _SELECTOR.findall(plain):
        labels |= set(re.findall(r"([A-Za-z_]\w*)\s*(?:=~|!~|!=|=)", matchers))
    bare = _SELECTOR.sub(r"\1", _GROUPING.sub("", plain))
    names = {name for name in _NAME.findall(bare) if name not in _WORDS}
    # Bindings differ by metric: a label must belong to at least one of those used.
    known = _ADDED.union(*(metrics[name] for name in names & metrics.keys()))
    return sorted(names - metrics.keys()) + sorted(f"label {label}" for label in labels - known)
