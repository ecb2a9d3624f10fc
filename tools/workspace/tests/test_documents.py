"""Documents that name files, sources and decisions name ones that exist."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
DOCUMENTS = sorted(
    path.relative_to(ROOT)
    for pattern in ("*.md", "docs/**/*.md", "*/README.md", "libs/*/README.md", "*/docs/*.md")
    for path in ROOT.glob(pattern)
    if "node_modules" not in path.parts
)
LINK = re.compile(r"\[[^\]]*\]\(([^)#\s]+)(?:#[^)]*)?\)")
CODE_PATH = re.compile(
    r"`((?:backend|frontend|libs|digital-twin|data-synthesis|ml-pipeline|tests|tools|docs)/[^`\s*]*)`"
)
SOURCE_KEY = re.compile(r"\[([A-Z][A-Z0-9]{1,4})\]")


def sourced_files() -> Iterator[Path]:
    """Python files with physics or limits: what they cite must be in docs/sources.md."""
    yield ROOT / "backend/src/battery_api/alerts/engine/rules.py"
    yield from (ROOT / "libs/contracts/src").rglob("*.py")
    yield from (ROOT / "digital-twin/src").rglob("*.py")
    yield from (ROOT / "data-synthesis/src").rglob("*.py")


def cited_keys(text: str) -> set[str]:
    """Return the source keys of prose: string literals and comments, where a key follows a space."""
    return {match[1] for match in re.finditer(r"(?<=[ (])" + SOURCE_KEY.pattern, text)}


def listed_keys() -> set[str]:
    """Return the keys of the table of docs/sources.md."""
    return set(re.findall(r"^\| ([A-Z][A-Z0-9]*) \|", (ROOT / "docs/sources.md").read_text(), re.MULTILINE))


def test_contributing_names_one_existing_file_for_each_of_six_changes() -> None:
    text = (ROOT / "CONTRIBUTING.md").read_text()
    table = text.split("## One file for each of six changes")[1].split("##")[0]
    rows = [line.split("|")[1:-1] for line in table.splitlines() if line.startswith("| ")][1:]
    assert len(rows) == 6
    for change, answer in rows:
        (target,) = LINK.findall(answer)
        assert (ROOT / target).is_file(), f"{change.strip()}: {target}"


@pytest.mark.parametrize(
    ("file", "name"),
    [
        ("backend/src/battery_api/settings.py", "telemetry_retention_days"),
        ("backend/src/battery_api/alerts/engine/rules.py", "RULES: Final"),
        ("digital-twin/src/battery_twin/circuit/data_sheet.py", "OCV_V ="),
        ("frontend/src/components/charts/series.ts", "export function axisDomain"),
        ("backend/src/battery_api/alerts/messages.py", "MESSAGES: Final"),
        ("digital-twin/src/battery_twin/life/ageing.py", "DEPTH_EXPONENT ="),
    ],
)
def test_each_of_the_six_files_still_holds_what_contributing_sends_people_to(file: str, name: str) -> None:
    assert f"({file})" in (ROOT / "CONTRIBUTING.md").read_text()
    assert name in (ROOT / file).read_text()


@pytest.mark.parametrize("document", DOCUMENTS, ids=str)
def test_links_and_paths_of_a_document_exist(document: Path) -> None:
    text = (ROOT / document).read_text()
    missing = [
        link
        for link in LINK.findall(text)
        if "://" not in link and not (ROOT / document.parent / link).exists() and not link.startswith("mailto:")
    ]
    # A README names the files of its own part from its own folder.
    folders = (ROOT, ROOT / document.parent)
    missing += [path for path in CODE_PATH.findall(text) if not any((folder / path).exists() for folder in folders)]
    assert not missing


def test_every_source_key_of_a_rule_or_a_constant_is_explained() -> None:
    cited = {key for file in sourced_files() for key in cited_keys(file.read_text())}
    assert {"LEO", "CND", "NEN"} <= cited
    assert cited <= listed_keys()


def test_every_listed_source_is_cited() -> None:
    assert listed_keys() <= {key for file in sourced_files() for key in SOURCE_KEY.findall(file.read_text())}


def test_every_rule_has_a_source() -> None:
    text = (ROOT / "backend/src/battery_api/alerts/engine/rules.py").read_text()
    sources = re.findall(r'source="([^"]*)"', text)
    assert len(sources) > 20
    assert all(sources)


def test_the_index_lists_every_decision_with_its_status_and_date() -> None:
    folder = ROOT / "docs/adr"
    index = (folder / "README.md").read_text()
    for record in sorted(folder.glob("[0-9]*.md")):
        lines = record.read_text().splitlines()
        title = re.fullmatch(rf"# {record.name[:4]}: (.+)", lines[0])
        assert title, f"{record.name}: the title starts with its number"
        status = re.fullmatch(r"(Accepted|Superseded by \d{4}), (\d{4}-\d{2}-\d{2})\.", lines[2])
        assert status, f"{record.name}: the third line is its status and date"
        row = f"| [{record.name[:4]}]({record.name}) | {title[1]} | {status[1].lower()} | {status[2]} |"
        assert row in index
