"""The members of the workspace, read from their pyproject files."""

import re
import tomllib
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
# The name of a requirement by the grammar of PEP 508; extras, versions, URLs and markers follow it.
_NAME = re.compile(r"\s*([A-Z0-9](?:[A-Z0-9._-]*[A-Z0-9])?)(?=\s*(?:$|[\[(<>=!~;@]))", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Member:
    """One Python member."""

    name: str
    folder: Path
    is_package: bool
    needs: tuple[str, ...]

    @property
    def label(self) -> str:
        """Short name for folders, files and headings."""
        return self.name.removeprefix("battery-")

    @property
    def module(self) -> str:
        """Name of the import package."""
        return self.name.replace("-", "_")


def load_members() -> dict[str, Member]:
    """Return every member by its name."""
    folders = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["uv"]["workspace"]["members"]
    members = (_load(ROOT / folder) for folder in folders)
    return {member.name: member for member in members}


def closure(member: Member, members: dict[str, Member]) -> list[Member]:
    """Return the member's workspace dependencies and itself, dependencies first."""
    ordered: dict[str, Member] = {}

    def visit(current: Member) -> None:
        if current.name in ordered:
            return
        for name in current.needs:
            visit(members[name])
        ordered[current.name] = current

    visit(member)
    return list(ordered.values())


def _load(folder: Path) -> Member:
    data = tomllib.loads((folder / "pyproject.toml").read_text())
    project = data["project"]
    requirements = [*project.get("dependencies", []), *data.get("dependency-groups", {}).get("dev", [])]
    names = {_requirement_name(requirement) for requirement in requirements}
    needs = tuple(sorted(name for name in names if name.startswith("battery-")))
    return Member(project["name"], folder, data.get("tool", {}).get("uv", {}).get("package", True), needs)


def _requirement_name(requirement: str) -> str:
    found = _NAME.match(requirement)
    if found is None:
        raise ValueError(f"{requirement!r} is not a requirement: it does not start with a package name")
    return re.sub(r"[-_.]+", "-", found[1]).lower()
